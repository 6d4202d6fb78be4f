#include "trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sstream>

#include "checkpoint.h"
#include "objectives/policy_gradient.h"
#include "passes.h"
#include "sums.h"
#include "valence/base/files.h"
#include "valence/base/text.h"

namespace valence::train {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Σ k3 over the learned tokens and their number: how far the policy has drifted from where it began, on the data.
void add_drift(std::span<const ScoredExample> examples, Figures& drift) {
  for (const auto& scored : examples) {
    for (std::size_t i = 0; i < scored.reference.size(); ++i) {
      const auto k3 = kl_k3(scored.logprobs[i].detach(), scored.reference[i]);
      drift.sums["kl"] += k3.to(torch::kDouble).sum().item<double>();
      drift.weight += static_cast<double>(k3.numel());
    }
  }
}

std::unique_ptr<torch::optim::Optimizer> optimiser_of(const TrainerOptions& options,
                                                      std::vector<torch::Tensor> parameters) {
  const auto decay = options.weight_decay;
  if (options.optimiser == Optimiser::kSgd) {  // without momentum, decay is decoupled by itself
    return std::make_unique<torch::optim::SGD>(std::move(parameters),
                                               torch::optim::SGDOptions(options.learning_rate).weight_decay(decay));
  }
  return std::make_unique<torch::optim::AdamW>(std::move(parameters),
                                               torch::optim::AdamWOptions(options.learning_rate).weight_decay(decay));
}

/// A stored state brings the settings of the job that wrote it; the decay is this job's.
void set_decay(torch::optim::Optimizer& optimiser, double decay) {
  for (auto& group : optimiser.param_groups()) {
    if (auto* adam = dynamic_cast<torch::optim::AdamWOptions*>(&group.options())) adam->weight_decay(decay);
    if (auto* sgd = dynamic_cast<torch::optim::SGDOptions*>(&group.options())) sgd->weight_decay(decay);
  }
}

/// The loop's state between steps.
class Loop {
 public:
  Loop(Policy& policy, const Task& task, std::span<const TrainingExample> examples, const TrainerOptions& options,
       const TrainerContext& context)
      : policy_(policy),
        task_(task),
        examples_(examples),
        options_(options),
        context_(context),
        processes_(context.processes == nullptr ? alone_ : *context.processes),
        order_(options.seed, examples.size(), options.batch),
        costs_(costs_of(policy, examples)),
        parameters_(policy.parameters()),
        optimiser_(optimiser_of(options, tensors())) {
    total_ = options.steps > 0
                 ? options.steps
                 : std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(
                                                options.epochs * static_cast<double>(order_.steps_per_epoch()))));
    warmup_ = static_cast<std::size_t>(options.warmup * static_cast<double>(total_));
  }

  Result<TrainerReport> run();

 private:
  std::vector<torch::Tensor> tensors() const {
    std::vector<torch::Tensor> list;
    for (const auto& [name, tensor] : parameters_) list.push_back(tensor);
    return list;
  }
  fs::path checkpoint_path() const { return context_.output / "checkpoint.bin"; }
  Result<TrainerReport> steps();
  Result<std::string> stored() const;
  Result<void> start();
  Result<void> look_back();
  Result<void> prepare();
  Result<void> resume(const std::optional<Checkpoint>& own);
  Result<std::optional<Checkpoint>> own_checkpoint() const;
  Result<void> restore(const Checkpoint& checkpoint, const fs::path& path);
  void note_mismatch() const;
  bool are_finite() const;
  Result<void> save();
  Result<void> save_if_due(std::size_t number, TrainingStep& row);
  bool should_start_anew() const;
  Result<void> start_anew();
  Result<TrainingStep> step(std::size_t number);
  Result<double> level_of_step(std::size_t number, const std::vector<ExamplePass>& passes, TrainingStep& row);
  Result<void> accumulate(const ExamplePass& pass, double units, double level, TrainingStep& row, Sums& sums);
  Result<void> exchange(TrainingStep& row, Sums& sums);
  Result<double> update(std::size_t number, TrainingStep& row);
  Result<void> guard(const TrainingStep& row) const;
  std::string kept() const;
  tl::unexpected<Error> diverged(std::size_t number, const std::string& what) const;

  Policy& policy_;
  const Task& task_;
  std::span<const TrainingExample> examples_;
  const TrainerOptions& options_;
  const TrainerContext& context_;
  Processes alone_;
  Processes& processes_;
  Order order_;
  std::vector<std::size_t> costs_;
  std::vector<std::pair<std::string, torch::Tensor>> parameters_;
  std::unique_ptr<torch::optim::Optimizer> optimiser_;
  Reference reference_;
  Rollouts rollouts_;
  std::optional<double> beta_;                                             // that the job before left
  std::size_t first_ = 0, total_ = 0, warmup_ = 0, next_ = 0, saved_ = 0;  // steps; all but warmup_ count every job's
  fs::path adapter_;
};

