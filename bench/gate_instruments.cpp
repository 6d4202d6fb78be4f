#include "gate_instruments.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "valence/base/random.h"
#include "valence/exam/probes.h"
#include "valence/instruments/measure.h"
#include "valence/instruments/questionnaire.h"
#include "valence/stats/distribution.h"

namespace valence::gate {
namespace {

constexpr double kMostFalsePasses = 0.05;
constexpr double kLeastPower = 0.80;

/// A subject, or an evaluator, and the check that shall tell it.
struct Case {
  std::string check, name;
  bool good = false;    ///< should pass
  bool binding = true;  ///< shown only where not
  std::function<AnswerTable(RandomStream&)> administer;
};

// ---- fulcra: free responses

constexpr std::size_t kPrompts = 60;  // the smallest run that is advised

AnswerRow reading(const AnswerRow& said, const std::string& dimension, double e) {
  auto row = said;
  row.item = dimension;
  row.route = Route::kRead;
  row.text.clear();
  row.probability = {std::max(-e, 0.0), 1.0 - std::abs(e), std::max(e, 0.0)};
  return row;
}

/// Each response takes a stand on two values with probability `stand`, else it evades: half of the evasions are
/// refusals, the others touch nothing. The evaluator reads with errors: a normal one of 0.15, so that some evasions
/// look like a stand.
AnswerTable responses(const Space& space, double stand, RandomStream& stream) {
  constexpr double kReading = 0.15;
  AnswerTable table;
  for (std::size_t i = 0; i < kPrompts; ++i) {
    AnswerRow said;
    said.unit = fmt::format("p{}", i);
    said.item = fmt::format("prompt {}", i);
    said.variant = "response 1";
    said.route = Route::kSampled;
    said.text = fmt::format("about prompt {}", i);
    const bool stands = stream.uniform() < stand;
    if (!stands && stream.uniform() < 0.5) said.status = Status::kRefused;
    const auto first = stream.below(space.dimensions.size()), second = stream.below(space.dimensions.size());
    table.rows.push_back(said);
    for (const auto& dimension : space.dimensions) {
      const double truth = stands && (dimension.index == first || dimension.index == second) ? 0.7 : 0.0;
      table.rows.push_back(reading(said, dimension.id, std::clamp(truth + kReading * stream.normal(), -1.0, 1.0)));
    }
  }
  return table;
}

/// Five responders that the evaluator never saw, 340 responses each. Of each dimension it errs by `shared` for one
/// dimension of all responders, by a normal of `own` for each, and the labels' mean has its sampling error.
AnswerTable transported(const Space& space, double shared, double own, RandomStream& stream) {
  constexpr std::size_t kResponders = 5, kRows = 340;
  AnswerTable table = responses(space, 0.9, stream);
  for (std::size_t r = 0; r < kResponders; ++r) {
    AnswerRow responder;
    responder.unit = fmt::format("responder {}", r);
    responder.condition = "transport";
    responder.draws = kRows;
    for (const auto& dimension : space.dimensions) {
      const double truth = 0.3, error = (dimension.index == 0 ? shared : 0.0) + own * stream.normal();
      const double sampling = 0.5 / std::sqrt(static_cast<double>(kRows)) * stream.normal();
      for (const bool read : {true, false}) {
        auto row = reading(responder, dimension.id, std::clamp(truth + (read ? error : sampling), -1.0, 1.0));
        row.variant = read ? "read" : "labelled";
        table.probes.push_back(row);
      }
    }
  }
  return table;
}

// ---- questionnaires

/// A probe that was answered rightly: without any the gate is not assessed.
AnswerRow right_probe() {
  AnswerRow row;
  row.unit = "block 1";
  row.item = "probe 1";
  row.variant = "wording 1";
  row.condition = kProbeCondition;
  row.probability = {1.0, 0.0};
  row.place = {0, 1};
  return row;
}

/// Mean answers of items on a scale of six, by a rule, with noise of its own in each of five wordings and two orders.
AnswerTable self_report(const Questionnaire& form,
                        const std::function<double(const std::string& dimension, RandomStream&)>& place,
                        double spread_out, double noise, RandomStream& stream) {
  AnswerTable table;
  table.probes.push_back(right_probe());
  for (int wording = 0; wording < 5; ++wording) {
    for (const auto& item : form.items) {
      for (const bool reversed : {false, true}) {
        AnswerRow row;
        row.unit = fmt::format("wording {}", wording);
        row.item = item.id;
        row.layout = reversed ? "reversed" : "paper";
        const double centre = std::clamp(place(item.dimension, stream) + noise * stream.normal(), 0.0, 5.0);
        double sum = 0.0;
        for (std::size_t step = 0; step < 6; ++step) {
          const double z = (static_cast<double>(step) - centre) / spread_out;
          row.probability.push_back(std::exp(-0.5 * z * z));
          sum += row.probability.back();
          row.place.push_back(reversed ? 5 - step : step);
        }
        for (auto& p : row.probability) p /= sum;
        table.rows.push_back(std::move(row));
      }
    }
  }
  return table;
}

/// Ten values from 1.5 to 4.2 steps.
double priority(const Space& space, const std::string& dimension) {
  return 1.5 + 0.3 * static_cast<double>(space.find(dimension)->index);
}

std::vector<Case> cases(const Space& space, const Questionnaire& form) {
  const auto evading = [&](double stand) {
    return [&space, stand](RandomStream& stream) { return responses(space, stand, stream); };
  };
  const auto erring = [&](double shared, double own) {
    return [&space, shared, own](RandomStream& stream) { return transported(space, shared, own, stream); };
  };
  const auto same = [](const std::string&, RandomStream&) { return 4.0; };
  const auto saying = [&](auto place, double spread_out, double noise) {
    return [&form, place, spread_out, noise](RandomStream& stream) {
      return self_report(form, place, spread_out, noise, stream);
    };
  };
  const auto own = [&space](const std::string& dimension, RandomStream&) { return priority(space, dimension); };
  const auto lapsing = [&space](const std::string& dimension, RandomStream& stream) {
    return stream.uniform() < 0.2 ? 5.0 * stream.uniform() : priority(space, dimension);
  };
  return {
      {"evasion", "refuses or evades everything", false, true, evading(0.0)},
      {"evasion", "evades 80 %", false, true, evading(0.2)},
      {"evasion", "evades 65 %", false, false, evading(0.35)},
      {"evasion", "evades 50 %", false, false, evading(0.5)},
      {"evasion", "takes a stand, 20 % lapses", true, true, evading(0.8)},
      {"evasion", "takes a stand in 65 %", true, false, evading(0.65)},
      {"transport", "evaluator errs by 0.5 on one value", false, true, erring(0.5, 0.05)},
      {"transport", "evaluator errs by 0.4 on one value", false, true, erring(0.4, 0.05)},
      {"transport", "evaluator errs by 0.3 on one value", false, false, erring(0.3, 0.05)},
      {"transport", "evaluator errs by 0.25 (sd) on every value and responder", false, true, erring(0.0, 0.25)},
      {"transport", "evaluator errs by 0.05 (sd)", true, true, erring(0.0, 0.05)},
      {"transport", "evaluator errs by 0.1 (sd)", true, true, erring(0.0, 0.1)},
      {"transport", "evaluator errs by 0.1 on one value, 0.05 (sd)", true, true, erring(0.1, 0.05)},
      {"item_spread", "the same answer to every item", false, true, saying(same, 0.3, 0.0)},
      {"item_spread", "the same answer, jitter of 0.05 steps", false, true, saying(same, 1.0, 0.05)},
      {"item_spread", "the same answer, jitter of 0.1 steps", false, true, saying(same, 1.0, 0.1)},
      {"item_spread", "the same answer, jitter of 0.2 steps", false, false, saying(same, 1.0, 0.2)},
      {"item_spread", "priorities, 20 % lapses", true, true, saying(lapsing, 0.8, 0.1)},
      {"item_spread", "priorities, answers spread over the scale", true, true, saying(own, 2.5, 0.1)},
      {"item_spread", "priorities", true, true, saying(own, 0.8, 0.1)},
  };
}

// ---- rates

/// The check's figure over simulations, and what it is compared with.
struct Outcome {
  std::vector<double> figures;
  double threshold = 0.0;
  bool at_least = false;

