#include "valence/train/example.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "valence/base/files.h"
#include "valence/base/json.h"

namespace valence {
namespace {

/// A rendered prompt followed by one answer.
Result<AnswerPath> path_of(const LanguageModel& model, const Prompt& prompt, std::string_view answer, bool ends) {
  AnswerPath path{prompt.tokens, prompt.tokens.size(), 0, 1.0};
  if (prompt.tokens.empty())
    return fail(ErrorCode::kUnsupported, "model {}: it has no tokens to train on", model.card().name);
  VALENCE_TRY(const auto tokens, model.continuation(prompt, answer));
  path.tokens.insert(path.tokens.end(), tokens.begin(), tokens.end());
  if (ends) {
    VALENCE_TRY(const auto end, model.end_of_turn());
    path.tokens.push_back(end);
  }
  if (path.learned() == 0) return fail(ErrorCode::kUsage, "an answer has no tokens");
  return path;
}

/// One path per assistant turn, each after all the turns before it.
Result<std::vector<AnswerPath>> conversation_paths(const LanguageModel& model, const TrainingRecord& record,
                                                   const RenderOptions& options) {
  auto messages = record.prompt;
  messages.push_back({Role::kAssistant, record.completions.front()});
  std::vector<AnswerPath> paths;
  Conversation before;
  for (const auto& message : messages) {
    if (message.role == Role::kAssistant) {
      VALENCE_TRY(const auto prompt, model.render(before, options));
      VALENCE_TRY(auto path, path_of(model, prompt, message.text, true));
      path.group = paths.size();
      paths.push_back(std::move(path));
    }
    before.messages.push_back(message);
  }
  return paths;
}

Result<std::vector<AnswerPath>> answer_paths(const LanguageModel& model, const TrainingRecord& record,
                                             const RenderOptions& options) {
  VALENCE_TRY(const auto prompt, model.render({record.prompt, ""}, options));
  std::vector<AnswerPath> paths;
  for (std::size_t i = 0; i < record.completions.size(); ++i) {
    VALENCE_TRY(auto path, path_of(model, prompt, record.completions[i], record.kind != RecordKind::kChoice));
    if (!record.values.empty()) path.value = record.values[i];
    paths.push_back(std::move(path));
  }
  return paths;
}

/// The next record, from the end on from the beginning, that answers another prompt; null when there is none.
const TrainingRecord* next_of_another_prompt(std::span<const TrainingRecord> records, std::size_t index) {
  for (std::size_t ahead = 1; ahead < records.size(); ++ahead) {
    const auto& other = records[(index + ahead) % records.size()];
    if (!same_turns(other.prompt, records[index].prompt)) return &other;
  }
  return nullptr;
}

/// Labelled answers one by one, each beside an answer to another prompt put to its own: what KTO's reference point is
/// measured on. An answer to the same prompt would be no mismatch.
Result<std::vector<TrainingExample>> labelled_examples(const LanguageModel& model,
                                                       std::span<const TrainingRecord> records, std::size_t index,
                                                       const RenderOptions& options) {
  const auto& record = records[index];
  const auto* other = next_of_another_prompt(records, index);
  if (other == nullptr) {
    return fail(
        ErrorCode::kUsage,
        "{}: labelled answers need at least 2 different prompts, since each answer is held against one to another "
        "prompt; all {} records have this one's. Add records of another prompt",
        to_string(record.where), records.size());
  }
  std::vector<TrainingExample> examples;
  for (std::size_t i = 0; i < record.completions.size(); ++i) {
    TrainingRecord one = record;
    one.completions = {record.completions[i], other->completions.front()};
    one.values = {record.values[i], 0.0};
    VALENCE_TRY(auto example, render_record(model, one, options));
    example.paths[1].group = 1;
    if (record.completions.size() > 1) example.id += fmt::format(" answer {}", i + 1);
    examples.push_back(std::move(example));
  }
  return examples;
}

Result<std::vector<TrainingExample>> examples_of(const LanguageModel& model, std::span<const TrainingRecord> records,
                                                 std::size_t index, const RenderOptions& options) {
  if (records[index].kind == RecordKind::kLabelled) return labelled_examples(model, records, index, options);
  VALENCE_TRY(auto example, render_record(model, records[index], options));
  return std::vector{std::move(example)};
}

Json to_json(const AnswerPath& path) {
  Json json = {
      {"tokens", path.tokens}, {"learned_from", path.learned_from}, {"group", path.group}, {"value", path.value}};
  if (path.sampler_logprobs.empty()) return json;
  json["sampler_logprobs"] = path.sampler_logprobs;
  json["ended"] = path.ended;
  return json;
}

Json to_json(const TrainingExample& example) {
  Json json = {{"id", example.id}, {"paths", Json::array()}};
  for (const auto& path : example.paths) json["paths"].push_back(to_json(path));
  return json;
}

Result<TokenId> parse_token(const Node& node) {
  VALENCE_TRY(const auto token, node.as_integer());
  if (token >= 0 && token <= std::numeric_limits<TokenId>::max()) return static_cast<TokenId>(token);
  return tl::unexpected(
      node.error(fmt::format("a token should be 0 to {}, got {}", std::numeric_limits<TokenId>::max(), token)));
}

Result<AnswerPath> parse_path(const Node& node) {
  VALENCE_CHECK(node.allow_only({"tokens", "learned_from", "group", "value", "sampler_logprobs", "ended"}));
  AnswerPath path;
  VALENCE_TRY(const auto tokens, node.at("tokens"));
  VALENCE_TRY(const auto entries, tokens.as_array());
  path.tokens.reserve(entries.size());
  for (const auto& entry : entries) {
    VALENCE_TRY(const auto token, parse_token(entry));
    path.tokens.push_back(token);
  }
  VALENCE_TRY(path.learned_from, node.count_at("learned_from"));
  VALENCE_TRY(path.group, node.count_at("group"));
  VALENCE_TRY(path.value, node.number_at("value"));
  if (path.learned_from == 0 || path.learned_from >= path.tokens.size()) {
    return tl::unexpected(node.error(
        fmt::format("\"learned_from\" should be 1 to {}, got {}", path.tokens.size() - 1, path.learned_from)));
  }
  VALENCE_TRY(path.ended, node.bool_or("ended", true));
  const auto* sampled = node.find("sampler_logprobs");
  if (sampled == nullptr) return path;
  VALENCE_TRY(path.sampler_logprobs, sampled->as_numbers());
  if (path.sampler_logprobs.size() != path.learned()) {
    return tl::unexpected(sampled->error(fmt::format("should be a number for each of the {} learned tokens, got {}",
                                                     path.learned(), path.sampler_logprobs.size())));
  }
  return path;
}

Result<TrainingExample> parse_example(const Node& line) {
  VALENCE_CHECK(line.allow_only({"id", "paths"}));
  TrainingExample example;
  VALENCE_TRY(example.id, line.string_at("id"));
  VALENCE_TRY(const auto paths, line.at("paths"));
  VALENCE_TRY(const auto entries, paths.as_array());
  if (entries.empty()) return tl::unexpected(paths.error("should hold at least one path"));
  for (const auto& entry : entries) {
    VALENCE_TRY(auto path, parse_path(entry));
    example.paths.push_back(std::move(path));
  }
  return example;
}

}  // namespace

std::size_t TrainingExample::longest() const {
  std::size_t longest = 0;
  for (const auto& path : paths) longest = std::max(longest, path.tokens.size());
  return longest;
}

Result<TrainingExample> render_record(const LanguageModel& model, const TrainingRecord& record,
                                      const RenderOptions& options) {
  TrainingExample example{to_string(record.where), {}};
  auto paths = record.every_turn ? conversation_paths(model, record, options) : answer_paths(model, record, options);
  if (!paths) return tl::unexpected(with_context(std::move(paths).error(), example.id));
  example.paths = *std::move(paths);
  return example;
}

Result<RenderedData> render_data(const LanguageModel& model, std::span<const TrainingRecord> records,
                                 const RenderOptions& options, std::size_t longest) {
  RenderedData data;
  for (std::size_t i = 0; i < records.size(); ++i) {
    VALENCE_TRY(auto examples, examples_of(model, records, i, options));
    for (auto& example : examples) {
      if (example.longest() > longest) {
        data.too_long.push_back(example.id);
      } else {
        data.examples.push_back(std::move(example));
      }
    }
  }
  return data;
}

std::string to_jsonl(std::span<const TrainingExample> examples) {
  std::string text;
  for (const auto& example : examples) text += to_text(to_json(example)) + "\n";
  return text;
}

Result<std::vector<TrainingExample>> parse_examples(std::string_view text, std::string_view name) {
  VALENCE_TRY(const auto lines, parse_jsonl(text, name));
  if (lines.empty()) return fail(ErrorCode::kUsage, "{}: there are no training examples in it", name);
  std::vector<TrainingExample> examples;
  for (const auto& line : lines) {
    VALENCE_TRY(auto example, parse_example(line));
    examples.push_back(std::move(example));
  }
  return examples;
}

Result<std::vector<TrainingExample>> read_examples(const std::filesystem::path& path) {
  VALENCE_TRY(const auto text, read_file(path));
  return parse_examples(text, path.string());
}

}  // namespace valence
