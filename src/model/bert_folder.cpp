#include "bert_folder.h"

#include <algorithm>
#include <array>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

Result<Node> read_json_file(const fs::path& path) {
  VALENCE_TRY(const auto text, read_file(path));
  return parse_json_node(text, path.string());
}

/// An error at the member `key` of a table, or at the table when it lacks that.
Error wrong(const Node& table, std::string_view key, std::string_view what, ErrorCode code = ErrorCode::kUsage) {
  const auto* node = table.find(key);
  auto error = (node != nullptr ? *node : table).error(fmt::format("\"{}\" {}", key, what));
  error.code = code;
  return error;
}

Result<void> require(const Node& root, std::string_view key, std::initializer_list<std::string_view> allowed,
                     std::string_view fallback) {
  VALENCE_TRY(const auto value, root.string_or(key, fallback));
  if (std::ranges::find(allowed, value) != allowed.end()) return {};
  const std::vector<std::string> names(allowed.begin(), allowed.end());
  const auto what = root.find(key) ? fmt::format("is \"{}\"; {} can be converted", printable(value), join(names, ", ")) : "is missing";
  return tl::unexpected(wrong(root, key, what, ErrorCode::kUnsupported));
}

Result<std::size_t> positive(const Node& root, std::string_view key) {
  VALENCE_TRY(const auto node, root.at(key));
  VALENCE_TRY(const auto value, node.as_integer());
  if (value < 1 || value > 10'000'000) return tl::unexpected(wrong(root, key, "should be a whole number above 0"));
  return static_cast<std::size_t>(value);
}

Result<BertShape> read_shape(const fs::path& path) {
  VALENCE_TRY(const auto root, read_json_file(path));
  VALENCE_CHECK(require(root, "model_type", {"bert"}, ""));
  VALENCE_CHECK(require(root, "hidden_act", {"gelu", "gelu_new", "gelu_pytorch_tanh"}, "gelu"));
  VALENCE_CHECK(require(root, "position_embedding_type", {"absolute"}, "absolute"));
  BertShape shape;
  VALENCE_TRY(shape.width, positive(root, "hidden_size"));
  VALENCE_TRY(shape.layers, positive(root, "num_hidden_layers"));
  VALENCE_TRY(shape.heads, positive(root, "num_attention_heads"));
  VALENCE_TRY(shape.feed_forward, positive(root, "intermediate_size"));
  VALENCE_TRY(shape.positions, positive(root, "max_position_embeddings"));
  VALENCE_TRY(shape.token_types, positive(root, "type_vocab_size"));
  VALENCE_TRY(shape.vocabulary, positive(root, "vocab_size"));
  VALENCE_TRY(shape.norm_epsilon, root.number_or("layer_norm_eps", 1e-12));
  if (shape.width % shape.heads != 0) {
    return tl::unexpected(root.error(fmt::format("\"hidden_size\" {} is no multiple of \"num_attention_heads\" {}", shape.width, shape.heads)));
  }
  return shape;
}

// ---- vocabulary

Result<void> put_token(std::vector<std::string>& tokens, std::int64_t id, const std::string& text, const Node& node) {
  if (id < 0 || static_cast<std::size_t>(id) >= tokens.size()) {
    return tl::unexpected(node.error(fmt::format("{} is the id of \"{}\", beyond the vocab_size {} of config.json", id, printable(text), tokens.size())));
  }
  auto& place = tokens[static_cast<std::size_t>(id)];
  if (!place.empty() && place != text) {
    return tl::unexpected(node.error(fmt::format("{} is the id of both \"{}\" and \"{}\"", id, printable(place), printable(text))));
  }
  place = text;
  return {};
}

Result<std::vector<std::string>> tokens_of_json(const Node& root, std::size_t size) {
  VALENCE_TRY(const auto model, root.at("model"));
  VALENCE_CHECK(require(model, "type", {"WordPiece"}, "WordPiece"));
  VALENCE_CHECK(require(model, "continuing_subword_prefix", {"##"}, "##"));
  VALENCE_TRY(const auto vocabulary, model.at("vocab"));
  VALENCE_TRY(const auto entries, vocabulary.as_table());
  std::vector<std::string> tokens(size);
  for (const auto& [text, node] : entries) {
    VALENCE_TRY(const auto id, node.as_integer());
    VALENCE_CHECK(put_token(tokens, id, text, node));
  }
  return tokens;
}

