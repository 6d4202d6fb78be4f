// Critique and revision: a subject holds its own answers against principles (Bai et al. 2022, the first stage).
#include <memory>

#include "valence/align/constitution.h"
#include "valence/base/text.h"

namespace valence {
namespace {

const OpenAnswer& open(const Answer& answer) { return std::get<OpenAnswer>(answer); }

bool was_said(const Answer& answer) {
  return open(answer).status == Status::kScored || open(answer).status == Status::kRefused;
}

/// The answers come in the order: first answer, then per round a critique and a rewriting.
class RevisionDialogue final : public Dialogue {
 public:
  RevisionDialogue(const Constitution& constitution, const OpenPrompt& prompt, const RevisionOptions& options,
                   std::uint64_t seed)
      : constitution_(constitution), prompt_(prompt), options_(options), seed_(seed) {}

  std::vector<Question> next(std::span<const Answer> history) override {
    if (!history.empty() && !was_said(history.back())) return {};
    if (history.size() > 2 * options_.rounds) return {};
    if (history.empty()) return {question(prompt_.history, prompt_.text, "answer")};
    const auto round = (history.size() - 1) / 2;
    const bool critique = history.size() % 2 == 1;
    return {critique
                ? question(after(history), said(constitution_.critique, round), fmt::format("critique {}", round + 1))
                : question(after(history), said(constitution_.revision, round), fmt::format("revision {}", round + 1))};
  }

 private:
  /// The turns so far: the prompt, its latest answer and, before a rewriting, the critique.
  std::vector<Message> after(std::span<const Answer> history) const {
    const auto round = (history.size() - 1) / 2;
    auto turns = prompt_.history;
    turns.push_back({Role::kUser, prompt_.text});
    turns.push_back({Role::kAssistant, open(history[2 * round]).row.text});
    if (history.size() % 2 == 0) {
      turns.push_back({Role::kUser, said(constitution_.critique, round)});
      turns.push_back({Role::kAssistant, open(history.back()).row.text});
    }
    return turns;
  }

  std::string said(const std::string& form, std::size_t round) const {
    return replace_all(form, "{principle}", constitution_.drawn(seed_, prompt_.id, round).text);
  }

  Question question(std::vector<Message> history, std::string text, std::string variant) const {
    OpenQuestion question;
    question.tag = {prompt_.id, "", "constitution", prompt_.text, std::move(variant)};
    question.history = std::move(history);
    question.text = std::move(text);
    question.sampling.max_tokens = options_.max_tokens;
    return question;
  }

  const Constitution& constitution_;
  const OpenPrompt& prompt_;
  RevisionOptions options_;
  std::uint64_t seed_;
};

Revision revision_of(std::size_t prompt, const std::string& id, const std::vector<Answer>& answers,
                     const Constitution& constitution, std::uint64_t seed) {
  Revision revision;
  revision.prompt = prompt;
  revision.first = revision.last = open(answers.front());
  revision.status = was_said(answers.back()) ? Status::kScored : open(answers.back()).status;
  for (std::size_t i = 2; i < answers.size() && was_said(answers[i]); i += 2) {
    revision.principles.push_back(constitution.drawn(seed, id, i / 2 - 1).id);
    revision.critiques.push_back(open(answers[i - 1]).row.text);
    revision.last = open(answers[i]);
  }
  return revision;
}

}  // namespace

Result<std::vector<Revision>> revise(Examiner& examiner, const Constitution& constitution,
                                     std::span<const OpenPrompt> prompts, const RevisionOptions& options) {
  std::vector<std::unique_ptr<Dialogue>> dialogues;
  for (const auto& prompt : prompts)
    dialogues.push_back(std::make_unique<RevisionDialogue>(constitution, prompt, options, examiner.seed()));
  VALENCE_TRY(const auto answers, examiner.converse(dialogues));
  std::vector<Revision> revisions;
  for (std::size_t i = 0; i < prompts.size(); ++i)
    revisions.push_back(revision_of(i, prompts[i].id, answers[i], constitution, examiner.seed()));
  return revisions;
}

}  // namespace valence
