#include "valence/train/data.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "valence/base/files.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::array<std::pair<RecordKind, std::string_view>, 7> kKinds{{{RecordKind::kMessages, "conversation"},
                                                                         {RecordKind::kPreference, "preference"},
                                                                         {RecordKind::kLabelled, "labelled answer"},
                                                                         {RecordKind::kRanked, "ranked answers"},
                                                                         {RecordKind::kChoice, "choice"},
                                                                         {RecordKind::kPrompt, "prompt"},
                                                                         {RecordKind::kRollout, "rollouts"}}};

/// A member of a line under its name, so that complaints name it.
struct Field {
  std::string_view name;
  Node node;

  tl::unexpected<Error> wrong(std::string_view what) const {
    return tl::unexpected(node.error(fmt::format("\"{}\" {}", name, what)));
  }
};

Result<Field> field_at(const Node& line, std::string_view name) {
  VALENCE_TRY(auto node, line.at(name));
  return Field{name, std::move(node)};
}

Result<Role> role_from(const Node& node) {
  VALENCE_TRY(const auto text, node.as_string());
  if (text == "system") return Role::kSystem;
  if (text == "user") return Role::kUser;
  if (text == "assistant") return Role::kAssistant;
  return tl::unexpected(node.error(fmt::format("\"role\" should be system, user or assistant, got \"{}\"", text)));
}

Result<std::vector<Message>> parse_messages(const Field& field) {
  VALENCE_TRY(const auto turns, field.node.as_array());
  if (turns.empty()) return field.wrong("should hold at least one turn");
  std::vector<Message> messages;
  for (const auto& turn : turns) {
    VALENCE_CHECK(turn.allow_only({"role", "content"}));
    VALENCE_TRY(const auto role, turn.at("role"));
    Message message;
    VALENCE_TRY(message.role, role_from(role));
    VALENCE_TRY(message.text, turn.string_at("content"));
    messages.push_back(std::move(message));
  }
  return messages;
}

Result<std::vector<Message>> parse_prompt(const Field& field) {
  if (!field.node.is_array()) {
    VALENCE_TRY(auto text, field.node.as_string());
    return std::vector<Message>{{Role::kUser, std::move(text)}};
  }
  VALENCE_TRY(auto messages, parse_messages(field));
  if (messages.back().role == Role::kAssistant) return field.wrong("should end with a user's turn, not with an answer");
  return messages;
}

/// A text, or a list of one assistant turn.
Result<std::string> parse_completion(const Field& field) {
  if (!field.node.is_array()) {
    VALENCE_TRY(auto text, field.node.as_string());
    if (trim(text).empty()) return field.wrong("is an empty answer");
    return text;
  }
  VALENCE_TRY(const auto messages, parse_messages(field));
  if (messages.size() != 1 || messages.front().role != Role::kAssistant) {
    return field.wrong("should be a text or one assistant turn");
  }
  return messages.front().text;
}

Result<std::vector<std::string>> parse_completions(const Field& field) {
  VALENCE_TRY(const auto entries, field.node.as_array());
  std::vector<std::string> completions;
  for (const auto& entry : entries) {
    VALENCE_TRY(auto completion, parse_completion({field.name, entry}));
    completions.push_back(std::move(completion));
  }
  return completions;
}

Result<void> require_count(const Field& field, std::size_t got, std::size_t expected, std::string_view of) {
  if (got == expected) return {};
  return field.wrong(fmt::format("should have one entry for each of {} {}, got {}", expected, of, got));
}

// ---- one function per shape

Result<TrainingRecord> split_last(std::vector<Message> messages, const Field& field, RecordKind kind) {
  if (messages.size() < 2 || messages.back().role != Role::kAssistant) {
    return field.wrong("should be a conversation that ends with an assistant's turn");
  }
  if (trim(messages.back().text).empty()) return field.wrong("ends with an empty answer");
  TrainingRecord record{{}, kind, {}, {messages.back().text}, {}};
  messages.pop_back();
  record.prompt = std::move(messages);
  return record;
}

Result<TrainingRecord> conversation_record(const Node& line) {
  VALENCE_TRY(const auto field, field_at(line, "messages"));
  VALENCE_TRY(auto messages, parse_messages(field));
  VALENCE_TRY(auto record, split_last(std::move(messages), field, RecordKind::kMessages));
  record.every_turn = true;
  return record;
}

Result<std::vector<Message>> parse_side(const Field& field) {
  if (field.node.is_array()) return parse_messages(field);
  VALENCE_TRY(const auto text, field.node.as_string());
  auto turns = parse_transcript(text);
  if (!turns) return field.wrong(turns.error().message);
  return turns;
}