/// null and absent: as the lower-casing.
Result<bool> strips_accents(const Node& root, bool lowercase) {
  const auto* node = root.find("strip_accents");
  if (node == nullptr || std::holds_alternative<std::monostate>(node->value())) return lowercase;
  return node->as_bool();
}

Result<WordRules> rules_of_json(const Node& root) {
  VALENCE_TRY(const auto normalizer, root.at("normalizer"));
  VALENCE_CHECK(require(normalizer, "type", {"BertNormalizer"}, ""));
  for (const auto* key : {"clean_text", "handle_chinese_chars"}) {
    VALENCE_TRY(const auto on, normalizer.bool_or(key, true));
    if (!on) return tl::unexpected(wrong(normalizer, key, "is off; only tokenizers that have it on can be converted", ErrorCode::kUnsupported));
  }
  WordRules rules;
  VALENCE_TRY(rules.lowercase, normalizer.bool_or("lowercase", true));
  VALENCE_TRY(rules.strip_accents, strips_accents(normalizer, rules.lowercase));
  return rules;
}

Result<void> read_vocabulary_lines(const fs::path& folder, std::size_t size, BertVocabulary& vocabulary) {
  VALENCE_TRY(const auto text, read_file(folder / "vocab.txt"));
  auto lines = split(text, "\n");
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  if (lines.size() > size) {
    return fail(ErrorCode::kUsage, "{}: {} tokens, \"vocab_size\" of config.json is {}", (folder / "vocab.txt").string(), lines.size(), size);
  }
  lines.resize(size);
  vocabulary.tokens = std::move(lines);
  if (!is_there(folder / "tokenizer_config.json")) return {};
  VALENCE_TRY(const auto config, read_json_file(folder / "tokenizer_config.json"));
  VALENCE_TRY(vocabulary.rules.lowercase, config.bool_or("do_lower_case", true));
  VALENCE_TRY(vocabulary.rules.strip_accents, strips_accents(config, vocabulary.rules.lowercase));
  return {};
}

Result<std::size_t> id_of(const std::vector<std::string>& tokens, std::string_view text, const fs::path& path) {
  const auto found = std::ranges::find(tokens, text);
  if (found != tokens.end()) return static_cast<std::size_t>(found - tokens.begin());
  return fail(ErrorCode::kUnsupported, "{}: the vocabulary has no token \"{}\", which BERT's tokenizer needs", path.string(), text);
}

Result<BertVocabulary> read_vocabulary(const fs::path& folder, std::size_t size) {
  BertVocabulary vocabulary;
  auto path = folder / "tokenizer.json";
  if (is_there(path)) {
    VALENCE_TRY(const auto root, read_json_file(path));
    VALENCE_TRY(vocabulary.tokens, tokens_of_json(root, size));
    VALENCE_TRY(vocabulary.rules, rules_of_json(root));
  } else if (is_there(folder / "vocab.txt")) {
    path = folder / "vocab.txt";
    VALENCE_CHECK(read_vocabulary_lines(folder, size, vocabulary));
  } else {
    return fail(ErrorCode::kNotFound, "{}: neither tokenizer.json nor vocab.txt is there; one must hold the vocabulary", folder.string());
  }
  // Ids that no token has: llama.cpp wants each id to have a text of its own.
  for (std::size_t id = 0; id < size; ++id) {
    if (vocabulary.tokens[id].empty()) vocabulary.tokens[id] = fmt::format("[PAD{}]", id);
  }
  VALENCE_TRY(vocabulary.unknown, id_of(vocabulary.tokens, "[UNK]", path));
  VALENCE_TRY(vocabulary.cls, id_of(vocabulary.tokens, "[CLS]", path));
  VALENCE_TRY(vocabulary.separator, id_of(vocabulary.tokens, "[SEP]", path));
  VALENCE_TRY(vocabulary.padding, id_of(vocabulary.tokens, "[PAD]", path));
  VALENCE_TRY(vocabulary.mask, id_of(vocabulary.tokens, "[MASK]", path));
  return vocabulary;
}