/// The first process's checkpoint; empty when there is none.
Result<std::string> Loop::stored() const {
  if (!processes_.first()) return std::string();
  auto content = read_file(checkpoint_path());
  std::error_code error;
  if (!content && !fs::exists(checkpoint_path(), error)) return std::string();
  return content;
}

/// The state that an earlier job left.
Result<void> Loop::start() {
  if (context_.start.empty()) return {};
  VALENCE_TRY(const auto content,
              processes_.from_first(processes_.first() ? read_file(context_.start) : Result<std::string>("")));
  VALENCE_TRY(const auto checkpoint, parse_checkpoint(content, context_.start));
  VALENCE_CHECK(restore(checkpoint, context_.start));
  beta_ = checkpoint.beta;
  first_ = next_;
  total_ += first_;
  return {};
}

/// Scores rollouts under the weights that drew them, before anything moves.
Result<void> Loop::look_back() {
  policy_.set_training(false, first_);
  VALENCE_TRY(const auto before,
              score_all(policy_, task_, examples_, costs_, options_.pass_tokens, reference_, context_.stop));
  VALENCE_TRY(rollouts_, task_.roll_out(before, beta_));
  note_mismatch();
  return {};
}

void Loop::note_mismatch() const {
  if (context_.progress == nullptr) return;
  double mismatch = 0.0, truncated = 0.0, answers = 0.0;
  for (const auto& example : rollouts_.experience) {
    for (const auto& answer : example) {
      mismatch += answer.mismatch;
      truncated += answer.truncated;
      answers += 1.0;
    }
  }
  context_.progress->note(
      fmt::format("sampler and trainer differ by {:.2g} nats per token; {:.2g} % of the weights are truncated",
                  mismatch / answers, 100.0 * truncated / answers));
}

Result<std::optional<Checkpoint>> Loop::own_checkpoint() const {
  VALENCE_TRY(const auto content, processes_.from_first(stored()));
  if (content.empty()) return std::nullopt;
  VALENCE_TRY(auto checkpoint, parse_checkpoint(content, checkpoint_path()));
  if (checkpoint.job != context_.job) {
    return fail(ErrorCode::kMismatch,
                "{} belongs to another job (other data, settings or weights); name another output folder or remove it",
                checkpoint_path().string());
  }
  if (checkpoint.processes == processes_.count()) return checkpoint;
  return fail(ErrorCode::kMismatch,
              "{} was written by {} processes, this run has {}: its sums would be rounded otherwise. Go on with {}, or "
              "name another output folder or remove it",
              checkpoint_path().string(), checkpoint.processes, processes_.count(), checkpoint.processes);
}

Result<void> Loop::resume(const std::optional<Checkpoint>& own) {
  if (!own) return {};
  VALENCE_CHECK(restore(*own, checkpoint_path()));
  saved_ = next_;
  return {};
}

Result<void> Loop::restore(const Checkpoint& checkpoint, const fs::path& path) {
  VALENCE_CHECK(restore_parameters(checkpoint, path, parameters_));
  std::istringstream bytes(checkpoint.optimiser);
  try {
    torch::load(*optimiser_, bytes);
  } catch (const c10::Error& error) {
    return fail(ErrorCode::kCorrupt, "{}: the optimiser's state cannot be read: {}", path.string(),
                error.what_without_backtrace());
  }
  set_decay(*optimiser_, options_.weight_decay);
  next_ = static_cast<std::size_t>(checkpoint.step);
  return {};
}

bool Loop::are_finite() const {
  for (const auto& [name, tensor] : parameters_) {
    if (!torch::isfinite(tensor.detach()).all().item<bool>()) return false;
  }
  return true;
}