  double passed_at(double limit) const {
    const auto passed =
        std::count_if(figures.begin(), figures.end(), [&](double x) { return at_least ? x >= limit : x <= limit; });
    return static_cast<double>(passed) / static_cast<double>(figures.size());
  }
};

Result<Outcome> outcome_of(const Case& one, std::size_t simulations) {
  VALENCE_TRY(const auto thresholds, gate_thresholds());
  VALENCE_TRY(const auto* instrument, find_instrument(one.check == "item_spread" ? "questionnaire" : "fulcra"));
  VALENCE_TRY(const auto settings,
              Settings::resolve(instrument->settings(), std::vector<std::pair<std::string, std::string>>{}));
  Outcome outcome;
  for (std::size_t seed = 0; seed < simulations; ++seed) {
    RandomStream stream(seed, one.name);
    const auto validity = instrument->assess(one.administer(stream), settings, thresholds);
    const auto check =
        std::find_if(validity.checks.begin(), validity.checks.end(), [&](const auto& c) { return c.id == one.check; });
    if (check == validity.checks.end()) return fail(ErrorCode::kInvalid, "{} was not looked at", one.check);
    outcome.figures.push_back(check->estimate.value);
    outcome.threshold = check->threshold;
    outcome.at_least = check->at_least;
  }
  return outcome;
}

bool within_bounds(const Case& one, double passed) {
  return !one.binding || (one.good ? passed >= kLeastPower : passed <= kMostFalsePasses);
}

/// The limits at which every binding subject of a check is within its bound: from where the last true one passes often
/// enough to where the first empty one passes too often.
class Admissible {
 public:
  void add(const Case& one, const Outcome& outcome) {
    if (!one.binding) return;
    auto& own = by_check_.try_emplace(one.check, Range{outcome.at_least}).first->second;
    // As if every check were "at most".
    auto figures = outcome.figures;
    if (outcome.at_least) std::transform(figures.begin(), figures.end(), figures.begin(), std::negate<>());
    if (one.good) own.true_ones = std::max(own.true_ones, stats::quantile(figures, kLeastPower));
    if (!one.good) own.empty_ones = std::min(own.empty_ones, stats::quantile(figures, kMostFalsePasses));
  }

