#include "valence/exam/validity.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "agreement.h"
#include "valence/exam/checks.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/exam/probes.h"
#include "valence/stats/bootstrap.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"
#include "valence/stats/resample.h"

namespace valence {
namespace {

using Rows = std::vector<const AnswerRow*>;

bool is_scored(const AnswerRow& row) { return row.status == Status::kScored; }

template <class Keep>
Rows rows_of(const std::vector<AnswerRow>& table, Keep keep) {
  Rows rows;
  for (const auto& row : table) {
    if (keep(row)) rows.push_back(&row);
  }
  return rows;
}

Rows scored_probes(const AnswerTable& table) {
  return rows_of(table.probes, [](const auto& row) { return is_scored(row) && row.condition != kAgreementCondition; });
}

/// Values per key, in order of the keys' first appearance.
class Grouped {
 public:
  void add(const std::string& key, double value) {
    const auto [entry, is_new] = index_.try_emplace(key, values_.size());
    if (is_new) values_.emplace_back();
    values_[entry->second].push_back(value);
  }

  std::vector<double> means() const {
    std::vector<double> out;
    for (const auto& group : values_) out.push_back(stats::mean(group));
    return out;
  }

 private:
  std::map<std::string, std::size_t> index_;
  std::vector<std::vector<double>> values_;
};

/// Chance at 0, certainty at 1.
double beyond_chance(double share, std::size_t options) {
  const double chance = 1.0 / static_cast<double>(options);
  return (share - chance) / (1.0 - chance);
}

// ---- the instrument's own rows

Estimate captured_mass(const Rows& rows) {
  Grouped units;
  for (const auto* row : rows) units.add(row->unit, row->captured_mass);
  return clamped(stats::student_mean(units.means(), "unit"), 0.0, 1.0);
}

/// Share of a row's draws that could not be read; of an exact row, all or nothing.
double unread(const AnswerRow& row) {
  if (!is_scored(row)) return 1.0;
  return row.route == Route::kSampled ? 1.0 - row.captured_mass : 0.0;
}

Estimate refusal_rate(const std::vector<AnswerRow>& rows) {
  std::vector<double> shares;
  for (const auto& row : rows) shares.push_back(unread(row));
  return stats::wilson(stats::pairwise_sum(shares), shares.size(), "answer");
}

/// One question's answer averaged over its layouts.
struct Averaged {
  std::string unit;
  std::vector<double> sum;
  double rows = 0.0;
  std::size_t draws = 0;
};

std::vector<Averaged> averaged_over_layouts(const Rows& rows) {
  using Key = std::tuple<std::string, std::string, std::string, std::string, AnswerFormat, std::size_t>;
  std::map<Key, std::size_t> index;
  std::vector<Averaged> questions;
  for (const auto* row : rows) {
    const auto options = row->probability.size();
    const Key key{row->unit, row->condition, row->item, row->variant, row->format, options};
    const auto [entry, is_new] = index.try_emplace(key, questions.size());
    if (is_new) questions.push_back({row->unit, std::vector<double>(options, 0.0), 0.0, 0});
    auto& question = questions[entry->second];
    for (std::size_t i = 0; i < options; ++i) question.sum[i] += row->probability[i];
    question.rows += 1.0;
    question.draws += row->draws;
  }
  return questions;
}

double distance_from_uniform(Averaged question) {
  for (auto& value : question.sum) value /= question.rows;
  const auto uniform = stats::uniform_distribution(question.sum.size());
  return stats::total_variation(question.sum, uniform) - expected_distance(uniform, question.draws);
}

Estimate uniform_distance(const Rows& rows) {
  Grouped units;
  for (const auto& question : averaged_over_layouts(rows)) units.add(question.unit, distance_from_uniform(question));
  return clamped(stats::student_mean(units.means(), "unit"), -1.0, 1.0);
}

// ---- probes

/// Mean probability of each place per block: columns[place][block], blocks in order of first appearance.
std::vector<std::vector<double>> place_columns(const Rows& rows) {
  std::vector<Grouped> by_place(rows.empty() ? 0 : rows.front()->place.size());
  for (const auto* row : rows) {
    for (std::size_t i = 0; i < row->place.size(); ++i) by_place.at(row->place[i]).add(row->unit, row->probability[i]);
  }
  std::vector<std::vector<double>> columns;
  for (const auto& place : by_place) columns.push_back(place.means());
  return columns;
}

/// stats::position_bias of the probes, with what does not change from replicate to replicate computed once.
Estimate position_bias(const Rows& rows) {
  const auto columns = place_columns(rows);
  const auto blocks = columns.empty() ? 0 : columns.front().size();
  const auto uniform = columns.empty() ? std::vector<double>() : stats::uniform_distribution(columns.size());
  const auto bias = [&](std::span<const double> weights) {
    std::vector<double> share;
    for (const auto& column : columns) share.push_back(stats::weighted_mean(column, weights));
    return std::vector{stats::total_variation(share, uniform)};
  };
  const auto replicates = stats::replicate(bias, blocks, {}, stats::kDefaultReplicates, 0);
  if (!replicates) return {};  // nothing was scored
  return clamped(stats::intervals(*replicates, "block of probes").front(), 0.0, 1.0);
}

Estimate content_sensitivity(const Rows& rows) {
  Grouped blocks;
  for (const auto* row : rows) blocks.add(row->unit, beyond_chance(row->probability.front(), row->probability.size()));
  return clamped(stats::student_mean(blocks.means(), "block of probes"), -1.0, 1.0);
}

std::vector<std::size_t> most_probable(const std::vector<double>& probability) {
  constexpr double kTie = 1e-9;
  const double top = *std::ranges::max_element(probability);
  std::vector<std::size_t> best;
  for (std::size_t i = 0; i < probability.size(); ++i) {
    if (probability[i] >= top - kTie) best.push_back(i);
  }
  return best;
}

/// Probability of the same choice when ties are broken evenly and independently.
double same_choice(const AnswerRow& one, const AnswerRow& other) {
  const auto first = most_probable(one.probability);
  const auto second = most_probable(other.probability);
  std::vector<std::size_t> both;
  std::ranges::set_intersection(first, second, std::back_inserter(both));
  return static_cast<double>(both.size()) / static_cast<double>(first.size() * second.size());
}

Estimate wording_consistency(const Rows& rows) {
  std::map<std::string, Rows> by_item;
  for (const auto* row : rows) by_item[row->item].push_back(row);
  Grouped blocks;
  for (const auto& [item, asked] : by_item) {
    for (std::size_t i = 0; i < asked.size(); ++i) {
      for (std::size_t j = i + 1; j < asked.size(); ++j) {
        blocks.add(asked[i]->unit, beyond_chance(same_choice(*asked[i], *asked[j]), asked[i]->probability.size()));
      }
    }
  }
  return clamped(stats::student_mean(blocks.means(), "block of probes"), -1.0, 1.0);
}

/// Distances between the probes' exact answers and the sampled text to the same questions.
std::vector<double> text_distances(const AnswerTable& table) {
  std::map<std::pair<std::string, std::string>, const AnswerRow*> exact;
  for (const auto* row : scored_probes(table)) exact[{row->item, row->variant}] = row;
  std::vector<double> distances;
  for (const auto& row : table.probes) {
    const auto found = exact.find({row.item, row.variant});
    if (row.condition != kAgreementCondition || found == exact.end()) continue;
    const auto& p = found->second->probability;
    distances.push_back(is_scored(row) ? stats::total_variation(p, row.probability) - expected_distance(p, row.draws)
                                       : 1.0);
  }
  return distances;
}

// ---- checks

ValidityCheck text_agreement(const AnswerTable& table, const GateThresholds& thresholds) {
  const Declared declared{"text_agreement", "first-token probabilities against sampled text", thresholds.text_agreement, false};
  const bool asked = std::ranges::find(table.probes, kAgreementCondition, &AnswerRow::condition) != table.probes.end();
  auto check = judged(declared, clamped(stats::student_mean(text_distances(table), "question"), -1.0, 1.0), thresholds);
  if (asked) return check;
  check.label += " (not assessed: the model cannot be asked in both ways)";
  check.passed = true;
  return check;
}

Result<std::vector<std::pair<std::string, std::string>>> read_advice(const Node& root, std::string_view key) {
  VALENCE_TRY(const auto node, root.at(key));
  VALENCE_TRY(const auto table, node.as_table());
  std::vector<std::pair<std::string, std::string>> advice;
  for (const auto& [id, entry] : table) {
    VALENCE_TRY(auto text, entry.as_string());
    advice.emplace_back(id, std::move(text));
  }
  return advice;
}

std::string advice_for(std::string_view id, const std::vector<std::pair<std::string, std::string>>& advice) {
  const auto found = std::ranges::find(advice, id, &std::pair<std::string, std::string>::first);
  return found == advice.end() ? std::string() : found->second;
}

/// Says which format the probes, all of one, were answered in; text is advised where it was not tried.
void settle_format(Validity& validity, const std::vector<AnswerRow>& probes, const GateThresholds& gate) {
  const bool in_text = std::ranges::all_of(probes, [](const AnswerRow& row) { return row.format == AnswerFormat::kText; });
  validity.note = fmt::format("probe questions were answered {}", in_text ? "in text" : "by letter");
  if (in_text) return;
  for (auto& check : validity.checks) {
    if (const auto before = advice_for(check.id, gate.before_by_letter); !before.empty()) check.advice = fmt::format("{}, or {}", before, check.advice);
  }
}

}  // namespace

ValidityCheck judged(const Declared& declared, Estimate estimate, const GateThresholds& thresholds) {
  ValidityCheck check;
  check.id = declared.id;
  check.label = declared.label;
  check.threshold = declared.threshold;
  check.at_least = declared.at_least;
  check.passed = declared.at_least ? estimate.value >= check.threshold : estimate.value <= check.threshold;
  check.estimate = std::move(estimate);
  check.advice = advice_for(check.id, thresholds.advice);
  return check;
}

Estimate clamped(Estimate estimate, double low, double high) {
  constexpr double kRounding = 1e-9;
  if (std::abs(estimate.value) < kRounding) estimate.value = 0.0;
  estimate.low = std::isnan(estimate.low) ? estimate.low : std::clamp(estimate.low, low, high);
  estimate.high = std::isnan(estimate.high) ? estimate.high : std::clamp(estimate.high, low, high);
  return estimate;
}

Result<GateThresholds> gate_thresholds() {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto root, read_toml(data / "exam" / "gate.toml"));
  VALENCE_CHECK(root.allow_only({"thresholds", "advice", "before_by_letter"}));
  VALENCE_TRY(const auto node, root.at("thresholds"));
  VALENCE_CHECK(node.allow_only({"captured_mass", "position_bias", "content_sensitivity", "wording_consistency",
                                 "text_agreement", "refusal_rate", "uniform_distance", "evasion", "transport", "item_spread"}));
  GateThresholds gate;
  VALENCE_TRY(gate.captured_mass, node.number_at("captured_mass"));
  VALENCE_TRY(gate.position_bias, node.number_at("position_bias"));
  VALENCE_TRY(gate.content_sensitivity, node.number_at("content_sensitivity"));
  VALENCE_TRY(gate.wording_consistency, node.number_at("wording_consistency"));
  VALENCE_TRY(gate.text_agreement, node.number_at("text_agreement"));
  VALENCE_TRY(gate.refusal_rate, node.number_at("refusal_rate"));
  VALENCE_TRY(gate.uniform_distance, node.number_at("uniform_distance"));
  VALENCE_TRY(gate.evasion, node.number_at("evasion"));
  VALENCE_TRY(gate.transport, node.number_at("transport"));
  VALENCE_TRY(gate.item_spread, node.number_at("item_spread"));
  VALENCE_TRY(gate.advice, read_advice(root, "advice"));
  VALENCE_TRY(gate.before_by_letter, read_advice(root, "before_by_letter"));
  return gate;
}

