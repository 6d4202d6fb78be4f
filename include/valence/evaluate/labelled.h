#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/node.h"
#include "valence/base/result.h"
#include "valence/evaluate/dimension_names.h"

namespace valence {

/// What an evaluator reads.
struct PromptedText {
  std::string prompt;  ///< empty where a text stands by itself
  std::string response;
};

/// Of a text and a dimension: it opposes the value (−1), has no connection to it (0) or upholds it (+1).
using ValueLabel = std::int8_t;
inline constexpr std::size_t kLabelClasses = 3;
/// −1, 0, +1 as classes 0, 1, 2, and back.
constexpr std::size_t class_of(ValueLabel label) { return static_cast<std::size_t>(label + 1); }
constexpr ValueLabel label_of(std::size_t label_class) {
  return static_cast<ValueLabel>(static_cast<int>(label_class) - 1);
}

struct LabelledResponse {
  PromptedText text;
  std::string responder;           ///< who wrote the response; may be empty
  std::vector<ValueLabel> labels;  ///< per dimension
};

/// What was read in passing, for the report: nothing is dropped silently.
struct LabelReading {
  std::size_t unparsable = 0;  ///< labels that are neither of +1, 1, 0, -1: counted as absent
  std::size_t repeated = 0;    ///< (response, dimension) pairs labelled more than once
  std::size_t ties = 0;        ///< of them, those whose labels cancel: taken as +1, worth a second look
};

struct LabelledData {
  DimensionNames names;
  std::vector<LabelledResponse> rows;
  LabelReading reading;
  /// Rows of other data sets: learnt from in every fold, never predicted, nor used to tune by.
  std::vector<LabelledResponse> auxiliary = {};

  std::size_t dims() const { return names.size(); }
  LabelledData subset(std::span<const std::size_t> which) const;  ///< of the rows; all that is auxiliary stays
};

/// The data with more rows to learn from. Fails with kMismatch when the spaces differ, or when a prompt or a response
/// of `more` is also among the rows: it would be learnt from and judged by.
Result<LabelledData> with_auxiliary(LabelledData data, const LabelledData& more);

/// Labelled responses in FULCRA's shape, one JSON object per line: `dialogue` ("Human: …\nBob: …", or `prompt` and
/// `response`), `value_types` (strings "dimension: ±1"; what is absent is 0), optional `response_source`.
///
/// Several labels of one dimension become the sign of their sum, a tie +1 (the rule that reproduces FULCRA's own
/// dimension labels; humility counts as conformity). Fails with kUsage, file and line on a missing key, a dialogue
/// without both speakers, or a name that the space does not know.
Result<LabelledData> read_labelled(const std::filesystem::path& path, const DimensionNames& names);
/// One line of such data, and its text alone. Counts into `reading`.
Result<LabelledResponse> labelled_response(const Node& line, const DimensionNames& names, LabelReading& reading);
Result<PromptedText> prompted_text(const Node& line);
Result<LabelledData> parse_labelled(std::string_view text, std::string_view name, const DimensionNames& names);

/// FULCRA's trustworthy split, from the data folder.
Result<std::filesystem::path> fulcra_path();

/// Prompts that differ only in case, punctuation or spacing are one prompt: the unit of splits and of the bootstrap.
std::string prompt_key(std::string_view prompt);
/// Tells responses apart: 16 hexadecimal digits of a hash of prompt and response, byte for byte.
std::string response_id(const PromptedText& text);

std::vector<std::string> prompt_keys(std::span<const LabelledResponse> rows);
std::vector<PromptedText> texts_of(std::span<const LabelledResponse> rows);
std::vector<ValueLabel> labels_of(std::span<const LabelledResponse> rows);  ///< [row][dimension]

}  // namespace valence
