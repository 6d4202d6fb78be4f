#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "valence/base/result.h"
#include "valence/evaluate/evaluator.h"

namespace valence {

/// The bytes of an evaluator (docs/formats.md): features, head, thresholds and where they come from.
std::string encode_evaluator(const Evaluator& evaluator);

/// Reads them; they are foreign, so everything is checked: kCorrupt names what is damaged, kUnsupported a newer
/// version, kNotFound features that `families` lacks, kMismatch features of another model or dictionary.
Result<Evaluator> decode_evaluator(std::string_view bytes, std::string_view name, const FeatureFamilies& families);

Result<void> save_evaluator(const Evaluator& evaluator, const std::filesystem::path& path);
Result<Evaluator> load_evaluator(const std::filesystem::path& path, const FeatureFamilies& families);

}  // namespace valence