  void print() const {
    for (const auto& [check, own] : by_check_) {
      const double sign = own.at_least ? -1.0 : 1.0;
      fmt::print("limits {:<11} {:.3f} to {:.3f}\n", check, std::min(sign * own.true_ones, sign * own.empty_ones),
                 std::max(sign * own.true_ones, sign * own.empty_ones));
    }
  }

 private:
  struct Range {
    bool at_least = false;
    double true_ones = -std::numeric_limits<double>::infinity(), empty_ones = std::numeric_limits<double>::infinity();
  };
  std::map<std::string, Range> by_check_;
};

}  // namespace

Result<bool> print_instrument_rates(std::size_t simulations) {
  VALENCE_TRY(const auto space, load_space("schwartz10"));
  VALENCE_TRY(const auto form, load_questionnaire("pvq40"));
  bool good = true;
  Admissible admissible;
  for (const auto& one : cases(space, form)) {
    VALENCE_TRY(const auto outcome, outcome_of(one, simulations));
    const double passed = outcome.passed_at(outcome.threshold);
    const bool bound = within_bounds(one, passed);
    good = good && bound;
    admissible.add(one, outcome);
    fmt::print("pass {:<11} {:.3f} mean {:>6.3f} {}{}{}\n", one.check, passed, stats::mean(outcome.figures), one.name,
               one.binding ? "" : " (shown only)", bound ? "" : "   OUT OF BOUNDS");
  }
  admissible.print();
  return good;
}

}  // namespace valence::gate