/// The adapter first: a checkpoint never speaks of an adapter that is not there. Written by one process. Parameters
/// that are no numbers never take the place of those that were kept.
Result<void> Loop::save() {
  if (!are_finite()) return diverged(std::max<std::size_t>(next_, 1) - 1, "a parameter is no number");
  if (processes_.first()) {
    VALENCE_TRY(adapter_, policy_.save(context_.output));
    std::ostringstream optimiser;
    torch::save(*optimiser_, optimiser);
    Checkpoint checkpoint{context_.job, next_, parameters_, std::move(optimiser).str(), processes_.count()};
    if (task_.learns_from_rollouts()) checkpoint.beta = rollouts_.next_beta;
    VALENCE_CHECK(write_checkpoint(checkpoint_path(), checkpoint));
  }
  saved_ = next_;
  return {};
}

/// Keeps the state before a step's update, whose losses the guard has just looked at: the state after it would be kept
/// unseen. What is kept is the same, a step later.
Result<void> Loop::save_if_due(std::size_t number, TrainingStep& row) {
  if (number == first_ || number == saved_ || number % options_.checkpoint_every != 0) return {};
  const auto begin = Clock::now();
  VALENCE_CHECK(save());
  row.phases["save"] += seconds_since(begin);
  return {};
}

std::string Loop::kept() const {
  if (saved_ == 0) return "nothing was saved yet";
  return fmt::format("the adapter of step {} is kept in {}", saved_, context_.output.string());
}

tl::unexpected<Error> Loop::diverged(std::size_t number, const std::string& what) const {
  return fail(ErrorCode::kModel,
              "step {}: {}; {}. Lower --learning-rate or look at the data, and name another output folder", number + 1,
              what, kept());
}

/// What the step's losses are taken from, before anything of it is learned.
Result<double> Loop::level_of_step(std::size_t number, const std::vector<ExamplePass>& passes, TrainingStep& row) {
  if (!task_.level_path()) return 0.0;
  const auto begin = Clock::now();
  policy_.set_training(false, number);
  auto found = level_of(policy_, task_, examples_, passes, reference_, processes_);
  row.phases["forward"] += seconds_since(begin);
  return found;
}

Result<void> Loop::accumulate(const ExamplePass& pass, double units, double level, TrainingStep& row, Sums& sums) {
  const auto begin = Clock::now();
  VALENCE_TRY(const auto scored, score(policy_, task_, examples_, pass, reference_, level, rollouts_.experience));
  VALENCE_TRY(auto loss, task_.loss(scored));
  sums.loss += loss.sum.detach().to(torch::kDouble).item<double>() / units;
  add_drift(scored, sums.drift);
  sums.figures.add(loss.figures);
  row.phases["forward"] += seconds_since(begin);
  const auto back = Clock::now();
  if (std::isfinite(sums.loss)) (loss.sum / units).backward();
  row.phases["backward"] += seconds_since(back);
  sums.tokens += static_cast<std::int64_t>(pass.tokens);
  return {};
}

Result<double> Loop::update(std::size_t number, TrainingStep& row) {
  const auto begin = Clock::now();
  const auto most =
      options_.max_gradient_norm > 0 ? options_.max_gradient_norm : std::numeric_limits<double>::infinity();
  const double norm = torch::nn::utils::clip_grad_norm_(tensors(), most);
  if (!std::isfinite(norm)) return diverged(number, "the gradient is no number");
  row.learning_rate = options_.learning_rate * rate_at(number - first_, total_ - first_, warmup_, options_.schedule);
  for (auto& group : optimiser_->param_groups()) group.options().set_lr(row.learning_rate);
  optimiser_->step();
  row.phases["update"] += seconds_since(begin);
  return norm;
}

Result<void> Loop::guard(const TrainingStep& row) const {
  const auto number = static_cast<std::size_t>(row.step) - 1;
  if (!std::isfinite(row.loss)) return diverged(number, "the loss is no number");
  if (options_.most_kl > 0 && row.kl.value_or(0.0) > options_.most_kl) {
    return diverged(number, fmt::format("the drift from the start is {:.3g} nats per learned token, above --most-kl {}",
                                        *row.kl, options_.most_kl));
  }
  return {};
}

/// Figures that have a column of their own; the others go by their names.
constexpr std::pair<std::string_view, std::optional<double> TrainingStep::*> kColumns[] = {
    {"accuracy", &TrainingStep::accuracy},
    {"margin", &TrainingStep::margin},
    {"reward_chosen", &TrainingStep::reward_chosen},
    {"reward_rejected", &TrainingStep::reward_rejected},
    {"reward", &TrainingStep::reward},
    {"entropy", &TrainingStep::entropy},
    {"clip_fraction", &TrainingStep::clip_fraction},
    {"length", &TrainingStep::length}};