/// Chosen and rejected are whole conversations; the prompt is what both begin with.
Result<TrainingRecord> implicit_pair(const Node& line) {
  VALENCE_TRY(const auto chosen_field, field_at(line, "chosen"));
  VALENCE_TRY(const auto rejected_field, field_at(line, "rejected"));
  VALENCE_TRY(auto chosen, parse_side(chosen_field));
  VALENCE_TRY(auto rejected, parse_side(rejected_field));
  VALENCE_TRY(auto record, split_last(std::move(chosen), chosen_field, RecordKind::kPreference));
  VALENCE_TRY(auto other, split_last(std::move(rejected), rejected_field, RecordKind::kPreference));
  if (!same_turns(record.prompt, other.prompt)) {
    return rejected_field.wrong(
        "should differ from \"chosen\" in the last answer only; write the shared turns as \"prompt\"");
  }
  record.completions.push_back(std::move(other.completions.front()));
  return record;
}

Result<TrainingRecord> explicit_pair(const Node& line, std::vector<Message> prompt) {
  TrainingRecord record{{}, RecordKind::kPreference, std::move(prompt), {}, {}};
  for (const auto* name : {"chosen", "rejected"}) {
    VALENCE_TRY(const auto field, field_at(line, name));
    VALENCE_TRY(auto completion, parse_completion(field));
    record.completions.push_back(std::move(completion));
  }
  return record;
}

Result<TrainingRecord> single_answer(const Node& line, std::vector<Message> prompt) {
  VALENCE_TRY(const auto field, field_at(line, "completion"));
  TrainingRecord record{{}, RecordKind::kMessages, std::move(prompt), {}, {}};
  VALENCE_TRY(auto completion, parse_completion(field));
  record.completions.push_back(std::move(completion));
  if (const auto* label = line.find("label")) {
    VALENCE_TRY(const bool desirable, label->as_bool());
    record.kind = RecordKind::kLabelled;
    record.values = {desirable ? 1.0 : 0.0};
  }
  return record;
}

/// Answers with one score for all are no ranking: their order would be the file's.
Result<void> check_scores(const Field& field, const std::vector<double>& scores) {
  if (std::ranges::any_of(scores, [&](double score) { return score != scores.front(); })) return {};
  return field.wrong("are all the same, so that no answer is better than another; leave the line out");
}

void sort_best_first(TrainingRecord& record) {
  std::vector<std::size_t> order(record.values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) { return record.values[i]; });
  auto sorted = record;
  for (std::size_t i = 0; i < order.size(); ++i) {
    sorted.completions[i] = record.completions[order[i]];
    sorted.values[i] = record.values[order[i]];
  }
  record = std::move(sorted);
}

Result<TrainingRecord> several_answers(const Node& line, std::vector<Message> prompt) {
  VALENCE_TRY(const auto field, field_at(line, "completions"));
  TrainingRecord record{{}, RecordKind::kLabelled, std::move(prompt), {}, {}};
  VALENCE_TRY(record.completions, parse_completions(field));
  if (record.completions.empty()) return field.wrong("should hold at least one answer");
  if (const auto* scores = line.find("scores")) {
    record.kind = RecordKind::kRanked;
    VALENCE_TRY(record.values, scores->as_numbers());
    VALENCE_CHECK(require_count({"scores", *scores}, record.values.size(), record.completions.size(), "completions"));
    if (record.completions.size() < 2) return field.wrong("a ranking needs at least 2 answers");
    VALENCE_CHECK(check_scores({"scores", *scores}, record.values));
    sort_best_first(record);
    return record;
  }
  VALENCE_TRY(const auto labels, field_at(line, "labels"));
  VALENCE_TRY(const auto entries, labels.node.as_array());
  VALENCE_CHECK(require_count(labels, entries.size(), record.completions.size(), "completions"));
  for (const auto& entry : entries) {
    VALENCE_TRY(const bool desirable, entry.as_bool());
    record.values.push_back(desirable ? 1.0 : 0.0);
  }
  return record;
}

Result<void> check_distribution(const Field& field, const std::vector<double>& target) {
  constexpr double kTolerance = 1e-6;
  const bool negative = std::ranges::any_of(target, [](double p) { return !(p >= 0); });
  const double sum = std::accumulate(target.begin(), target.end(), 0.0);
  if (!negative && std::abs(sum - 1.0) <= kTolerance) return {};
  return field.wrong(fmt::format("should be probabilities with the sum 1, their sum is {}", sum));
}

Result<TrainingRecord> choice_record(const Node& line, std::vector<Message> prompt) {
  VALENCE_TRY(const auto options, field_at(line, "options"));
  TrainingRecord record{{}, RecordKind::kChoice, std::move(prompt), {}, {}};
  VALENCE_TRY(record.completions, parse_completions(options));
  const auto count = record.completions.size();
  if (count < 2) return options.wrong(fmt::format("a choice needs at least 2 options, got {}", count));
  if (const auto* answer = line.find("answer")) {
    VALENCE_TRY(const auto index, answer->as_integer());
    if (index < 0 || static_cast<std::size_t>(index) >= count) {
      return Field{"answer", *answer}.wrong(
          fmt::format("should be the index of an option, 0 to {}, got {}", count - 1, index));
    }
    record.values.assign(count, 0.0);
    record.values[static_cast<std::size_t>(index)] = 1.0;
    return record;
  }
  VALENCE_TRY(const auto target, field_at(line, "target"));
  VALENCE_TRY(record.values, target.node.as_numbers());
  VALENCE_CHECK(require_count(target, record.values.size(), count, "options"));
  VALENCE_CHECK(check_distribution(target, record.values));
  return record;
}

