#include "valence/evaluate/labelled.h"

#include <numeric>
#include <optional>
#include <set>

#include "valence/base/digest.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/segment.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::string_view kHuman = "Human:";
constexpr std::string_view kBob = "\nBob:";

std::optional<int> parse_label(std::string_view text) {
  const auto label = trim(text);
  if (label == "+1" || label == "1") return 1;
  if (label == "-1") return -1;
  if (label == "0" || label == "+0") return 0;
  return std::nullopt;
}

/// The labels other than 0 that one dimension of one response was given.
struct DimensionLabels {
  int sum = 0;
  std::size_t count = 0;

  ValueLabel settled() const { return static_cast<ValueLabel>(count == 0 ? 0 : sum >= 0 ? 1 : -1); }
};

Result<std::vector<DimensionLabels>> collect(const std::vector<std::string>& types, const DimensionNames& names,
                                             LabelReading& reading) {
  std::vector<DimensionLabels> dimensions(names.size());
  for (const auto& type : types) {
    const auto colon = type.rfind(':');
    if (colon == std::string::npos)
      return fail(ErrorCode::kUsage, "expected \"dimension: +1\" or \"dimension: -1\", got \"{}\"", type);
    VALENCE_TRY(const auto dimension, names.at(type.substr(0, colon)));
    const auto label = parse_label(std::string_view(type).substr(colon + 1));
    if (!label) {
      ++reading.unparsable;
      continue;
    }
    dimensions[dimension].sum += *label;
    dimensions[dimension].count += *label == 0 ? 0 : 1;
  }
  return dimensions;
}

Result<std::vector<ValueLabel>> read_labels(const Node& row, const DimensionNames& names, LabelReading& reading) {
  VALENCE_TRY(const auto node, row.at("value_types"));
  VALENCE_TRY(const auto types, node.as_strings());
  auto collected = collect(types, names, reading);
  if (!collected) return tl::unexpected(with_context(collected.error(), to_string(node.position())));
  std::vector<ValueLabel> labels;
  for (const auto& dimension : *collected) {
    reading.repeated += dimension.count > 1 ? 1 : 0;
    reading.ties += dimension.count > 1 && dimension.sum == 0 ? 1 : 0;
    labels.push_back(dimension.settled());
  }
  return labels;
}

/// "Human: q\nBob: a"; what follows the first "Bob:" at the beginning of a line is the answer.
Result<PromptedText> split_dialogue(const Node& node) {
  VALENCE_TRY(const auto dialogue, node.as_string());
  const auto bob = dialogue.find(kBob);
  if (!dialogue.starts_with(kHuman) || bob == std::string::npos) {
    return tl::unexpected(node.error("\"dialogue\" should read \"Human: …\", then on a line of its own \"Bob: …\""));
  }
  return PromptedText{trim(std::string_view(dialogue).substr(kHuman.size(), bob - kHuman.size())),
                      trim(std::string_view(dialogue).substr(bob + kBob.size()))};
}

}  // namespace

Result<PromptedText> prompted_text(const Node& row) {
  if (const auto* dialogue = row.find("dialogue")) return split_dialogue(*dialogue);
  PromptedText text;
  VALENCE_TRY(text.prompt, row.string_at("prompt"));
  VALENCE_TRY(text.response, row.string_at("response"));
  return text;
}

Result<LabelledResponse> labelled_response(const Node& line, const DimensionNames& names, LabelReading& reading) {
  LabelledResponse row;
  VALENCE_TRY(row.text, prompted_text(line));
  VALENCE_TRY(row.responder, line.string_or("response_source", ""));
  VALENCE_TRY(row.labels, read_labels(line, names, reading));
  return row;
}

LabelledData LabelledData::subset(std::span<const std::size_t> which) const {
  LabelledData part{names, {}, {}, auxiliary};
  for (const auto row : which) part.rows.push_back(rows[row]);
  return part;
}

Result<LabelledData> with_auxiliary(LabelledData data, const LabelledData& more) {
  if (more.names.space != data.names.space || more.names.dimensions != data.names.dimensions) {
    return fail(ErrorCode::kMismatch, "the labels speak of {}, the further ones of {}", data.names.space,
                more.names.space);
  }
  std::set<std::string> judged;
  for (const auto& row : data.rows) judged.insert({prompt_key(row.text.prompt), response_id(row.text)});
  judged.erase("");
  for (const auto& row : more.rows) {
    if (!judged.contains(prompt_key(row.text.prompt)) && !judged.contains(response_id(row.text))) continue;
    return fail(ErrorCode::kMismatch,
                "the further labels share a prompt with those that are judged by (\"{}\"): figures would flatter",
                row.text.prompt);
  }
  data.auxiliary.insert(data.auxiliary.end(), more.rows.begin(), more.rows.end());
  return data;
}

Result<LabelledData> parse_labelled(std::string_view text, std::string_view name, const DimensionNames& names) {
  VALENCE_TRY(const auto lines, parse_jsonl(text, name));
  LabelledData data{names, {}, {}};
  for (const auto& line : lines) {
    VALENCE_TRY(auto row, labelled_response(line, names, data.reading));
    data.rows.push_back(std::move(row));
  }
  if (data.rows.empty())
    return fail(ErrorCode::kUsage, "{}: no labelled responses; expected one JSON object per line", name);
  return data;
}

Result<LabelledData> read_labelled(const std::filesystem::path& path, const DimensionNames& names) {
  VALENCE_TRY(const auto text, read_file(path));
  return parse_labelled(text, path.string(), names);
}

Result<std::filesystem::path> fulcra_path() {
  VALENCE_TRY(const auto data, data_folder());
  return data / "evaluate" / "fulcra" / "trustworthy.jsonl";
}

std::string prompt_key(std::string_view prompt) { return join(words(prompt), " "); }

std::string response_id(const PromptedText& text) {
  return Hasher().add(text.prompt).add(text.response).finish().hex().substr(0, 16);
}

std::vector<std::string> prompt_keys(std::span<const LabelledResponse> rows) {
  std::vector<std::string> keys;
  for (const auto& row : rows) keys.push_back(prompt_key(row.text.prompt));
  return keys;
}

std::vector<PromptedText> texts_of(std::span<const LabelledResponse> rows) {
  std::vector<PromptedText> texts;
  for (const auto& row : rows) texts.push_back(row.text);
  return texts;
}

std::vector<ValueLabel> labels_of(std::span<const LabelledResponse> rows) {
  std::vector<ValueLabel> labels;
  for (const auto& row : rows) labels.insert(labels.end(), row.labels.begin(), row.labels.end());
  return labels;
}

}  // namespace valence
