#include "wave.h"

#include <algorithm>
#include <chrono>

#include "group_payload.h"
#include "valence/base/text.h"

namespace valence {
namespace {

using Clock = std::chrono::steady_clock;

const Prompt& prompt_of(const Request& request) {
  return std::visit([](const auto& one) -> const Prompt& { return one.context; }, request);
}

/// Requests that fit the model, and where each stood.
struct Fitting {
  std::vector<Request> requests;
  std::vector<std::size_t> index;
};

Fitting fitting_requests(std::vector<Request> requests, std::size_t limit, std::vector<Answered>& answered) {
  Fitting fitting;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto length = prompt_of(requests[i]).tokens.size();
    if (limit > 0 && length >= limit) {
      answered[i].response = fail(ErrorCode::kUnsupported, "the question takes {} tokens, the model's context holds {}",
                                  with_thousands(length), with_thousands(limit));
      continue;
    }
    fitting.requests.push_back(std::move(requests[i]));
    fitting.index.push_back(i);
  }
  return fitting;
}

/// Files groups as they come, on the thread that runs the wave.
class Filing : public Sink {
 public:
  Filing(const Plan& plan, const std::vector<std::size_t>& index, const Keeping& keeping,
         std::vector<Answered>& answered, Examiner::Statistics& statistics)
      : plan_(plan), index_(index), keeping_(keeping), answered_(answered), statistics_(statistics) {}

  /// Takes a group from the store; false when it must be computed.
  Result<bool> replay(const Group& group) {
    if (!keeping_.store) return false;
    VALENCE_TRY(const auto stored, keeping_.store->group(keeping_.run, group.digest, keeping_.reuse));
    if (!stored) return false;
    auto responses = decode_group(stored->payload, plan_, group);
    if (!responses) {
      VALENCE_CHECK(keeping_.store->log(keeping_.run, "warning",
                                        fmt::format("group {}: the stored answers are damaged ({}); computed again",
                                                    group.digest.brief(), responses.error().message)));
      return false;
    }
    for (std::size_t i = 0; i < group.requests.size(); ++i) hand_back(group, i, std::move((*responses)[i]));
    ++statistics_.groups_replayed;
    statistics_.answered += group.requests.size();
    return true;
  }

  Result<void> done(std::size_t index, std::span<const Result<Response>> responses) override {
    const auto& group = plan_.groups[index];
    if (responses.size() != group.requests.size()) {
      return fail(ErrorCode::kModel, "the engine gave {} answers to {} requests", responses.size(), group.requests.size());
    }
    const auto now = Clock::now();
    VALENCE_CHECK(keep(group, responses, std::chrono::duration<double>(now - last_).count()));
    last_ = now;
    for (std::size_t i = 0; i < responses.size(); ++i) hand_back(group, i, responses[i]);
    ++statistics_.groups_computed;
    return {};
  }

 private:
  Result<void> keep(const Group& group, std::span<const Result<Response>> responses, double seconds) {
    const bool whole = std::ranges::all_of(responses, [](const auto& response) { return response.has_value(); });
    if (!keeping_.store || !whole) return {};
    std::vector<Response> values;
    for (const auto& response : responses) values.push_back(*response);
    VALENCE_CHECK(keeping_.store->put_group(keeping_.run, group.digest, {encode_group(values), seconds, group.cost}));
    statistics_.answered += group.requests.size();
    return {};
  }

  void hand_back(const Group& group, std::size_t place, Result<Response> response) {
    auto& answered = answered_[index_[group.requests[place]]];
    answered.response = std::move(response);
    answered.digest = group.digest.hex();
  }

  const Plan& plan_;
  const std::vector<std::size_t>& index_;
  const Keeping& keeping_;
  std::vector<Answered>& answered_;
  Examiner::Statistics& statistics_;
  Clock::time_point last_ = Clock::now();
};

/// The error that ends a run, with what is kept and how to go on.
tl::unexpected<Error> ended(Error error, const Keeping& keeping, const Examiner::Statistics& statistics) {
  const auto how = error.code == ErrorCode::kDiskFull ? "free some space and run the same command to go on"
                                                      : "run the same command to go on";
  error.message += fmt::format(". {} of {} answers are kept; {}", with_thousands(statistics.answered), with_thousands(statistics.requests),
                               keeping.store ? how : "there is no store to go on from");
  return tl::unexpected(std::move(error));
}

std::size_t cost_of(const Plan& plan, std::span<const std::size_t> groups) {
  std::size_t cost = 0;
  for (const auto group : groups) cost += plan.groups[group].cost;
  return cost;
}

Result<void> compute(LanguageModel& model, const Plan& plan, std::span<const std::size_t> missing, Filing& filing,
                     const WaveControl& control) {
  if (missing.empty()) return {};
  if (control.stop.stop_requested()) return fail(ErrorCode::kStopped, "stopped");
  if (control.progress) control.progress->start(control.what, cost_of(plan, missing), "tokens");
  auto done = model.run(plan, missing, filing, {control.stop, control.progress});
  if (control.progress) control.progress->finish();
  return done;
}

}  // namespace

Result<std::vector<Answered>> answer_all(LanguageModel& model, std::vector<Request> requests, const Keeping& keeping,
                                         const WaveControl& control, Examiner::Statistics& statistics) {
  std::vector<Answered> answered(requests.size());
  statistics.requests += requests.size();
  auto fitting = fitting_requests(std::move(requests), model.card().context_limit, answered);
  VALENCE_TRY(const auto plan, model.plan(std::move(fitting.requests)));

  Filing filing(plan, fitting.index, keeping, answered, statistics);
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < plan.groups.size(); ++i) {
    VALENCE_TRY(const auto stored, filing.replay(plan.groups[i]));
    if (!stored) missing.push_back(i);
  }
  if (auto done = compute(model, plan, missing, filing, control); !done) {
    return ended(std::move(done).error(), keeping, statistics);
  }
  return answered;
}

}  // namespace valence