/// Sums and gradients of all processes.
Result<void> Loop::exchange(TrainingStep& row, Sums& sums) {
  if (processes_.alone()) return {};
  const auto begin = Clock::now();
  VALENCE_CHECK(add_up(processes_, sums));
  VALENCE_CHECK(sum_gradients(processes_, tensors()));
  row.phases["exchange"] += seconds_since(begin);
  return {};
}

void fill(TrainingStep& row, const Figures& figures) {
  for (const auto& [name, sum] : figures.sums) {
    const auto* column =
        std::ranges::find(kColumns, std::string_view(name), [](const auto& pair) { return pair.first; });
    if (column == std::end(kColumns)) {
      row.others[name] = sum / figures.weight;
    } else {
      row.*(column->second) = sum / figures.weight;
    }
  }
}

Result<TrainingStep> Loop::step(std::size_t number) {
  const auto begin = Clock::now();
  optimiser_->zero_grad();
  const auto chosen = order_.at(number - first_);
  TrainingStep row;
  row.step = static_cast<std::int64_t>(number) + 1;
  row.examples = static_cast<std::int64_t>(chosen.size());
  Sums sums;
  const double units = units_of(task_, examples_, chosen);
  const auto passes = own_passes(chosen, costs_, options_.pass_tokens, Dealt::kExamples, processes_);
  VALENCE_TRY(const double level, level_of_step(number, passes, row));
  policy_.set_training(true, number * processes_.count() + processes_.rank());  // each draws its own
  for (const auto& pass : passes) VALENCE_CHECK(accumulate(pass, units, level, row, sums));
  VALENCE_CHECK(exchange(row, sums));
  row.loss = sums.loss;
  row.tokens = sums.tokens;
  fill(row, sums.figures);
  if (task_.learns_from_rollouts()) row.others["beta"] = rollouts_.beta;
  if (sums.drift.weight > 0) row.kl = sums.drift.mean("kl");
  VALENCE_CHECK(guard(row));
  VALENCE_CHECK(save_if_due(number, row));
  VALENCE_TRY(row.gradient_norm, update(number, row));
  row.seconds = seconds_since(begin);
  return row;
}

/// Everything that is known before the first step.
Result<void> Loop::prepare() {
  VALENCE_TRY(const auto own, own_checkpoint());
  VALENCE_CHECK(start());
  if (task_.needs_reference() || (options_.most_kl > 0 && !task_.reads_rewards())) {
    const KeptAt kept{context_.output.empty() ? fs::path() : context_.output / "reference.bin", context_.job};
    VALENCE_TRY(reference_, reference_of(policy_, examples_, costs_, options_.pass_tokens, processes_,
                                         context_.progress, context_.stop, kept));
  }
  if (task_.learns_from_rollouts()) VALENCE_CHECK(look_back());
  return resume(own);
}

/// Not when a stop is asked for, which the program started anew would know nothing of.
bool Loop::should_start_anew() const {
  return next_ < total_ && context_.anew.needed && !context_.stop.stop_requested() && context_.anew.needed();
}

Result<void> Loop::start_anew() {
  VALENCE_CHECK(save());
  return context_.anew.start();
}

Result<TrainerReport> Loop::run() {
  auto report = steps();
  if (report || report.error().code != ErrorCode::kNetwork) return report;
  return fail(ErrorCode::kNetwork, "step {}: {}; {}. Start all processes again to go on", next_ + 1,
              report.error().message, kept());
}

Result<TrainerReport> Loop::steps() {
  const auto begin = Clock::now();
  VALENCE_CHECK(prepare());
  TrainerReport report;
  report.resumed_from = next_ - first_;
  auto* progress = context_.progress;
  if (progress != nullptr) progress->start("training", total_ - std::min(next_, total_), "steps");
  while (next_ < total_) {
    VALENCE_TRY(const bool stopped, processes_.any(context_.stop.stop_requested()));
    if (stopped) {
      VALENCE_CHECK(save());
      return fail(ErrorCode::kStopped, "stopped after step {} of {}; run the same command to go on", next_ - first_,
                  total_ - first_);
    }
    auto row = step(next_);
    if (!row) return tl::unexpected(row.error());
    ++next_;
    report.tokens += static_cast<std::size_t>(row->tokens);
    if (context_.record) VALENCE_CHECK(context_.record(*row));
    if (progress != nullptr) progress->advance(1);
    if (should_start_anew()) VALENCE_CHECK(start_anew());
  }
  if (progress != nullptr) progress->finish();
  VALENCE_CHECK(save());
  report.adapter = adapter_;
  report.steps = total_ - first_;
  report.seconds = seconds_since(begin);
  return report;
}

