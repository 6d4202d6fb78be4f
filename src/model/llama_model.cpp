#include <algorithm>
#include <optional>

#include "llama_engine.h"
#include "llama_requests.h"
#include "llama_score.h"
#include "valence/base/text.h"
#include "valence/model/llama.h"
#include "valence/model/tune.h"

namespace valence {
namespace {

constexpr std::size_t kLeastContext = 4096;     // cells that score groups may fill when the user sets none
constexpr std::size_t kRunningStates = 16;      // sequences of memories whose state is large
constexpr std::size_t kApartBytes = 1U << 30U;  // that a group's sequences may fill where each has a memory of its own
constexpr std::string_view kPlanVersion = "valence llama plan 3";

/// Of an F32 cache, in all blocks.
std::size_t bytes_per_cell(const GgufInfo& info) {
  const auto number = [&](std::string_view key) { return info.number(fmt::format("{}.{}", info.architecture(), key)); };
  const auto heads = std::max<std::uint64_t>(number("attention.head_count"), 1);
  const auto shared = number("attention.head_count_kv");  // 0: absent, or another number in each block
  const auto width = std::max(number("embedding_length") / heads, std::max(number("attention.key_length"), number("attention.value_length")));
  return std::max<std::uint64_t>(number("block_count") * (shared > 0 ? shared : heads) * width * 2 * sizeof(float), 1);
}

/// Which formats scoring and generation compute in.
std::pair<std::string, std::string> choose_formats(const EngineOptions& options, const Digest& identity,
                                                   const EngineFacts& facts) {
  if (options.format != "auto") return {options.format, options.format};
  const auto tuning = remembered_tuning(identity, facts.variant, options.threads);
  if (!tuning) return {"as_is", "as_is"};
  return {tuning->scoring, options.reference ? tuning->scoring : tuning->generation};
}

class LlamaModel : public LanguageModel {
 public:
  static Result<std::unique_ptr<LanguageModel>> open(std::string name, CheckedFile file, std::vector<AdapterSpec> adapters,
                                                     EngineOptions options, const EngineFacts& facts);

  const ModelCard& card() const override { return card_; }
  Result<Prompt> render(const Conversation& conversation, const RenderOptions& options) const override;
  Result<std::vector<TokenView>> view(const Prompt& prompt) const override;
  Result<std::vector<TokenId>> continuation(const Prompt& prompt, std::string_view text) const override;
  Result<TokenId> end_of_turn() const override;
  Result<Plan> plan(std::vector<Request> requests) const override;
  Result<void> run(const Plan& plan, std::span<const std::size_t> missing, Sink& sink, const RunControl& control) override;

 private:
  LlamaModel(CheckedFile file, std::vector<AdapterSpec> adapters, EngineOptions options, EngineFacts facts, Engine scoring,
             ChatTemplate chat, std::string generation_format);
  void write_card(std::string name);
  PlanLimits limits() const;
  Hasher begin_digest(std::string_view format) const;
  Digest digest_of(const RequestLayout& layout, const ScoreUnit& unit) const;
  Digest digest_of(const GenerationGroup& group, std::span<const Request> requests) const;
  ContextShape shaped(ContextShape shape) const;
  Result<Engine*> generation_engine();
  Result<std::vector<Result<Response>>> compute_scores(const RequestLayout& layout, std::size_t unit, const RunControl& control);
  Result<std::vector<Result<Response>>> compute_generation(const Plan& plan, const GenerationGroup& group,
                                                           const RunControl& control);

