#include "training_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "valence/base/json.h"

namespace valence {
namespace {

using Optional = std::optional<double> TrainingStep::*;

// In the order of the table's columns.
constexpr std::array<Optional, 9> kOptional{
    &TrainingStep::accuracy,        &TrainingStep::margin,        &TrainingStep::reward_chosen,
    &TrainingStep::reward_rejected, &TrainingStep::reward,        &TrainingStep::kl,
    &TrainingStep::entropy,         &TrainingStep::clip_fraction, &TrainingStep::length};
constexpr std::string_view kColumns =
    "step, examples, tokens, loss, learning_rate, gradient_norm, seconds, accuracy, margin, reward_chosen, "
    "reward_rejected, reward, kl, "
    "entropy, clip_fraction, length, phases, others";
constexpr int kFirstOptional = 7;

bool finite(const std::map<std::string, double>& figures) {
  return std::ranges::all_of(figures, [](const auto& figure) { return std::isfinite(figure.second); });
}

Result<void> check(const TrainingStep& step) {
  bool good = std::isfinite(step.loss) && std::isfinite(step.learning_rate) && std::isfinite(step.gradient_norm) &&
              std::isfinite(step.seconds);
  for (const auto field : kOptional) good = good && std::isfinite((step.*field).value_or(0.0));
  if (good && finite(step.phases) && finite(step.others)) return {};
  return fail(ErrorCode::kInvalid, "training step {} holds a number that is not finite", step.step);
}

Result<std::map<std::string, double>> figures_of(const std::string& text) {
  VALENCE_TRY(const auto json, parse_json(text, "a training step's figures"));
  std::map<std::string, double> figures;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_number()) return fail(ErrorCode::kCorrupt, "a training step's figures are damaged: {}", text);
    figures[name] = value.template get<double>();
  }
  return figures;
}

Result<TrainingStep> read_step(const Statement& row) {
  TrainingStep step;
  step.step = row.integer(0);
  step.examples = row.integer(1);
  step.tokens = row.integer(2);
  step.loss = row.real(3);
  step.learning_rate = row.real(4);
  step.gradient_norm = row.real(5);
  step.seconds = row.real(6);
  int column = kFirstOptional;
  for (const auto field : kOptional) step.*field = row.optional_real(column++);
  VALENCE_TRY(step.phases, figures_of(row.text(column)));
  VALENCE_TRY(step.others, figures_of(row.text(column + 1)));
  return step;
}

}  // namespace

Result<void> put_training_step(const Database& database, RunId run, const TrainingStep& step) {
  VALENCE_CHECK(check(step));
  VALENCE_TRY(auto insert, database.prepare(fmt::format(
                               "INSERT OR REPLACE INTO training_steps (run, {}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, "
                               "?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                               kColumns)));
  insert.bind(run).bind(step.step).bind(step.examples).bind(step.tokens);
  insert.bind(step.loss).bind(step.learning_rate).bind(step.gradient_norm).bind(step.seconds);
  for (const auto field : kOptional) insert.bind_optional(step.*field);
  return insert.bind(to_text(Json(step.phases))).bind(to_text(Json(step.others))).execute();
}

Result<std::vector<TrainingStep>> training_steps(const Database& database, RunId run) {
  VALENCE_TRY(auto select,
              database.prepare(fmt::format("SELECT {} FROM training_steps WHERE run = ? ORDER BY step", kColumns)));
  select.bind(run);
  std::vector<TrainingStep> steps;
  for (;;) {
    VALENCE_TRY(const bool found, select.step());
    if (!found) return steps;
    VALENCE_TRY(auto step, read_step(select));
    steps.push_back(std::move(step));
  }
}

Result<void> put_artefact(const Database& database, RunId run, const Artefact& artefact) {
  VALENCE_TRY(auto insert,
              database.prepare("INSERT OR REPLACE INTO artefacts (run, kind, path, sha256) VALUES (?, ?, ?, ?)"));
  return insert.bind(run).bind(artefact.kind).bind(artefact.path).bind(artefact.sha256).execute();
}

Result<std::vector<Artefact>> artefacts(const Database& database, RunId run) {
  VALENCE_TRY(auto select, database.prepare("SELECT kind, path, sha256 FROM artefacts WHERE run = ? ORDER BY kind"));
  select.bind(run);
  std::vector<Artefact> found;
  for (;;) {
    VALENCE_TRY(const bool row, select.step());
    if (!row) return found;
    found.push_back({select.text(0), select.text(1), select.text(2)});
  }
}

}  // namespace valence