Result<TrainingRecord> parse_record(const Node& line) {
  if (!line.is_table()) return tl::unexpected(line.error("should be a JSON object"));
  VALENCE_CHECK(line.allow_only({"messages", "prompt", "completion", "completions", "chosen", "rejected", "label",
                                 "labels", "scores", "options", "target", "answer", "id", "source", "score_chosen",
                                 "score_rejected", "tools"}));
  if (line.find("messages") != nullptr) return conversation_record(line);
  const auto* prompt_node = line.find("prompt");
  if (prompt_node == nullptr) {
    if (line.find("chosen") != nullptr) return implicit_pair(line);
    return tl::unexpected(line.error("should have \"prompt\", \"messages\", or \"chosen\" and \"rejected\""));
  }
  VALENCE_TRY(auto prompt, parse_prompt({"prompt", *prompt_node}));
  if (line.find("chosen") != nullptr || line.find("rejected") != nullptr) return explicit_pair(line, std::move(prompt));
  if (line.find("completions") != nullptr) return several_answers(line, std::move(prompt));
  if (line.find("completion") != nullptr) return single_answer(line, std::move(prompt));
  if (line.find("options") != nullptr) return choice_record(line, std::move(prompt));
  return TrainingRecord{{}, RecordKind::kPrompt, std::move(prompt), {}, {}};
}

Error mixed(const Node& line, RecordKind kind, RecordKind first) {
  return line.error(fmt::format("is a {}, but the file began with a {}: keep kinds in files of their own",
                                to_string(kind), to_string(first)));
}

struct Speaker {
  std::string_view mark;
  Role role;
};
constexpr std::array kSpeakers{Speaker{"\n\nHuman:", Role::kUser}, Speaker{"\n\nAssistant:", Role::kAssistant}};

/// The nearest speaker's mark at or after `from`; its place is npos when there is none.
std::pair<std::size_t, Speaker> next_speaker(std::string_view text, std::size_t from) {
  std::pair found{std::string_view::npos, kSpeakers[0]};
  for (const auto& speaker : kSpeakers) {
    const auto at = text.find(speaker.mark, from);
    if (at < found.first) found = {at, speaker};
  }
  return found;
}

}  // namespace

Result<std::vector<Message>> parse_transcript(std::string_view text) {
  std::vector<Message> turns;
  auto [at, speaker] = next_speaker(text, 0);
  if (at == std::string_view::npos || !trim(text.substr(0, at)).empty()) {
    return fail(ErrorCode::kUsage, "should be a transcript that begins with \"\\n\\nHuman:\", or a list of turns");
  }
  while (at != std::string_view::npos) {
    const auto begin = at + speaker.mark.size();
    const auto [end, next] = next_speaker(text, begin);
    turns.push_back({speaker.role, trim(text.substr(begin, end == std::string_view::npos ? end : end - begin))});
    at = end;
    speaker = next;
  }
  return turns;
}

Result<std::vector<TrainingRecord>> parse_training_data(std::string_view text, std::string_view name,
                                                        std::vector<std::string>* left_out) {
  VALENCE_TRY(const auto lines, parse_jsonl(text, name));
  std::vector<TrainingRecord> records;
  for (const auto& line : lines) {
    auto record = parse_record(line);
    if (!record && left_out != nullptr) {
      left_out->push_back(record.error().message);
      continue;
    }
    if (!record) return tl::unexpected(std::move(record).error());
    record->where = {line.position().file, line.position().line, 0};
    if (!records.empty() && record->kind != records.front().kind)
      return tl::unexpected(mixed(line, record->kind, records.front().kind));
    records.push_back(*std::move(record));
  }
  if (records.empty()) return fail(ErrorCode::kUsage, "{}: there is no training data in it", name);
  return records;
}

Result<std::vector<TrainingRecord>> read_training_data(const std::filesystem::path& path,
                                                       std::vector<std::string>* left_out) {
  VALENCE_TRY(const auto text, read_file(path));
  return parse_training_data(text, path.string(), left_out);
}

bool same_turns(std::span<const Message> a, std::span<const Message> b) {
  return std::ranges::equal(a, b,
                            [](const Message& x, const Message& y) { return x.role == y.role && x.text == y.text; });
}

std::string_view to_string(RecordKind kind) {
  return std::ranges::find(kKinds, kind, &std::pair<RecordKind, std::string_view>::first)->second;
}

}  // namespace valence
