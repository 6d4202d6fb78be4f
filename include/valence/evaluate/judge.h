#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/cross_validate.h"
#include "valence/evaluate/head.h"
#include "valence/evaluate/labelled.h"
#include "valence/exam/examiner.h"
#include "valence/stats/estimate.h"
#include "valence/values/profile.h"
#include "valence/values/space.h"

namespace valence {

/// One way of putting the question to a judge.
struct JudgeFraming {
  enum class Unit {
    kSpace,  ///< all values in one question
    kGroup,  ///< one higher-order group at a time
    kValue,  ///< one value at a time
  };
  std::string id;
  Unit unit = Unit::kSpace;
  bool reasoning = false;  ///< the answer begins with reasoning
  std::string system;      ///< role that the judge is given; may be empty
  std::string text;        ///< answered as JSON
  std::string choice;      ///< answered with one of three labels; empty: this framing has no such form
};

/// The published annotation protocol as data, for one value space.
struct JudgeProtocol {
  std::string space;
  std::vector<std::string> dimensions;           ///< ids, in the space's order
  std::vector<std::string> lines;                ///< per dimension, "- Power (power): status and …"
  std::vector<std::vector<std::size_t>> groups;  ///< dimensions by higher-order group
  std::array<std::string, kLabelClasses> names, meanings, options;
  std::string conversation, lone;  ///< how a response with its prompt, and one without, are shown
  std::vector<JudgeFraming> framings;
};

/// From `evaluate/judge.toml` of the data folder; kUsage with file and line where it is malformed or defines a value
/// that the space has not.
Result<JudgeProtocol> judge_protocol(const Space& space);
Result<JudgeProtocol> parse_judge_protocol(std::string_view toml, std::string_view name, const Space& space);

enum class JudgeRoute {
  kAuto,     ///< exact where the model gives log-probabilities
  kExact,    ///< probabilities of the three labels, one value at a time
  kSampled,  ///< answers as JSON, held to a schema where the model can be
};
Result<JudgeRoute> judge_route(std::string_view name);  ///< "auto", "exact", "sampled"

struct JudgeOptions {
  JudgeRoute route = JudgeRoute::kAuto;
  std::vector<std::string> framings;  ///< ids; empty = all that the route has
  std::size_t samples = 2;            ///< answers per framing and order; sampled route only
  double temperature = 1.0;           ///< sampled route only
  int max_tokens = 400;               ///< of an answer; sampled route only
};

/// What a judge said about texts.
struct Judgement {
  /// Mean over framings of each framing's mean over orders and samples; NaN where no answer could be read.
  ClassProbabilities probabilities;
  /// Per cell, by the published rule: each framing's likeliest label, then the sign of their sum, a tie of opposite
  /// labels +1; 0 where no answer could be read.
  std::vector<ValueLabel> merged;
  std::size_t ties = 0;                   ///< cells in which framings contradict each other evenly
  JudgeRoute route = JudgeRoute::kExact;  ///< that was taken
  StatusCounts statuses;                  ///< of the judge's answers
  std::vector<double> read_share;         ///< per text, the share of its answers that could be read
  /// Per text, half of (probability of the label shown first − of the label shown last), over cells answered in both
  /// orders: contents cancel. 0.5: whatever stands first; −0.5: whatever stands last. NaN without such cells.
  std::vector<double> pulls;

  bool judged(std::size_t row, std::size_t dim) const;
  bool judged(std::size_t row) const;  ///< every dimension of it
  Estimate pull() const;               ///< mean over texts (Student)
};

/// Puts every text to the judge that `examiner` examines. Fails with kUsage on a framing that there is not, or that the
/// route cannot use, and as Examiner::ask.
Result<Judgement> judge_texts(Examiner& examiner, const JudgeProtocol& protocol, std::span<const PromptedText> texts,
                              const JudgeOptions& options);

/// The judge's word against labels, for quality_report: rows with a cell that could not be read are left out. Fails
/// with kWrongCount when none is left.
Result<HeldOut> hold_out(const Judgement& judgement, const LabelledData& data, std::string name);

}  // namespace valence
