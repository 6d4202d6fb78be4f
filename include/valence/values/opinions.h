#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/json.h"
#include "valence/base/result.h"
#include "valence/values/distribution_gap.h"
#include "valence/values/space.h"
#include "valence/values/target.h"

namespace valence {

/// What a population answered to one question.
struct OpinionQuestion {
  std::string question;
  std::vector<std::string> options;
  std::vector<double> share;  ///< per option, sums to 1
  double dropped = 0.0;       ///< share of the options that were left out before ("don't know")

  /// "q-" and eight hexadecimal digits of a hash of the question and its options: the same in every file.
  std::string id() const;
};

/// A target made of answer distributions instead of scores: how a population answered a survey's own questions.
struct OpinionTarget {
  std::string id, label;
  std::string group;     ///< whose answers: "Argentina"
  bool ordered = false;  ///< the options of every question are steps of a scale, so that Wasserstein is defined
  Provenance provenance;
  std::vector<OpinionQuestion> questions;
};

struct OpinionOptions {
  std::string group;
  bool ordered = false;
  std::vector<std::string> drop = {};  ///< options that are no opinion; the others' shares are brought back to 1
};

/// One group's answers out of a file of many. A name that ends in ".json": an array of objects with `question`,
/// `options`, `attribute` (or `country`, `group`) and `gold_distribution` (or `distribution`), as GlobalOpinionQA's
/// users publish it. Otherwise a CSV with the columns `group`, `question`, `option`, `share`, one option per row.
///
/// Fails with kUsage, file and place on shares that are negative or do not sum to 1 ± 0.02, options and shares of
/// different number, a question that stands twice, an option that nothing has to drop, and on a group that the file
/// lacks.
Result<OpinionTarget> import_opinions(const std::filesystem::path& file, const OpinionOptions& options);

/// The file that Valence keeps of it (docs/formats.md, "Distributional targets"), and back.
Json to_json(const OpinionTarget& target);
Result<OpinionTarget> read_opinion_target(const std::filesystem::path& file);

/// Whether a name is a file of answer distributions: it ends in ".json".
bool names_opinions(std::string_view name);

/// The same among targets of scores: it lives in "opinions", which has no dimensions, and holds the distributions.
Target as_target(OpinionTarget opinions);

/// A target of either kind: load_mapped_target, or a file of answer distributions. kUsage for one of these with a map.
Result<Target> load_any_target(const std::string& id, std::string_view map);

/// All that tells a target from others, as text to be hashed.
std::string identity_text(const Target& target);

/// Distances over the questions that both put with the same options.
struct OpinionGap {
  DistributionGap gap;
  std::size_t only_first = 0, only_second = 0;  ///< questions that the other lacks
};
/// Fails with kUsage when they share no question.
Result<OpinionGap> opinion_gap(const OpinionTarget& first, const OpinionTarget& second);

}  // namespace valence