// ---- pooling and length

Result<std::string> pooling_module(const fs::path& path) {
  VALENCE_TRY(const auto root, read_json_file(path));
  std::vector<std::string> chosen;
  VALENCE_TRY(const auto entries, root.as_table());
  for (const auto& [key, node] : entries) {
    if (!key.starts_with("pooling_mode_")) continue;
    VALENCE_TRY(const auto on, node.as_bool());
    if (on) chosen.push_back(key);
  }
  if (chosen == std::vector<std::string>{"pooling_mode_mean_tokens"}) return "mean";
  if (chosen == std::vector<std::string>{"pooling_mode_cls_token"}) return "cls";
  auto error = root.error(fmt::format("its pooling is {}; pooling_mode_mean_tokens or pooling_mode_cls_token alone can be converted",
                                      chosen.empty() ? "not given" : join(chosen, " and ")));
  error.code = ErrorCode::kUnsupported;
  return tl::unexpected(std::move(error));
}

Result<std::string> stated_pooling(const fs::path& folder) {
  const auto path = folder / "modules.json";
  if (!is_there(path)) {
    return fail(ErrorCode::kUsage, "{}: not there, so nothing says how states become one vector. Choose --pooling mean or --pooling cls",
                path.string());
  }
  VALENCE_TRY(const auto root, read_json_file(path));
  VALENCE_TRY(const auto modules, root.as_array());
  std::string pooling;
  for (const auto& module : modules) {
    VALENCE_TRY(const auto type, module.string_at("type"));
    if (type.ends_with(".Pooling")) {
      VALENCE_TRY(const auto place, module.string_at("path"));
      VALENCE_TRY(pooling, pooling_module(folder / place / "config.json"));
    } else if (!type.ends_with(".Transformer") && !type.ends_with(".Normalize")) {
      const auto what = fmt::format("is \"{}\"; Transformer, Pooling and Normalize can be converted", printable(type));
      return tl::unexpected(wrong(module, "type", what, ErrorCode::kUnsupported));
    }
  }
  if (pooling.empty()) return tl::unexpected(root.error("it has no Pooling module. Choose --pooling mean or --pooling cls"));
  return pooling;
}

Result<std::string> choose_pooling(const fs::path& folder, const std::string& wanted) {
  if (wanted == "mean" || wanted == "cls") return wanted;
  if (wanted == "auto") return stated_pooling(folder);
  return fail(ErrorCode::kUsage, "pooling \"{}\" is unknown; choose auto, mean or cls", wanted);
}

Result<std::size_t> length_limit(const fs::path& folder, std::size_t positions) {
  const auto path = folder / "sentence_bert_config.json";
  if (!is_there(path)) return positions;
  VALENCE_TRY(const auto root, read_json_file(path));
  const auto* node = root.find("max_seq_length");
  if (node == nullptr || std::holds_alternative<std::monostate>(node->value())) return positions;
  VALENCE_TRY(const auto limit, positive(root, "max_seq_length"));
  return std::min(limit, positions);
}

}  // namespace

Result<BertFolder> read_bert_folder(const fs::path& folder, const std::string& pooling) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return fail(ErrorCode::kNotFound, "{}: no such folder", folder.string());
  BertFolder bert;
  const auto clean = fs::absolute(folder, ignored).lexically_normal();
  bert.name = (clean.has_filename() ? clean : clean.parent_path()).filename().string();
  VALENCE_TRY(bert.shape, read_shape(folder / "config.json"));
  VALENCE_TRY(bert.vocabulary, read_vocabulary(folder, bert.shape.vocabulary));
  VALENCE_TRY(bert.pooling, choose_pooling(folder, pooling));
  VALENCE_TRY(bert.token_limit, length_limit(folder, bert.shape.positions));
  return bert;
}

}  // namespace valence
