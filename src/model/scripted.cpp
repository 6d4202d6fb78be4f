#include "valence/model/scripted.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "scripted_choice.h"
#include "valence/base/random.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::size_t kGroupSize = 8;  // requests committed together
constexpr double kRounding = 1e-9;     // by which probabilities may miss their bounds

ModelCard make_card(std::string name, const std::string& definition, std::string description,
                    std::vector<std::pair<std::string, std::string>> facts) {
  ModelCard card;
  card.name = std::move(name);
  card.backend = "scripted";
  card.identity = sha256(definition);
  card.description = std::move(description);
  card.can = {.scores = true, .generates = true, .grammar = false, .json_schema = false, .seeds = true, .chat = true};
  card.simulated = true;
  card.facts = std::move(facts);
  return card;
}

/// The behaviour's probabilities, checked: what it does wrong is its author's error, reported where it shows.
Result<std::vector<double>> probabilities(const ScriptedBehaviour& behaviour, const ScriptedChoice& choice) {
  auto chosen = behaviour.choose(choice);
  const bool valid = std::all_of(chosen.begin(), chosen.end(), [](double p) { return p >= 0.0; });
  const double sum = std::accumulate(chosen.begin(), chosen.end(), 0.0);
  if (chosen.size() != choice.labels.size() || !valid || !(sum <= 1.0 + kRounding)) {
    return fail(ErrorCode::kModel, "a scripted subject gave {} probabilities with the sum {} for {} options",
                chosen.size(), sum, choice.labels.size());
  }
  return chosen;
}

Result<Response> score(const ScriptedBehaviour& behaviour, const ScoreRequest& request) {
  VALENCE_TRY(const auto conversation, from_wire(request.context.wire));
  VALENCE_TRY(const auto chosen, probabilities(behaviour, read_choice(conversation, request.continuations)));
  ContinuationScores scores;
  for (const auto p : chosen) scores.continuations.push_back({{std::log(std::max(p, kScriptedFloor))}, std::nullopt});
  return scores;
}

// ---- generation

/// p^(1/temperature), scaled to 1; temperature 0 leaves the most probable, the first among equals.
std::vector<double> tempered(std::vector<double> weights, double temperature) {
  const auto top = std::max_element(weights.begin(), weights.end());
  const double highest = *top;
  if (temperature <= 0.0) {
    const auto winner = top - weights.begin();
    std::fill(weights.begin(), weights.end(), 0.0);
    weights[static_cast<std::size_t>(winner)] = 1.0;
    return weights;
  }
  for (auto& weight : weights) weight = std::pow(weight / highest, 1.0 / temperature);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (auto& weight : weights) weight /= sum;
  return weights;
}

/// Keeps the most probable outcomes up to a mass of `top_p`, at least one.
std::vector<double> nucleus(std::vector<double> weights, double top_p) {
  std::vector<std::size_t> order(weights.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return weights[a] > weights[b]; });
  double before = 0.0;
  for (const auto i : order) {
    const double own = weights[i];
    if (before > 0.0 && before >= top_p - kRounding) weights[i] = 0.0;
    before += own;
  }
  return weights;
}

/// At most `limit` words.
bool cut_to_words(std::string& text, int limit) {
  std::size_t at = 0;
  for (int word = 0; word < limit; ++word) {
    at = text.find_first_not_of(" \n\t", at);
    if (at == std::string::npos) return false;
    at = std::min(text.find_first_of(" \n\t", at), text.size());
  }
  if (text.find_first_not_of(" \n\t", at) == std::string::npos) return false;
  text.resize(at);
  return true;
}

bool cut_at_stop(std::string& text, const std::vector<std::string>& stops) {
  auto first = std::string::npos;
  for (const auto& stop : stops) {
    if (!stop.empty()) first = std::min(first, text.find(stop));
  }
  if (first == std::string::npos) return false;
  text.resize(first);
  return true;
}

Completion finished(std::string text, const Sampling& sampling, std::vector<double> logprobs) {
  const bool length = cut_to_words(text, sampling.max_tokens);
  const bool stop = cut_at_stop(text, sampling.stop);
  const auto reason = stop ? FinishReason::kStopString : length ? FinishReason::kLength : FinishReason::kEndOfTurn;
  return {std::move(text), {}, std::move(logprobs), reason};
}

