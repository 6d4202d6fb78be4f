#include "valence/train/outcome.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <variant>

#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"

namespace valence {
namespace {

Json to_json(const HeldOutFigures& held_out) {
  Json json = {{"loss", number_or_null(held_out.loss)}, {"figures", Json::object()}};
  for (const auto& [name, value] : held_out.figures) json["figures"][name] = number_or_null(value);
  if (!held_out.margins.empty()) {
    json["margins"] = Json::array();
    for (const double margin : held_out.margins) json["margins"].push_back(number_or_null(margin));
  }
  return json;
}

/// A number that is none is written as null.
Result<double> number_or_nan(const Node& node) {
  if (std::holds_alternative<std::monostate>(node.value())) return std::numeric_limits<double>::quiet_NaN();
  return node.as_number();
}

Result<HeldOutFigures> parse_held_out(const Node& node) {
  HeldOutFigures held_out;
  VALENCE_TRY(const auto loss, node.at("loss"));
  VALENCE_TRY(held_out.loss, number_or_nan(loss));
  VALENCE_TRY(const auto figures, node.at("figures"));
  VALENCE_TRY(const auto table, figures.as_table());
  for (const auto& [name, value] : table) {
    VALENCE_TRY(held_out.figures[name], number_or_nan(value));
  }
  if (const auto* margins = node.find("margins")) {
    VALENCE_TRY(const auto entries, margins->as_array());
    for (const auto& entry : entries) {
      VALENCE_TRY(const double margin, number_or_nan(entry));
      held_out.margins.push_back(margin);
    }
  }
  return held_out;
}

Result<HeldOutFigures> parse_kept(const std::filesystem::path& path, const Digest& key) {
  VALENCE_TRY(const auto text, read_file(path));
  VALENCE_TRY(const auto node, parse_json_node(text, path.string()));
  VALENCE_TRY(const auto found, node.string_at("key"));
  if (found != key.hex()) return fail(ErrorCode::kMismatch, "{}: of another key", path.string());
  VALENCE_TRY(const auto figures, node.at("held_out"));
  return parse_held_out(figures);
}

}  // namespace

std::string to_text(const HeldOutFigures& figures, const Digest& key) {
  return to_text(Json{{"key", key.hex()}, {"held_out", to_json(figures)}}, 2) + "\n";
}

std::optional<HeldOutFigures> read_held_out(const std::filesystem::path& path, const Digest& key) {
  auto kept = parse_kept(path, key);
  if (!kept) return std::nullopt;  // it is computed again
  return *std::move(kept);
}

std::string to_text(const TrainingOutcome& outcome) {
  Json json = {{"adapter", outcome.adapter.string()},
               {"adapter_sha256", outcome.adapter_sha256},
               {"whole", outcome.whole},
               {"steps", outcome.steps},
               {"resumed_from", outcome.resumed_from},
               {"tokens", outcome.tokens},
               {"seconds", outcome.seconds},
               {"machine", outcome.machine},
               {"parity", outcome.parity}};
  if (outcome.has_held_out) json["held_out"] = {{"before", to_json(outcome.before)}, {"after", to_json(outcome.after)}};
  return to_text(json, 2) + "\n";
}

Result<TrainingOutcome> read_outcome(const std::filesystem::path& path) {
  VALENCE_TRY(const auto text, read_file(path));
  VALENCE_TRY(const auto node, parse_json_node(text, path.string()));
  TrainingOutcome outcome;
  VALENCE_TRY(const auto adapter, node.string_at("adapter"));
  outcome.adapter = adapter;
  VALENCE_TRY(outcome.adapter_sha256, node.string_at("adapter_sha256"));
  VALENCE_TRY(outcome.whole, node.bool_or("whole", false));
  VALENCE_TRY(outcome.steps, node.count_at("steps"));
  VALENCE_TRY(outcome.resumed_from, node.count_at("resumed_from"));
  VALENCE_TRY(outcome.tokens, node.count_at("tokens"));
  VALENCE_TRY(outcome.seconds, node.number_at("seconds"));
  VALENCE_TRY(outcome.machine, node.string_at("machine"));
  VALENCE_TRY(outcome.parity, node.string_at("parity"));
  if (const auto* held_out = node.find("held_out")) {
    outcome.has_held_out = true;
    VALENCE_TRY(const auto before, held_out->at("before"));
    VALENCE_TRY(outcome.before, parse_held_out(before));
    VALENCE_TRY(const auto after, held_out->at("after"));
    VALENCE_TRY(outcome.after, parse_held_out(after));
  }
  return outcome;
}

}  // namespace valence
