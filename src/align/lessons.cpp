#include "valence/align/lessons.h"

#include <nlohmann/json.hpp>

#include "valence/align/training.h"
#include "valence/base/json.h"
#include "valence/exam/conversation_for.h"
#include "valence/model/registry.h"

namespace valence {
namespace {

Json messages_json(const OpenPrompt& prompt) {
  Json messages = Json::array();
  for (const auto& turn : prompt.history) messages.push_back({{"role", to_string(turn.role)}, {"content", turn.text}});
  messages.push_back({{"role", "user"}, {"content", prompt.text}});
  return messages;
}

Json lesson_json(const Lesson& lesson) {
  Json json = {{"prompt", messages_json(lesson.prompt)}};
  if (lesson.answers.front().reward) {
    for (const auto& answer : lesson.answers) {
      json["completions"].push_back(answer.text);
      json["scores"].push_back(*answer.reward);
    }
  } else if (lesson.answers.size() == 1) {
    json["completion"] = lesson.answers.front().text;
  } else {
    json["chosen"] = lesson.answers.at(0).text;
    json["rejected"] = lesson.answers.at(1).text;
  }
  return json;
}

Result<TrainingExample> example_of(const Subject& subject, const Lesson& lesson, std::size_t number) {
  const auto conversation = conversation_for(subject, lesson.prompt.history, lesson.prompt.text, "");
  VALENCE_TRY(const auto context, subject.model->render(conversation, subject.render));
  TrainingExample example{fmt::format("{} ({})", lesson.prompt.id, number + 1), {}};
  for (const auto& answer : lesson.answers) {
    if (context.tokens.empty() || answer.tokens.empty()) {
      return fail(ErrorCode::kUnsupported, "{} cannot be trained: its answers have no tokens", subject.name);
    }
    AnswerPath path{context.tokens, context.tokens.size(), 0, answer.reward.value_or(1.0)};
    path.sampler_logprobs = answer.logprobs;
    path.ended = answer.ended;
    path.tokens.insert(path.tokens.end(), answer.tokens.begin(), answer.tokens.end());
    example.paths.push_back(std::move(path));
  }
  return example;
}

Result<SubjectSpec> train(const Teaching& teaching) {
  VALENCE_TRY(const auto* operation, find_operation(teaching.operation));
  VALENCE_TRY(auto settings, Settings::resolve(operation->settings, teaching.settings));
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  VALENCE_TRY(auto file, registry.resolve(teaching.subject.model.name));
  std::vector<TrainingExample> examples;
  {  // the weights are let go of before the trainer loads its own
    VALENCE_TRY(const auto subject, open_subject(teaching.subject));
    VALENCE_TRY(examples, lesson_examples(subject, teaching.lessons));
  }
  const TrainingRequest request{*operation,
                                std::move(settings),
                                std::move(file),
                                teaching.subject.model.adapters,
                                std::move(examples),
                                {},
                                teaching.folder,
                                teaching.seed,
                                teaching.subject.model.engine.threads,
                                fmt::format("{} lessons", teaching.lessons.size()),
                                teaching.start};
  VALENCE_TRY(const auto run, run_training(request, teaching.store, {teaching.stop, false}));
  auto taught = teaching.subject;
  taught.model = trained_model(taught.model, run.outcome);
  return taught;
}

}  // namespace

std::string to_jsonl(std::span<const Lesson> lessons) {
  std::string text;
  for (const auto& lesson : lessons) text += to_text(lesson_json(lesson)) + "\n";
  return text;
}

Result<std::vector<TrainingExample>> lesson_examples(const Subject& subject, std::span<const Lesson> lessons) {
  std::vector<TrainingExample> examples;
  for (std::size_t i = 0; i < lessons.size(); ++i) {
    VALENCE_TRY(auto example, example_of(subject, lessons[i], i));
    examples.push_back(std::move(example));
  }
  return examples;
}

Teach teach_by_training() { return train; }

}  // namespace valence