double probe_accuracy(const std::vector<AnswerRow>& probes) {
  std::vector<double> right;
  for (const auto& row : probes) {
    if (row.condition == kAgreementCondition) continue;
    right.push_back(is_scored(row) ? row.probability.front() : 0.0);
  }
  return stats::mean(right);
}

Validity assess(const AnswerTable& table, const GateThresholds& gate) {
  Validity validity;
  if (table.probes.empty()) {
    validity.note = "no probe questions were put";
    return validity;
  }
  validity.assessed = true;
  const auto probes = scored_probes(table);
  const auto scored = rows_of(table.rows, is_scored);
  const auto letters = rows_of(table.rows, [](const auto& row) {
    return is_scored(row) && row.route == Route::kExact && row.format == AnswerFormat::kLetter;
  });
  const auto add = [&](const Declared& declared, Estimate estimate) {
    validity.checks.push_back(judged(declared, std::move(estimate), gate));
  };
  if (!letters.empty()) {
    add({"captured_mass", "probability on the labels offered", gate.captured_mass, true}, captured_mass(letters));
  }
  add({"position_bias", "pull of the place, whatever stands there", gate.position_bias, false}, position_bias(probes));
  add({"content_sensitivity", "right answers to probe questions, beyond chance", gate.content_sensitivity, true},
      content_sensitivity(probes));
  add({"wording_consistency", "same answer under another wording, beyond chance", gate.wording_consistency, true},
      wording_consistency(probes));
  validity.checks.push_back(text_agreement(table, gate));
  add({"refusal_rate", "answers refused or not readable", gate.refusal_rate, false}, refusal_rate(table.rows));
  add({"uniform_distance", "distance of the answers from uniform ones", gate.uniform_distance, true}, uniform_distance(scored));
  settle_format(validity, table.probes, gate);
  return validity;
}

}  // namespace valence
