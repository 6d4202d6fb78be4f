#include "taught_model.h"

#include <numeric>

namespace valence {
namespace {

/// Hands the teacher's responses on, one group per request.
class Relay final : public Sink {
 public:
  Relay(const Plan& plan, std::span<const std::size_t> groups, Sink& sink)
      : plan_(plan), groups_(groups), sink_(sink) {}

  Result<void> done(std::size_t group, std::span<const Result<Response>> responses) override {
    const auto& requests = plan_.groups[group].requests;
    for (std::size_t i = 0; i < requests.size(); ++i)
      VALENCE_CHECK(sink_.done(groups_[requests[i]], responses.subspan(i, 1)));
    return {};
  }

 private:
  const Plan& plan_;                     // the teacher's
  std::span<const std::size_t> groups_;  // of the student's plan, by request of the teacher's
  Sink& sink_;
};

/// The teacher's own system prompt above whatever the conversation begins with.
Conversation steered(Conversation conversation, const std::string& system) {
  if (system.empty()) return conversation;
  auto& messages = conversation.messages;
  if (!messages.empty() && messages.front().role == Role::kSystem) {
    messages.front().text = system + "\n\n" + messages.front().text;
  } else {
    messages.insert(messages.begin(), {Role::kSystem, system});
  }
  return conversation;
}

}  // namespace

TaughtModel::TaughtModel(const Subject& student, const Teacher& teacher)
    : student_(student), teacher_(teacher), card_(student.model->card()) {
  card_.can.scores = teacher.model->card().can.scores;
  card_.can.generates = teacher.model->card().can.generates;
}

Result<Prompt> TaughtModel::render(const Conversation& conversation, const RenderOptions& options) const {
  VALENCE_TRY(auto prompt, student_.model->render(conversation, options));
  VALENCE_TRY(auto theirs, teacher_.model->render(steered(conversation, teacher_.system_prompt), options));
  prompts_.insert_or_assign(prompt.digest(), std::move(theirs));
  return prompt;
}

Result<Request> TaughtModel::for_teacher(Request request) const {
  auto& prompt = std::visit([](auto& one) -> Prompt& { return one.context; }, request);
  const auto theirs = prompts_.find(prompt.digest());
  if (theirs == prompts_.end()) return fail(ErrorCode::kInvalid, "a prompt was not rendered by this model");
  prompt = theirs->second;
  return request;
}

Result<Plan> TaughtModel::plan(std::vector<Request> requests) const {
  Plan plan;
  for (std::size_t i = 0; i < requests.size(); ++i) plan.groups.push_back({request_digest(requests[i]), {i}, 1});
  plan.requests = std::move(requests);
  return plan;
}

Result<void> TaughtModel::run(const Plan& plan, std::span<const std::size_t> missing, Sink& sink,
                              const RunControl& control) {
  std::vector<Request> requests;
  for (const auto group : missing) {
    const auto& request = plan.requests[plan.groups[group].requests.front()];
    if (const auto* score = std::get_if<ScoreRequest>(&request))
      scored_.insert_or_assign(plan.groups[group].digest.hex(), *score);
    VALENCE_TRY(auto theirs, for_teacher(request));
    requests.push_back(std::move(theirs));
  }
  VALENCE_TRY(const auto taught, teacher_.model->plan(std::move(requests)));
  std::vector<std::size_t> all(taught.groups.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  Relay relay(taught, missing, sink);
  return teacher_.model->run(taught, all, relay, control);
}

const ScoreRequest* TaughtModel::request(const std::string& digest) const {
  const auto found = scored_.find(digest);
  return found == scored_.end() ? nullptr : &found->second;
}

}  // namespace valence
