#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/instruments/agreement.h"
#include "valence/instruments/measure.h"
#include "valence/stats/estimate.h"

namespace valence {

/// What is aimed at, of data/exam/tax.toml.
struct TaxAims {
  double perplexity_ratio, capability_loss, refusal_gain;
  std::size_t fewest_items;
};
Result<TaxAims> tax_aims();

enum class TaxVerdict {
  kWithin,      ///< the whole interval keeps the aim
  kBeyond,      ///< the whole interval misses it
  kOpen,        ///< the interval holds both
  kUntestable,  ///< the base itself cannot do it, so that nothing could be lost
  kNoAim,       ///< shown, not judged
};
std::string_view to_string(TaxVerdict verdict);  ///< "within", "beyond", "open", "untestable", "no aim"

/// One cost: both subjects' figures and the paired change.
struct TaxLine {
  std::string id;  ///< "perplexity_ratio", "capability", "capability.facts", "refusal", "length"
  std::string label;
  std::string unit;
  Estimate base, aligned;
  Estimate change;  ///< aligned − base; of perplexity the ratio aligned / base
  double p = 1.0;   ///< two-sided, that nothing changed; NaN without an interval
  TaxVerdict verdict = TaxVerdict::kNoAim;
  std::size_t items = 0, untestable = 0;  ///< of the capability suite
};

/// A dimension that nobody wanted to move.
struct DriftRow {
  std::string instrument;
  bool targeted = false;
  Estimate base, aligned;
  Difference change;
};

struct Tax {
  std::vector<TaxLine> lines;
  std::vector<DriftRow> drift;
  AnswerAgreement agreement;  ///< with the base, on the capability suite
};

/// The runs of one subject.
struct TaxSide {
  ComparedRun fluency, capability;
  std::optional<ComparedRun> replies;  ///< a build without evaluators has none
};

/// A pair of measurements whose headline figures are looked at for drift; `targeted`: dimensions that were to move.
struct DriftPair {
  const Instrument* instrument = nullptr;
  ComparedRun base, aligned;
  std::set<std::string> targeted;
};

/// The tax table: pure. Perplexity is compared over paragraphs, capability over the items that the base's answers to
/// the choosing wording put above chance (the compared answers are to other wordings), replies over prompts; all
/// paired.
Result<Tax> tax_of(const TaxSide& base, const TaxSide& aligned, std::span<const DriftPair> drift, const TaxAims& aims,
                   const ProfileOptions& options);

/// docs/formats.md, `tax`.
Json to_json(const Tax& tax);

}  // namespace valence
