#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace valence::test {

/// A random BERT encoder as it would be published: a folder with config.json, tokenizer.json, modules.json and weights.
struct TinyBert {
  std::size_t width = 32, layers = 2, heads = 4, feed_forward = 48, positions = 24;
  std::size_t max_tokens = 16;  ///< sentence_bert_config.json
  std::string pooling = "mean";
  std::string prefix;           ///< before the tensors' names
  std::string format = "F32";   ///< of the tensors: F32, F16 or BF16
  std::uint64_t seed = 1;

  static const std::vector<std::string>& vocabulary();
  /// Rows × columns, or one column; by the published name without prefix.
  std::map<std::string, std::pair<std::vector<std::size_t>, std::vector<float>>> tensors() const;
};

void write_bert_folder(const TinyBert& bert, const std::filesystem::path& folder);

/// The last states of these tokens by the textbook, in double: row after row. Devlin et al. (2018), with GELU's tanh form.
std::vector<double> bert_states(const TinyBert& bert, const std::vector<std::int32_t>& tokens);

}  // namespace valence::test
