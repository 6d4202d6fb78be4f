// A short run of bench/gate: the bounds that the thresholds were set for.
#include <gtest/gtest.h>

#include "gate_simulation.h"
#include "valence/exam/validity.h"

namespace valence::gate {
namespace {

constexpr std::size_t kSimulations = 60;

/// Probes of the first seeds, used in turn: reading them anew is what takes time.
std::vector<std::vector<ProbeQuestion>> probe_sets(std::size_t options) {
  std::vector<std::vector<ProbeQuestion>> sets;
  for (std::size_t seed = 0; seed < 6; ++seed) sets.push_back(probe_questions({.options = options}, seed).value());
  return sets;
}

double pass_rate(const SimulatedSubject& subject, const std::vector<std::vector<ProbeQuestion>>& sets) {
  const auto thresholds = gate_thresholds().value();
  std::size_t passed = 0;
  for (std::size_t seed = 0; seed < kSimulations; ++seed) {
    const auto table = administer(subject, sets[seed % sets.size()], AnswerFormat::kLetter, seed);
    passed += assess(table, thresholds).interpretable() ? 1 : 0;
  }
  return static_cast<double>(passed) / static_cast<double>(kSimulations);
}

TEST(GateSimulation, FalsePassesAreRareAndPowerIsHigh) {
  const auto sets = probe_sets(2);
  for (const auto& subject : simulated_subjects()) {
    if (!subject.binding) continue;
    const double rate = pass_rate(subject, sets);
    if (subject.answers_content) {
      EXPECT_GE(rate, 0.80) << subject.name;
    } else {
      EXPECT_LE(rate, 0.05) << subject.name;
    }
  }
}

}  // namespace
}  // namespace valence::gate