Result<Response> answer_choice(const ScriptedBehaviour& behaviour, const ScriptedChoice& choice,
                               const Sampling& sampling) {
  VALENCE_TRY(auto outcomes, probabilities(behaviour, choice));
  outcomes.push_back(std::max(0.0, 1.0 - std::accumulate(outcomes.begin(), outcomes.end(), 0.0)));
  if (outcomes.back() <= kRounding) outcomes.back() = 0.0;
  RandomStream stream(sampling.seed, "scripted answer");
  const auto drawn = stream.categorical(nucleus(tempered(outcomes, sampling.temperature), sampling.top_p));
  auto text = drawn < choice.labels.size() ? choice.labels[drawn] : behaviour.decline(sampling.seed);
  return finished(std::move(text), sampling, {std::log(outcomes[drawn])});
}

Result<Response> generate(const ScriptedBehaviour& behaviour, const GenerateRequest& request) {
  VALENCE_TRY(const auto conversation, from_wire(request.context.wire));
  const auto labels = listed_labels(last_user_turn(conversation));
  if (!labels.empty()) return answer_choice(behaviour, read_choice(conversation, labels), request.sampling);
  return finished(behaviour.reply(conversation, request.sampling.seed), request.sampling, {});
}

Result<Response> respond(const ScriptedBehaviour& behaviour, const Request& request) {
  if (const auto* asked = std::get_if<ScoreRequest>(&request)) return score(behaviour, *asked);
  return generate(behaviour, std::get<GenerateRequest>(request));
}

bool constrained(const Request& request) {
  const auto* asked = std::get_if<GenerateRequest>(&request);
  return asked != nullptr && asked->constraint.kind != Constraint::Kind::kNone;
}

class ScriptedModel final : public LanguageModel {
 public:
  ScriptedModel(ModelCard card, std::shared_ptr<const ScriptedBehaviour> behaviour)
      : card_(std::move(card)), behaviour_(std::move(behaviour)) {}

  const ModelCard& card() const override { return card_; }

  Result<Prompt> render(const Conversation& conversation, const RenderOptions&) const override {
    return Prompt{{}, to_wire(conversation)};  // no template: nothing thinks and no date is printed
  }

  Result<std::vector<TokenView>> view(const Prompt& prompt) const override {
    return std::vector<TokenView>{{-1, prompt.wire, false}};
  }

  Result<Plan> plan(std::vector<Request> requests) const override {
    if (std::any_of(requests.begin(), requests.end(), constrained)) {
      return fail(ErrorCode::kUnsupported, "model {}: a scripted subject cannot be held to a grammar or a JSON schema",
                  card_.name);
    }
    Plan plan{std::move(requests), {}};
    for (std::size_t first = 0; first < plan.requests.size(); first += kGroupSize) {
      plan.groups.push_back(make_group(plan.requests, first));
    }
    return plan;
  }

  Result<void> run(const Plan& plan, std::span<const std::size_t> missing, Sink& sink,
                   const RunControl& control) override {
    for (const auto group : missing) {
      if (control.stop.stop_requested()) return fail(ErrorCode::kStopped, "stopped before group {}", group + 1);
      VALENCE_CHECK(sink.done(group, compute(plan, plan.groups.at(group))));
      if (control.progress != nullptr) control.progress->advance(plan.groups[group].cost);
    }
    return {};
  }

 private:
  Group make_group(const std::vector<Request>& requests, std::size_t first) const {
    Group group;
    Hasher hasher;
    hasher.add("scripted 1").add(card_.identity);
    for (auto i = first; i < std::min(first + kGroupSize, requests.size()); ++i) {
      group.requests.push_back(i);
      hasher.add(request_digest(requests[i]));
    }
    group.digest = hasher.finish();
    group.cost = group.requests.size();
    return group;
  }

  std::vector<Result<Response>> compute(const Plan& plan, const Group& group) const {
    std::vector<Result<Response>> responses;
    for (const auto request : group.requests) responses.push_back(respond(*behaviour_, plan.requests.at(request)));
    return responses;
  }

  ModelCard card_;
  std::shared_ptr<const ScriptedBehaviour> behaviour_;
};

}  // namespace

std::string ScriptedBehaviour::decline(std::uint64_t) const { return "I would rather not choose."; }

std::unique_ptr<LanguageModel> scripted_model(std::string name, std::string definition,
                                              std::shared_ptr<const ScriptedBehaviour> behaviour,
                                              std::string description,
                                              std::vector<std::pair<std::string, std::string>> facts) {
  auto card = make_card(std::move(name), definition, std::move(description), std::move(facts));
  return std::make_unique<ScriptedModel>(std::move(card), std::move(behaviour));
}

}  // namespace valence
