#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "valence/base/random.h"
#include "valence/exam/probes.h"
#include "valence/store/answers.h"

namespace valence::gate {

/// A subject that answers by a rule: what the validity gate's thresholds are set on.
struct SimulatedSubject {
  /// Probability of each place, given where the right answer (or the type's choice) stands.
  using Rule = std::function<std::vector<double>(std::size_t right_place, std::size_t options, RandomStream& stream)>;

  std::string name;
  bool answers_content = false;  ///< should pass
  bool binding = true;           ///< its rate is one of those that the thresholds must keep
  Rule rule;
};

std::vector<SimulatedSubject> simulated_subjects();

/// One administration: an instrument of 30 units × 6 items in both orders, and the gate's probes, 50 of them answered
/// in kAgreementDraws sampled texts too.
AnswerTable administer(const SimulatedSubject& subject, const std::vector<ProbeQuestion>& probes, AnswerFormat format,
                       std::uint64_t seed);

}  // namespace valence::gate
