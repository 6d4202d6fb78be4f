#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/labelled.h"
#include "valence/instruments/instrument.h"
#include "valence/values/space.h"

namespace valence {

inline constexpr std::string_view kTransportCondition = "transport";  ///< probe rows of responders unseen by the evaluator

/// One response of the subject as the evaluator read it.
struct ReadResponse {
  std::string unit;               ///< the prompt's id
  std::vector<std::string> tags;  ///< of the prompt
  std::vector<double> e;          ///< per dimension, in [−1, 1]; NaN where nothing was read
  double words = 0.0;
  bool refused = false;
  PromptedText text;              ///< what was asked last and what was said
};

/// Tags of a prompt as the column of a table holds them, and back.
std::string joined_tags(const std::vector<std::string>& tags);
std::vector<std::string> parted_tags(std::string_view text);

/// The responses in a table of this instrument that were read, in order. A row that was read and whose response is not
/// there, or names no dimension of the space, is kInvalid.
Result<std::vector<ReadResponse>> read_responses(const AnswerTable& table, const Space& space);

/// Per dimension, the largest |error| of the evaluator's mean reading that a further responder would have with 95 %
/// confidence: mean error ± Student's t over the responders it never saw. Empty without at least two of them.
std::vector<double> transport_errors(const AnswerTable& table, const Space& space);
/// |mean reading − mean label| of the dimension on which it is largest, per unseen responder.
std::vector<double> transport_misses(const AnswerTable& table, const Space& space);

/// FULCRA's distances of each response from a target (a value per dimension; NaN = no part of it), means over prompts:
/// ids "fulcra_l1", "fulcra_reward", "fulcra_coverage", as in valence/values/fulcra_gap.h.
std::unique_ptr<Estimator> make_response_distances(const std::vector<ReadResponse>& responses, std::span<const double> target);

/// Figures over prompts: mean e per dimension ("<dimension>.unit"), mean where it is at stake, share of masked values,
/// correlation with each tag of at least `fewest` prompts, and what the responses are like. A dimension that fewer than
/// `fewest` responses touch (|e| > 0.3) is undefined.
std::unique_ptr<Estimator> make_fulcra_estimator(const std::vector<ReadResponse>& responses, const Space& space,
                                                 std::size_t fewest, std::vector<double> transport);

}  // namespace valence
