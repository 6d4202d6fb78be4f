#include "valence/instruments/content_test.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"
#include "valence/stats/max_entropy.h"
#include "valence/stats/position.h"
#include "valence/values/space.h"

namespace valence {
namespace {

constexpr double kChanceOfPairs = 0.5;
constexpr double kRoundingOfShares = 1e-9;  // a share that only rounding puts above chance is at chance
constexpr double kSameMean = 1e-6;          // steps of the scale

/// A scored row and what the target answers to it.
struct Held {
  const AnswerRow* row;
  const std::vector<double>* answer;
};

std::vector<Held> held_against(const AnswerTable& table, const AnswerKey& key) {
  std::vector<Held> held;
  for (const auto& row : table.rows) {
    const auto* answer = key.find(row);
    if (answer != nullptr && row.status == Status::kScored && row.probability.size() == answer->size())
      held.push_back({&row, answer});
  }
  return held;
}

// ---- options

std::size_t supported(const std::vector<double>& answer) {
  return static_cast<std::size_t>(std::ranges::count_if(answer, [](double p) { return p > 0.0; }));
}

bool tells(const std::vector<double>& answer) { return supported(answer) < answer.size(); }

bool parts_from(const std::vector<double>& answer, const std::vector<double>& rival) {
  for (std::size_t i = 0; i < answer.size(); ++i) {
    if (answer[i] > 0.0 && rival[i] > 0.0) return false;
  }
  return true;
}

double probability_on(const Held& held) {
  double sum = 0.0;
  for (std::size_t i = 0; i < held.answer->size(); ++i) sum += (*held.answer)[i] > 0.0 ? held.row->probability[i] : 0.0;
  return sum;
}

/// The best that a fixed place can do, at least what uniform answers do.
double chance_of(const std::vector<Held>& held) {
  std::vector<double> right;
  double uniform = 0.0;
  for (const auto& [row, answer] : held) {
    right.resize(std::max(right.size(), answer->size()), 0.0);
    for (std::size_t i = 0; i < answer->size(); ++i) {
      if ((*answer)[i] > 0.0 && i < row->place.size()) right[row->place[i]] += 1.0;
    }
    uniform += static_cast<double>(supported(*answer)) / static_cast<double>(answer->size());
  }
  right.push_back(uniform);
  return *std::ranges::max_element(right) / static_cast<double>(held.size());
}

ContentScore score_of(const std::map<std::string, std::vector<double>>& by_unit, std::string_view unit) {
  ContentScore score;
  std::vector<double> means;
  for (const auto& [name, values] : by_unit) {
    score.by_unit[name] = stats::mean(values);
    means.push_back(score.by_unit[name]);
  }
  score.accuracy = within(stats::student_mean(means, unit), 0.0, 1.0);
  return score;
}

ContentScore option_score(const std::vector<Held>& held, std::string_view unit) {
  std::map<std::string, std::vector<double>> by_unit;
  std::set<std::string> items;
  for (const auto& one : held) {
    by_unit[one.row->unit].push_back(probability_on(one));
    items.insert(one.row->condition + "/" + one.row->item);
  }
  auto score = score_of(by_unit, unit);
  score.chance = chance_of(held);
  score.questions = items.size();
  return score;
}

/// The same target turned to another direction.
Target turned_to(Target target, const std::string& direction) {
  for (auto& [dimension, value] : target.values) value = dimension == direction ? 0.0 : kUndefined;
  return target;
}

Result<std::vector<ContentScore>> rival_scores(const Instrument& instrument, const Settings& settings,
                                               const std::vector<Held>& held, const Target& target) {
  VALENCE_TRY(const auto space, load_space(target.space));
  VALENCE_TRY(const auto own, only_direction(target));
  std::vector<ContentScore> scores;
  for (const auto& direction : space.dimensions) {
    if (direction.id == own) continue;
    VALENCE_TRY(const auto rival, instrument.answer_key(turned_to(target, direction.id), settings));
    std::vector<Held> telling;
    std::ranges::copy_if(held, std::back_inserter(telling), [&](const Held& one) {
      const auto* theirs = rival.find(*one.row);
      return theirs != nullptr && parts_from(*one.answer, *theirs);
    });
    if (telling.empty()) continue;
    scores.push_back(option_score(telling, instrument.card().random_unit));
    scores.back().against = direction.id;
  }
  return scores;
}

Result<std::vector<ContentScore>> option_scores(const Instrument& instrument, const Settings& settings,
                                                std::vector<Held> held, const Target& target) {
  std::erase_if(held, [](const Held& one) { return !tells(*one.answer); });
  if (held.empty())
    return fail(ErrorCode::kUsage, "no question that was answered tells whether answers follow {}", target.id);
  std::vector<ContentScore> scores = {option_score(held, instrument.card().random_unit)};
  VALENCE_TRY(auto rivals, rival_scores(instrument, settings, held, target));
  std::ranges::move(rivals, std::back_inserter(scores));
  return scores;
}

// ---- scales

struct ItemMeans {
  double target = 0.0;
  std::vector<double> answers;  ///< over layouts
};

/// Share of the pairs that the target orders which the answers order alike; ties half. NaN without a pair.
double pairs_in_order(const std::map<std::string, ItemMeans>& items) {
  double right = 0.0, pairs = 0.0;
  for (auto a = items.begin(); a != items.end(); ++a) {
    for (auto b = std::next(a); b != items.end(); ++b) {
      const double wanted = a->second.target - b->second.target;
      if (std::abs(wanted) < kSameMean) continue;
      const double given = stats::mean(a->second.answers) - stats::mean(b->second.answers);
      right += std::abs(given) < kSameMean ? 0.5 : (given > 0.0) == (wanted > 0.0) ? 1.0 : 0.0;
      pairs += 1.0;
    }
  }
  return pairs > 0.0 ? right / pairs : kUndefined;
}

Result<std::vector<ContentScore>> scale_scores(const Instrument& instrument, const std::vector<Held>& held,
                                               const Target& target) {
  std::map<std::string, std::map<std::string, ItemMeans>> units;
  std::set<std::string> items;
  for (const auto& [row, answer] : held) {
    auto& item = units[row->unit][row->item];
    item.target = stats::mean_step(*answer);
    item.answers.push_back(stats::mean_step(row->probability));
    items.insert(row->item);
  }
  std::map<std::string, std::vector<double>> by_unit;
  for (const auto& [unit, means] : units) {
    const double share = pairs_in_order(means);
    if (!std::isnan(share)) by_unit[unit].push_back(share);
  }
  if (by_unit.empty())
    return fail(ErrorCode::kUsage, "no two items that were answered are apart in {}: there is no order to follow",
                target.id);
  auto score = score_of(by_unit, instrument.card().random_unit);
  score.chance = kChanceOfPairs;
  score.questions = items.size();
  return std::vector{std::move(score)};
}

// ---- both

double position_of(const std::vector<Held>& held) {
  std::vector<stats::PlacedAnswer> placed;
  std::map<std::string, std::size_t> items;
  for (const auto& [row, answer] : held) {
    if (row->format != AnswerFormat::kLetter || row->place.size() != row->probability.size()) continue;
    const auto item = items.emplace(row->unit + "/" + row->condition + "/" + row->item, items.size()).first->second;
    placed.push_back({item, row->probability, row->place, 1.0});
  }
  const auto bias = stats::position_bias(placed);
  return bias && !placed.empty() ? bias->bias : kUndefined;
}

Estimate letter_mass_of(const std::vector<Held>& held, std::string_view unit) {
  std::map<std::string, std::vector<double>> by_unit;
  for (const auto& [row, answer] : held) {
    if (row->format == AnswerFormat::kLetter && row->route == Route::kExact)
      by_unit[row->unit].push_back(row->captured_mass);
  }
  return by_unit.empty() ? Estimate{} : score_of(by_unit, unit).accuracy;
}

std::string where_of(const ContentScore& score) {
  return score.against.empty() ? "on all questions"
                               : fmt::format("where the {} direction would answer otherwise", score.against);
}

}  // namespace

bool ContentScore::shown() const { return accuracy.has_interval() && accuracy.low > chance + kRoundingOfShares; }

bool ContentTest::passed() const {
  return interpretable && std::ranges::all_of(scores, [](const ContentScore& score) { return score.shown(); });
}

std::string ContentTest::objection() const {
  std::vector<std::string> words;
  for (const auto& score : scores) {
    if (!score.shown())
      words.push_back(fmt::format("{} {} against {} by chance", where_of(score), figure_text(score.accuracy),
                                  significant(score.chance)));
  }
  if (!interpretable) words.push_back(gate.empty() ? std::string("the validity gate was not passed") : gate);
  return join(words, "; ");
}

Result<void> require_right_answers(const Target& target) {
  if (!target.opinions) return {};
  return fail(
      ErrorCode::kUsage,
      "the content test asks how often a target's answer is given, and {} holds shares of people, by which none "
      "is right: always giving the most common one would pass best. Hold the run against it by a gap (valence "
      "gap RUN --target FILE, or a gap step)",
      target.id);
}

Result<ContentTest> content_test(const Instrument& instrument, const ComparedRun& run, const Target& target,
                                 const Validity& validity) {
  VALENCE_CHECK(require_right_answers(target));
  VALENCE_TRY(const auto key, instrument.answer_key(target, *run.settings));
  const auto headline = instrument.headline(*run.answers, *run.settings);
  const auto held = held_against(headline, key);
  if (held.empty())
    return fail(ErrorCode::kUsage, "{}: no answer is to a question that target {} answers", instrument.card().id,
                target.id);
  ContentTest test;
  test.rule = key.rule;
  auto scores =
      key.is_scale ? scale_scores(instrument, held, target) : option_scores(instrument, *run.settings, held, target);
  if (!scores) return tl::unexpected(std::move(scores).error());
  test.scores = *std::move(scores);
  test.position = position_of(held);
  test.letter_mass = letter_mass_of(held, instrument.card().random_unit);
  test.interpretable = validity.interpretable();
  test.gate = validity.assessed ? validity.reason() : validity.note;
  return test;
}

std::optional<Estimate> accuracy_gain(const ContentTest& before, const ContentTest& after) {
  std::vector<double> first, second;
  for (const auto& [unit, value] : before.scores.front().by_unit) {
    const auto found = after.scores.front().by_unit.find(unit);
    if (found == after.scores.front().by_unit.end()) continue;
    first.push_back(value);
    second.push_back(found->second);
  }
  if (first.size() < 2) return std::nullopt;
  return within(stats::student_paired(first, second, after.scores.front().accuracy.unit), -1.0, 1.0);
}

Json to_json(const ContentTest& test) {
  Json json = {{"passed", test.passed()},
               {"objection", test.objection()},
               {"rule", test.rule},
               {"position", number_or_null(test.position)},
               {"letter_mass", to_json(test.letter_mass)},
               {"interpretable", test.interpretable},
               {"scores", Json::array()}};
  for (const auto& score : test.scores) {
    json["scores"].push_back({{"against", score.against},
                              {"accuracy", to_json(score.accuracy)},
                              {"chance", score.chance},
                              {"questions", score.questions},
                              {"shown", score.shown()}});
  }
  return json;
}

}  // namespace valence
