#pragma once

#include <cmath>
#include <functional>
#include <memory>
#include <utility>

#include "valence/base/digest.h"
#include "valence/exam/examiner.h"
#include "valence/model/language_model.h"

namespace valence::testing {

/// A model that answers each request by a function; groups of `group_size` in order. Counts what it computes.
class FakeModel : public LanguageModel {
 public:
  using Respond = std::function<Result<Response>(const Request&)>;

  explicit FakeModel(Respond respond, std::size_t group_size = 4) : respond_(std::move(respond)), group_size_(group_size) {
    card_.name = "fake";
    card_.backend = "fake";
    card_.identity = sha256("fake");
    card_.can = {.scores = true, .generates = true, .grammar = false, .json_schema = false, .seeds = true, .chat = true};
  }

  const ModelCard& card() const override { return card_; }
  ModelCard& change_card() { return card_; }

  Result<Prompt> render(const Conversation& conversation, const RenderOptions&) const override {
    ++renders;
    Prompt prompt{{}, to_wire(conversation)};
    for (const char c : prompt.wire) prompt.tokens.push_back(static_cast<TokenId>(static_cast<unsigned char>(c)));
    return prompt;
  }

  Result<std::vector<TokenView>> view(const Prompt& prompt) const override {
    return std::vector<TokenView>{{0, "<" + prompt.wire.substr(0, 10) + ">", false}};
  }

  Result<Plan> plan(std::vector<Request> requests) const override {
    Plan plan{std::move(requests), {}};
    for (std::size_t i = 0; i < plan.requests.size(); ++i) {
      if (i % group_size_ == 0) plan.groups.emplace_back();
      plan.groups.back().requests.push_back(i);
      plan.groups.back().cost += 10;
    }
    for (auto& group : plan.groups) group.digest = digest_of(plan, group);
    return plan;
  }

  Result<void> run(const Plan& plan, std::span<const std::size_t> missing, Sink& sink, const RunControl& control) override {
    for (const auto index : missing) {
      if (control.stop.stop_requested()) return fail(ErrorCode::kStopped, "stopped");
      std::vector<Result<Response>> responses;
      for (const auto request : plan.groups[index].requests) responses.push_back(respond_(plan.requests[request]));
      if (auto done = sink.done(index, responses); !done) return done;
      ++groups_run;
      if (after_group) after_group(groups_run);
    }
    return {};
  }

  mutable std::size_t renders = 0;
  std::size_t groups_run = 0;
  std::function<void(std::size_t)> after_group;

 private:
  static Digest digest_of(const Plan& plan, const Group& group) {
    Hasher hasher;
    for (const auto index : group.requests) {
      const auto& request = plan.requests[index];
      if (const auto* score = std::get_if<ScoreRequest>(&request)) {
        hasher.add(score->context.wire);
        for (const auto& continuation : score->continuations) hasher.add(continuation);
      } else {
        const auto& generate = std::get<GenerateRequest>(request);
        hasher.add(generate.context.wire).add(generate.sampling.seed);
      }
    }
    return hasher.finish();
  }

  ModelCard card_;
  Respond respond_;
  std::size_t group_size_;
};

inline ContinuationScore scored(std::vector<double> logprobs, std::optional<double> terminator = {}) {
  return {std::move(logprobs), terminator};
}

/// Every continuation gets its probability from the list, as one token.
inline FakeModel::Respond constant(std::vector<double> probabilities) {
  return [probabilities](const Request& request) -> Result<Response> {
    ContinuationScores scores;
    for (std::size_t i = 0; i < std::get<ScoreRequest>(request).continuations.size(); ++i) {
      scores.continuations.push_back(scored({std::log(probabilities[i])}));
    }
    return Response(scores);
  };
}

inline FakeModel::Respond saying(std::string text) {
  return [text](const Request&) -> Result<Response> { return Response(Completion{text, {}, {}, FinishReason::kEndOfTurn}); };
}

inline Subject subject_of(std::shared_ptr<LanguageModel> model) {
  Subject subject;
  subject.name = "fake subject";
  subject.model = std::move(model);
  return subject;
}

inline ChoiceQuestion letter_question(std::string item, std::vector<std::string> options) {
  ChoiceQuestion question;
  question.tag.unit = "unit";
  question.tag.item = std::move(item);
  question.letter_form = "Which?\n{options}\nAnswer {labels}.";
  question.text_form = "Which?";
  question.options = std::move(options);
  return question;
}

inline const ChoiceAnswer& choice(const Answer& answer) { return std::get<ChoiceAnswer>(answer); }

}  // namespace valence::testing
