#pragma once

#include <map>
#include <string>

#include "valence/align/choice_data.h"

namespace valence {

/// The student as an instrument sees it, answered for by the teacher; keeps every scored request in the student's
/// tokens. Each request is a group of its own, so that an answer row's digest names the request that it came from.
class TaughtModel final : public LanguageModel {
 public:
  TaughtModel(const Subject& student, const Teacher& teacher);

  const ModelCard& card() const override { return card_; }
  Result<Prompt> render(const Conversation& conversation, const RenderOptions& options) const override;
  Result<std::vector<TokenView>> view(const Prompt& prompt) const override { return student_.model->view(prompt); }
  Result<Plan> plan(std::vector<Request> requests) const override;
  Result<void> run(const Plan& plan, std::span<const std::size_t> missing, Sink& sink,
                   const RunControl& control) override;

  /// The scored request behind an answer row; null for drawn answers.
  const ScoreRequest* request(const std::string& digest) const;

 private:
  Result<Request> for_teacher(Request request) const;

  const Subject& student_;
  const Teacher& teacher_;
  ModelCard card_;
  mutable std::map<Digest, Prompt> prompts_;  // student's prompt → teacher's
  std::map<std::string, ScoreRequest> scored_;
};

}  // namespace valence
