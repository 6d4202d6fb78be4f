#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/base/words.h"

namespace valence {

/// The shape of a BERT encoder, as its config.json gives it.
struct BertShape {
  std::size_t width = 0, layers = 0, heads = 0, feed_forward = 0, positions = 0, token_types = 0, vocabulary = 0;
  double norm_epsilon = 0;
};

struct BertVocabulary {
  std::vector<std::string> tokens;  ///< by id, as published: "word", "##piece", "[CLS]"
  std::size_t unknown = 0, cls = 0, separator = 0, padding = 0, mask = 0;
  WordRules rules;
};

/// All of a folder but its tensors.
struct BertFolder {
  std::string name;  ///< of the folder
  BertShape shape;
  BertVocabulary vocabulary;
  std::string pooling;          ///< "mean" or "cls"
  std::size_t token_limit = 0;  ///< of one text
};

/// `pooling`: auto, mean or cls. Errors as convert_bert.
Result<BertFolder> read_bert_folder(const std::filesystem::path& folder, const std::string& pooling);

}  // namespace valence
