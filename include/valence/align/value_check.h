#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/exam/subject_file.h"
#include "valence/stats/estimate.h"
#include "valence/store/store.h"
#include "valence/values/target.h"

namespace valence {

/// What two subjects say to prompts of the held-out side of the split.
struct ValueCheckOptions {
  std::string prompts = "trustworthy";  ///< a set or .jsonl file, as for `valence measure fulcra`
  std::size_t count = 60;               ///< prompts, drawn by the seed; 0: all of that side
  std::size_t samples = 1;              ///< responses to each
  int max_tokens = 128;
  std::vector<std::string> evaluators;  ///< that read them, each by itself
  std::string domain;                   ///< evaluator whose training domain is looked at; empty: of none
  std::uint64_t seed = 0;
  std::stop_token stop = {};
  Progress* progress = nullptr;
};

/// A figure before and after, the difference paired by prompt.
struct Change {
  std::string id;     ///< "responses.fulcra_l1", "refused", "outside_domain"
  std::string label;  ///< for people
  Estimate before, after, difference;
  double p_holm = 1.0;  ///< of the difference, over the figures of one reading
  Estimate cut = {};    ///< share of a distance that is gone (GapDifference::cut); undefined for other figures
};

/// The same responses as one evaluator reads them: every distance of the subject from the target and of its single
/// responses.
struct ValueReport {
  std::string evaluator;
  RunId before = 0, after = 0;       ///< runs of the instrument fulcra
  std::vector<std::string> reasons;  ///< why one of them is not interpretable; empty: both are
  std::vector<Change> distances;     ///< smaller is nearer, but for coverage and the masked reward
};

struct ValueCheck {
  std::size_t prompts = 0;
  std::vector<ValueReport> reports;
  std::vector<Change> responses;  ///< refused, stance, words
  std::vector<Change> domain;     ///< share of responses outside the evaluator's training domain; empty when not known
  std::string domain_note;        ///< why it is not known
};

/// Measures both subjects with the instrument fulcra and compares them. Runs of the same settings that are in the store
/// are taken as they are. Errors as measure and compare_gaps.
Result<ValueCheck> check_values(const SubjectSpec& before, const SubjectSpec& after, const Target& target, Store& store,
                                const ValueCheckOptions& options);

Json to_json(const ValueCheck& check);

}  // namespace valence
