// How often simulated subjects pass the validity gate: false passes of subjects that do not answer the content, power
// for those that do. Thresholds of data/exam/gate.toml must keep the first at most 5 % and the second at least 80 %.
//
//   build/release/bench/gate [simulations, default 500]
//
// A line per subject and number of options: `pass <options> <rate> <subject>`, and the share of runs that each check
// failed; then, for the checks of single instruments, `pass <check> <rate> mean <estimate> <subject>`, and the limits
// at which all their rates would be within bounds. Exit status 1 when a rate is out of bounds.
#include <cstdlib>
#include <map>
#include <string>

#include "command_line.h"
#include "gate_instruments.h"
#include "gate_simulation.h"
#include "valence/exam/validity.h"

namespace valence::gate {
namespace {

constexpr double kMostFalsePasses = 0.05;
constexpr double kLeastPower = 0.80;

struct Rates {
  double passed = 0.0;
  std::map<std::string, double> failed;  // by check
  std::map<std::string, double> mean;    // of the estimates
};

Result<Rates> rates_of(const SimulatedSubject& subject, std::size_t options, std::size_t simulations) {
  VALENCE_TRY(const auto thresholds, gate_thresholds());
  Rates rates;
  const double share = 1.0 / static_cast<double>(simulations);
  for (std::size_t seed = 0; seed < simulations; ++seed) {
    VALENCE_TRY(const auto probes, probe_questions({.options = options}, seed));
    const auto validity = assess(administer(subject, probes, AnswerFormat::kLetter, seed), thresholds);
    rates.passed += validity.interpretable() ? share : 0.0;
    for (const auto& check : validity.checks) {
      rates.failed[check.id] += check.passed ? 0.0 : share;
      rates.mean[check.id] += check.estimate.value * share;
    }
  }
  return rates;
}

bool within_bounds(const SimulatedSubject& subject, const Rates& rates) {
  if (!subject.binding) return true;
  return subject.answers_content ? rates.passed >= kLeastPower : rates.passed <= kMostFalsePasses;
}

}  // namespace

Result<bool> print_rates(std::size_t simulations) {
  bool good = true;
  for (const std::size_t options : {std::size_t{2}, std::size_t{6}, std::size_t{9}}) {
    for (const auto& subject : simulated_subjects()) {
      VALENCE_TRY(const auto rates, rates_of(subject, options, simulations));
      const bool bound = within_bounds(subject, rates);
      good = good && bound;
      fmt::print("pass {} {:.3f} {}{}\n", options, rates.passed, subject.name, bound ? "" : "   OUT OF BOUNDS");
      for (const auto& [check, failed] : rates.failed) {
        fmt::print("  {:<20} mean {:>7.3f}  failed {:.3f}\n", check, rates.mean.at(check), failed);
      }
    }
  }
  return good;
}

}  // namespace valence::gate

int main(int argc, char** argv) {
  std::size_t simulations = 500;
  CLI::App app("How often simulated subjects pass the validity gate");
  app.add_option("simulations", simulations, "of each subject")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  valence::parse_or_exit(app, argc, argv);
  bool bound = true;
  for (const auto print : {valence::gate::print_rates, valence::gate::print_instrument_rates}) {
    const auto good = print(simulations);
    if (!good) fmt::print(stderr, "gate: {}\n", good.error().message);
    bound = bound && good && *good;
  }
  return bound ? 0 : 1;
}