  CheckedFile file_;
  std::vector<AdapterSpec> adapters_;
  EngineOptions options_;
  EngineFacts facts_;
  Engine scoring_;
  std::optional<Engine> generation_;  ///< only if its format is another one; loaded when first needed
  std::string generation_format_;
  ChatTemplate chat_;
  Vocabulary vocabulary_;
  ModelCard card_;
  std::optional<ScoreExecutor> executor_;  ///< of the run under way
};

LlamaModel::LlamaModel(CheckedFile file, std::vector<AdapterSpec> adapters, EngineOptions options, EngineFacts facts,
                       Engine scoring, ChatTemplate chat, std::string generation_format)
    : file_(std::move(file)), adapters_(std::move(adapters)), options_(std::move(options)), facts_(std::move(facts)),
      scoring_(std::move(scoring)), generation_format_(std::move(generation_format)), chat_(std::move(chat)),
      vocabulary_(vocabulary_of(scoring_.weights(), chat_.source())) {}

Result<std::unique_ptr<LanguageModel>> LlamaModel::open(std::string name, CheckedFile file, std::vector<AdapterSpec> adapters,
                                                        EngineOptions options, const EngineFacts& facts) {
  const auto [scoring, generation] = choose_formats(options, file.identity, facts);
  VALENCE_TRY(auto engine, Engine::load(file, scoring, adapters, options));
  VALENCE_TRY(auto chat, template_of(engine.weights()));
  std::unique_ptr<LlamaModel> model(new LlamaModel(std::move(file), std::move(adapters), std::move(options), facts,
                                                   std::move(engine), std::move(chat), generation));
  model->write_card(std::move(name));
  return model;
}

void LlamaModel::write_card(std::string name) {
  const auto* model = scoring_.weights().model.get();
  card_.name = std::move(name);
  card_.backend = "llama";
  card_.identity = file_.identity;
  card_.architecture = file_.info.architecture();
  card_.description = scoring_.weights().desc;
  card_.can = {true, true, true, true, true, !chat_.is_plain()};
  card_.parameters = llama_model_n_params(model);
  card_.context_limit = static_cast<std::size_t>(std::max(llama_model_n_ctx_train(model), 0));
  auto& facts = card_.facts;
  const auto add = [&](std::string_view key, std::string value) { facts.emplace_back(key, std::move(value)); };
  add("engine", fmt::format("llama.cpp {}", facts_.version));
  add("cpu", facts_.cpu);
  add("cpu backend", fmt::format("{} ({})", facts_.backend, facts_.variant.empty() ? "built in" : facts_.variant));
  add("cpu features", facts_.features);
  add("device", facts_.device == "cpu" ? "cpu" : fmt::format("{}, {} layers (untested)", facts_.device, options_.gpu_layers));
  add("threads", std::to_string(options_.threads));
  add("mode", options_.reference ? "reference" : "prefix tree");
  add("file format", file_.info.file_type());
  add("scoring format", scoring_.weights().format);
  add("generation format", generation_format_);
  add("flash attention", options_.cache == "f32" ? "off" : "auto");
  add("cache format", options_.cache);
  add("micro-batch", std::to_string(options_.micro_batch));
  add("sequences", std::to_string(limits().tree.sequences));
  if (limits().generation.apart > 0) add("texts", fmt::format("cache f32, one for each of a group's, where {} cells hold them", with_thousands(limits().generation.apart)));
  if (options_.sharing != "tree") add("sharing", options_.sharing);
  if (!scoring_.weights().branches()) add("memory", "running state: prompts are decoded level by level, which is slower");
  add("template", chat_.is_plain() ? "plain (the file has none)" : chat_.digest().brief());
  if (chat_.merges_system()) add("system turns", "merged into the first user turn");
  for (const auto& adapter : adapters_) add("adapter", fmt::format("{} at {}", adapter.path, adapter.scale));
}

Result<Prompt> LlamaModel::render(const Conversation& conversation, const RenderOptions& options) const {
  VALENCE_TRY(const auto parts, chat_.render(vocabulary_.shield(conversation), options));
  VALENCE_TRY(auto tokens, vocabulary_.tokenize(parts));
  return Prompt{std::move(tokens), {}};
}

Result<std::vector<TokenView>> LlamaModel::view(const Prompt& prompt) const {
  std::vector<TokenView> views;
  for (const auto token : prompt.tokens) {
    if (!vocabulary_.contains(token)) return fail(ErrorCode::kMismatch, "token {} is not of this model", token);
    views.push_back({token, vocabulary_.piece(token, true), vocabulary_.is_control(token)});
  }
  return views;
}

Result<std::vector<TokenId>> LlamaModel::continuation(const Prompt& prompt, std::string_view text) const {
  if (prompt.tokens.empty()) return fail(ErrorCode::kUsage, "the prompt has no tokens: render it with this model");
  return vocabulary_.continuation(text, prompt.tokens.back());
}

/// What the template puts behind an answer, which need not be what the vocabulary calls its end of turn.
Result<TokenId> LlamaModel::end_of_turn() const {
  const Conversation asked{{{Role::kUser, "a"}}, ""};
  const Conversation answered{{{Role::kUser, "a"}, {Role::kAssistant, "x"}, {Role::kUser, "b"}}, ""};
  VALENCE_TRY(const auto before, render(asked, {}));
  VALENCE_TRY(const auto whole, render(answered, {}));
  VALENCE_TRY(const auto answer, continuation(before, "x"));
  const auto place = before.tokens.size() + answer.size();
  const bool continues = place < whole.tokens.size() && std::ranges::equal(before.tokens, std::span(whole.tokens).first(before.tokens.size()));
  if (continues && vocabulary_.ends(whole.tokens[place])) return whole.tokens[place];
  if (vocabulary_.end_of_turn() >= 0) return vocabulary_.end_of_turn();
  return fail(ErrorCode::kUnsupported, "model {}: its vocabulary has no end of turn", card_.name);
}

PlanLimits LlamaModel::limits() const {
  PlanLimits limits;
  limits.tree.body = options_.micro_batch;
  limits.tree.sequences = scoring_.weights().branches() ? options_.sequences : std::min(options_.sequences, kRunningStates);
  limits.tree.rows = options_.rows;
  limits.tree.context = options_.context > 0 ? options_.context : kLeastContext;
  limits.fixed_context = options_.context > 0;
  limits.trained_context = card_.context_limit;
  limits.sharing = *sharing_of(options_);
  auto& generation = limits.generation;
  generation.sequences = limits.sharing == Sharing::kNone ? 1 : std::min(generation.sequences, limits.tree.sequences);
  if (options_.context > 0) generation.cells = options_.context;
  // On other devices attention over one half-precision memory is the faster one.
  const bool apart = scoring_.weights().branches() && facts_.device == "cpu";
  if (apart) generation.apart = options_.context > 0 ? options_.context : kApartBytes / bytes_per_cell(file_.info);
  return limits;
}

Hasher LlamaModel::begin_digest(std::string_view format) const {
  Hasher hasher;
  hasher.add(kPlanVersion).add(facts_.version).add(facts_.backend).add(facts_.variant).add(facts_.features).add(facts_.cpu);
  hasher.add(facts_.device).add(std::uint64_t(static_cast<std::uint32_t>(options_.gpu_layers)));
  hasher.add(file_.identity).add(format);
  scoring_.add_to_digest(hasher);
  hasher.add(std::uint64_t{options_.reference}).add(std::uint64_t(static_cast<std::uint32_t>(options_.threads)));
  hasher.add(std::uint64_t{options_.micro_batch}).add(std::uint64_t{options_.sequences}).add(std::uint64_t{options_.rows});
  hasher.add(std::uint64_t{options_.context}).add(options_.sharing).add(options_.cache);
  return hasher;
}

Digest LlamaModel::digest_of(const RequestLayout& layout, const ScoreUnit& unit) const {
  auto hasher = begin_digest(scoring_.weights().format);
  hasher.add("score");
  add_to_digest(hasher, layout.score_layout, unit);
  return hasher.finish();
}

Digest LlamaModel::digest_of(const GenerationGroup& group, std::span<const Request> requests) const {
  auto hasher = begin_digest(generation_format_);
  hasher.add("generate").add(std::uint64_t{group.apart});
  for (const auto index : group.requests) {
    const auto& request = std::get<GenerateRequest>(requests[index]);
    const auto& s = request.sampling;
    hasher.add(request.context.tokens).add(s.temperature).add(s.top_p).add(std::uint64_t{s.seed});
    hasher.add(std::uint64_t(static_cast<std::uint32_t>(s.max_tokens))).add(std::uint64_t{s.stop.size()});
    for (const auto& stop : s.stop) hasher.add(stop);
    hasher.add(std::uint64_t(static_cast<std::uint32_t>(request.constraint.kind))).add(request.constraint.text);
  }
  return hasher.finish();
}

Result<Plan> LlamaModel::plan(std::vector<Request> requests) const {
  VALENCE_TRY(const auto layout, lay_out(requests, vocabulary_, limits()));
  Plan plan;
  const auto costs = unit_costs(layout.score_layout);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const auto& unit = layout.score_layout.units[i];
    Group group{digest_of(layout, unit), {}, costs[i]};
    for (const auto score : unit.scores) group.requests.push_back(layout.scores[score].request);
    plan.groups.push_back(std::move(group));
  }
  for (const auto& group : layout.generations) {
    plan.groups.push_back({digest_of(group, requests), group.requests, group.cells});
  }
  if (!layout.rejected.empty()) {
    auto hasher = begin_digest("rejected");
    Group group;
    for (const auto& [index, error] : layout.rejected) {
      group.requests.push_back(index);
      hasher.add(error.message);
    }
    group.digest = hasher.finish();
    plan.groups.push_back(std::move(group));
  }
  plan.requests = std::move(requests);
  return plan;
}

ContextShape LlamaModel::shaped(ContextShape shape) const {
  shape.exact = options_.cache == "f32";
  shape.threads = options_.threads;
  return shape;
}

Result<Engine*> LlamaModel::generation_engine() {
  if (generation_format_ == scoring_.weights().format) return &scoring_;
  if (!generation_) {
    VALENCE_TRY(generation_, Engine::load(file_, generation_format_, adapters_, options_));
  }
  return &*generation_;
}

Result<std::vector<Result<Response>>> LlamaModel::compute_scores(const RequestLayout& layout, std::size_t unit,
                                                                 const RunControl& control) {
  if (!executor_) {
    VALENCE_TRY(auto* context, scoring_.context(shaped(shape_for(layout.score_layout, layout.tree_limits))));
    executor_.emplace(layout.score_layout, *context, vocabulary_.size(), limits().sharing == Sharing::kNone);
  }
  VALENCE_TRY(auto scores, executor_->compute(layout.score_layout.units[unit], control.stop));
  std::vector<Result<Response>> responses;
  for (auto& score : scores) responses.emplace_back(Response(std::move(score)));
  return responses;
}

Result<std::vector<Result<Response>>> LlamaModel::compute_generation(const Plan& plan, const GenerationGroup& group,
                                                                     const RunControl& control) {
  executor_.reset();  // it may have been using the same context
  ContextShape shape;
  shape.apart = group.apart;
  shape.cells = group.apart ? group.longest : group.cells;
  shape.micro_batch = options_.micro_batch;
  shape = shaped(shape);
  shape.sequences = shape.outputs = group.apart ? group.requests.size() : limits().generation.sequences;
  shape.exact = shape.exact || group.apart;  // one query after the other: the plain product in F32 is the fastest
  VALENCE_TRY(auto* engine, generation_engine());
  VALENCE_TRY(auto* context, engine->context(shape));
  std::vector<const GenerateRequest*> requests;
  for (const auto index : group.requests) requests.push_back(&std::get<GenerateRequest>(plan.requests[index]));
  VALENCE_TRY(auto completions, generate(*context, vocabulary_, requests, control.stop));
  std::vector<Result<Response>> responses;
  for (auto& completion : completions) {
    responses.push_back(std::move(completion).map([](Completion&& c) { return Response(std::move(c)); }));
  }
  return responses;
}

Result<void> LlamaModel::run(const Plan& plan, std::span<const std::size_t> missing, Sink& sink, const RunControl& control) {
  VALENCE_TRY(const auto layout, lay_out(plan.requests, vocabulary_, limits()));
  if (layout.groups() != plan.groups.size() || !std::ranges::is_sorted(missing) ||
      (!missing.empty() && missing.back() >= plan.groups.size())) {
    return fail(ErrorCode::kUsage, "the plan was not made by this model, or its missing groups are not in order");
  }
  const auto units = layout.score_layout.units.size(), generations = layout.generations.size();
  executor_.reset();
  const auto compute = [&](std::size_t group) -> Result<std::vector<Result<Response>>> {
    if (group < units) return compute_scores(layout, group, control);
    if (group < units + generations) return compute_generation(plan, layout.generations[group - units], control);
    std::vector<Result<Response>> responses;
    for (const auto& [index, error] : layout.rejected) responses.emplace_back(tl::unexpected<Error>(error));
    return responses;
  };
  const auto run_all = [&]() -> Result<void> {
    for (const auto group : missing) {
      if (control.stop.stop_requested()) return fail(ErrorCode::kStopped, "stopped on request; finished groups are kept");
      VALENCE_TRY(const auto responses, compute(group));
      VALENCE_CHECK(sink.done(group, responses));
      if (control.progress != nullptr) control.progress->advance(plan.groups[group].cost);
    }
    return {};
  };
  auto result = run_all();
  executor_.reset();  // it refers to the layout of this call
  return result;
}

}  // namespace

Result<std::unique_ptr<LanguageModel>> open_llama(std::string name, const std::filesystem::path& path,
                                                  const std::vector<AdapterSpec>& adapters, const EngineOptions& wanted,
                                                  std::optional<Digest> identity) {
  VALENCE_TRY(auto file, check_model_file(path, identity));
  VALENCE_TRY(const auto facts, start_engine(wanted.backend, wanted.device));
  VALENCE_TRY(const auto options, settle(wanted));
  return LlamaModel::open(std::move(name), std::move(file), adapters, options, facts);
}

}  // namespace valence
