#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"
#include "valence/evaluate/evaluator.h"

namespace valence {

/// The bytes of an evaluator (docs/formats.md): features, head, thresholds and where they come from.
std::string encode_evaluator(const Evaluator& evaluator);

/// Reads them; they are foreign, so everything is checked: kCorrupt names what is damaged, kUnsupported a newer
/// version, kNotFound features that `families` lacks, kMismatch features of another model or dictionary.
Result<Evaluator> decode_evaluator(std::string_view bytes, std::string_view name, const FeatureFamilies& families);

/// What has to be opened before an evaluator can be read.
struct EvaluatorNeeds {
  std::string space;
  std::vector<std::string> features;  ///< ids of families
};
/// kCorrupt and kUnsupported as decode_evaluator.
Result<EvaluatorNeeds> evaluator_needs(const std::filesystem::path& path);

Result<void> save_evaluator(const Evaluator& evaluator, const std::filesystem::path& path);
Result<Evaluator> load_evaluator(const std::filesystem::path& path, const FeatureFamilies& families);

}  // namespace valence