Schedule schedule_from(const std::string& name) {
  if (name == "linear") return Schedule::kLinear;
  return name == "cosine" ? Schedule::kCosine : Schedule::kConstant;
}

}  // namespace

TrainerOptions trainer_options(const Settings& settings, std::uint64_t seed) {
  const auto size = [&](std::string_view name) { return static_cast<std::size_t>(settings.integer(name)); };
  TrainerOptions options;
  options.optimiser = settings.text("update_rule") == "sgd" ? Optimiser::kSgd : Optimiser::kAdamW;
  options.learning_rate = settings.number("learning_rate");
  options.schedule = schedule_from(settings.text("schedule"));
  options.warmup = settings.number("warmup");
  options.weight_decay = settings.number("weight_decay");
  options.max_gradient_norm = settings.number("max_gradient_norm");
  options.epochs = settings.number("epochs");
  options.steps = size("steps");
  options.batch = size("batch");
  options.pass_tokens = size("pass_tokens");
  options.checkpoint_every = size("checkpoint_every");
  options.most_kl = settings.number("most_kl");
  options.seed = seed;
  return options;
}

Result<Evaluation> evaluate(Policy& policy, const Task& task, std::span<const TrainingExample> examples,
                            const EvaluationContext& context) {
  const torch::NoGradGuard no_gradient;
  if (task.learns_from_rollouts())
    return fail(ErrorCode::kUnsupported,
                "rollouts are answers of one policy: there is nothing to evaluate on held out");
  for (const auto& example : examples) VALENCE_CHECK(task.check(example));
  policy.set_training(false, 0);
  Processes alone;
  auto& processes = context.processes == nullptr ? alone : *context.processes;
  auto* progress = context.progress;
  const auto costs = costs_of(policy, examples);
  Reference own;
  auto& reference = context.reference == nullptr ? own : *context.reference;
  if (task.needs_reference() && reference.empty()) {
    VALENCE_TRY(reference,
                reference_of(policy, examples, costs, context.pass_tokens, processes, progress, context.stop, context.kept));
  }
  if (progress != nullptr) progress->start("looking at held-out examples", examples.size(), "examples");
  Sums sums;
  const auto all = all_of(examples.size());
  const auto passes = own_passes(all, costs, context.pass_tokens, Dealt::kExamples, processes);
  VALENCE_TRY(const double level, level_of(policy, task, examples, passes, reference, processes, context.stop));
  for (const auto& pass : passes) {
    if (context.stop.stop_requested()) break;
    VALENCE_TRY(const auto scored, score(policy, task, examples, pass, reference, level));
    VALENCE_TRY(const auto loss, task.loss(scored));
    sums.loss += loss.sum.to(torch::kDouble).item<double>();
    sums.figures.add(loss.figures);
    for (std::size_t i = 0; i < loss.margins.size(); ++i) sums.margins[pass.examples[i]] = loss.margins[i];
    if (progress != nullptr) progress->advance(pass.examples.size());
    const bool stops = context.stop.stop_requested();
    if (context.anew.needed && !stops && context.anew.needed()) VALENCE_CHECK(context.anew.start());
  }
  VALENCE_TRY(const bool stopped, processes.any(context.stop.stop_requested()));
  if (stopped) return fail(ErrorCode::kStopped, "stopped at the held-out examples; run the same command to go on");
  if (progress != nullptr) progress->finish();
  VALENCE_CHECK(add_up(processes, sums));
  Evaluation evaluation{sums.loss / units_of(task, examples, all), std::move(sums.figures), {}};
  for (const auto& [example, margin] : sums.margins) evaluation.margins.push_back(margin);
  return evaluation;
}

Result<TrainerReport> train(Policy& policy, const Task& task, std::span<const TrainingExample> examples,
                            const TrainerOptions& options, const TrainerContext& context) {
  if (examples.empty()) return fail(ErrorCode::kUsage, "there are no examples to train on");
  if (task.learns_from_rollouts() && context.processes != nullptr && !context.processes->alone())
    return fail(ErrorCode::kUnsupported, "answers that the policy drew are learned from by one process, not by {}",
                context.processes->count());
  for (const auto& example : examples) VALENCE_CHECK(task.check(example));
  return Loop(policy, task, examples, options, context).run();
}

}  // namespace valence::train
