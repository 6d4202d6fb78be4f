#include "trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sstream>

#include "checkpoint.h"
#include "objectives/policy_gradient.h"
#include "passes.h"
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
        order_(options.seed, examples.size(), options.batch),
        costs_(costs_of(policy, examples)),
        parameters_(policy.parameters()),
        optimiser_(tensors(), torch::optim::AdamWOptions(options.learning_rate).weight_decay(options.weight_decay)) {
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
  Result<void> resume();
  Result<void> restore(const Checkpoint& checkpoint);
  Result<void> save();
  Result<TrainingStep> step(std::size_t number);
  Result<void> accumulate(const ExamplePass& pass, double units, TrainingStep& row, Figures& figures, Figures& drift);
  Result<double> update(std::size_t number, TrainingStep& row);
  Result<void> guard(const TrainingStep& row) const;
  std::string kept() const;
  tl::unexpected<Error> diverged(std::size_t number, const std::string& what) const;

  Policy& policy_;
  const Task& task_;
  std::span<const TrainingExample> examples_;
  const TrainerOptions& options_;
  const TrainerContext& context_;
  Order order_;
  std::vector<std::size_t> costs_;
  std::vector<std::pair<std::string, torch::Tensor>> parameters_;
  torch::optim::AdamW optimiser_;
  Reference reference_;
  std::size_t total_ = 0, warmup_ = 0, next_ = 0, saved_ = 0;
  fs::path adapter_;
};

Result<void> Loop::resume() {
  auto checkpoint = read_checkpoint(checkpoint_path());
  if (!checkpoint) {
    if (checkpoint.error().code == ErrorCode::kNotFound) return {};
    std::error_code error;
    if (!fs::exists(checkpoint_path(), error)) return {};
    return tl::unexpected(checkpoint.error());
  }
  if (checkpoint->job != context_.job) {
    return fail(ErrorCode::kMismatch,
                "{} belongs to another job (other data, settings or weights); name another output folder or remove it",
                checkpoint_path().string());
  }
  return restore(*checkpoint);
}

Result<void> Loop::restore(const Checkpoint& checkpoint) {
  if (checkpoint.tensors.size() != parameters_.size()) {
    return fail(ErrorCode::kMismatch, "{}: it holds {} parameters, the model has {}", checkpoint_path().string(),
                checkpoint.tensors.size(), parameters_.size());
  }
  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    auto& [name, tensor] = parameters_[i];
    const auto& [stored_name, stored] = checkpoint.tensors[i];
    if (name != stored_name || tensor.sizes() != stored.sizes()) {
      return fail(ErrorCode::kMismatch, "{}: parameter {} is not the model's {}", checkpoint_path().string(),
                  stored_name, name);
    }
    tensor.copy_(stored);
  }
  std::istringstream bytes(checkpoint.optimiser);
  try {
    torch::load(optimiser_, bytes);
  } catch (const c10::Error& error) {
    return fail(ErrorCode::kCorrupt, "{}: the optimiser's state cannot be read: {}", checkpoint_path().string(),
                error.what_without_backtrace());
  }
  next_ = saved_ = static_cast<std::size_t>(checkpoint.step);
  return {};
}

/// The adapter first: a checkpoint never speaks of an adapter that is not there.
Result<void> Loop::save() {
  VALENCE_TRY(adapter_, policy_.save(context_.output));
  std::ostringstream optimiser;
  torch::save(optimiser_, optimiser);
  VALENCE_CHECK(write_checkpoint(checkpoint_path(), {context_.job, next_, parameters_, std::move(optimiser).str()}));
  saved_ = next_;
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

Result<void> Loop::accumulate(const ExamplePass& pass, double units, TrainingStep& row, Figures& figures,
                              Figures& drift) {
  const auto begin = Clock::now();
  VALENCE_TRY(const auto scored, score(policy_, task_, examples_, pass, reference_));
  VALENCE_TRY(auto loss, task_.loss(scored));
  row.loss += loss.sum.detach().to(torch::kDouble).item<double>() / units;
  add_drift(scored, drift);
  figures.add(loss.figures);
  row.phases["forward"] += seconds_since(begin);
  const auto back = Clock::now();
  if (std::isfinite(row.loss)) (loss.sum / units).backward();
  row.phases["backward"] += seconds_since(back);
  row.tokens += static_cast<std::int64_t>(pass.tokens);
  return {};
}

Result<double> Loop::update(std::size_t number, TrainingStep& row) {
  const auto begin = Clock::now();
  const auto most =
      options_.max_gradient_norm > 0 ? options_.max_gradient_norm : std::numeric_limits<double>::infinity();
  const double norm = torch::nn::utils::clip_grad_norm_(tensors(), most);
  if (!std::isfinite(norm)) return diverged(number, "the gradient is no number");
  row.learning_rate = options_.learning_rate * rate_at(number, total_, warmup_, options_.schedule);
  for (auto& group : optimiser_.param_groups())
    static_cast<torch::optim::AdamWOptions&>(group.options()).lr(row.learning_rate);
  optimiser_.step();
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

void fill(TrainingStep& row, const Figures& figures) {
  const auto take = [&](const char* name, std::optional<double>& field) {
    if (figures.sums.contains(name)) field = figures.mean(name);
  };
  take("accuracy", row.accuracy);
  take("margin", row.margin);
  take("reward_chosen", row.reward_chosen);
  take("reward_rejected", row.reward_rejected);
  take("length", row.length);
  for (const auto& [name, sum] : figures.sums) {
    const bool column = name == "accuracy" || name == "margin" || name == "reward_chosen" ||
                        name == "reward_rejected" || name == "length";
    if (!column) row.others[name] = sum / figures.weight;
  }
}

Result<TrainingStep> Loop::step(std::size_t number) {
  const auto begin = Clock::now();
  policy_.set_training(true, number);
  optimiser_.zero_grad();
  const auto chosen = order_.at(number);
  TrainingStep row;
  row.step = static_cast<std::int64_t>(number) + 1;
  row.examples = static_cast<std::int64_t>(chosen.size());
  Figures figures, drift;
  const double units = units_of(task_, examples_, chosen);
  for (const auto& pass : passes_of(chosen, costs_, options_.pass_tokens))
    VALENCE_CHECK(accumulate(pass, units, row, figures, drift));
  fill(row, figures);
  if (drift.weight > 0) row.kl = drift.mean("kl");
  VALENCE_CHECK(guard(row));
  VALENCE_TRY(row.gradient_norm, update(number, row));
  row.seconds = seconds_since(begin);
  return row;
}

Result<TrainerReport> Loop::run() {
  const auto begin = Clock::now();
  VALENCE_CHECK(resume());
  TrainerReport report;
  report.resumed_from = next_;
  if (task_.needs_reference() || (options_.most_kl > 0 && !task_.reads_rewards())) {
    VALENCE_TRY(reference_,
                reference_of(policy_, examples_, costs_, options_.pass_tokens, context_.progress, context_.stop));
  }
  auto* progress = context_.progress;
  if (progress != nullptr) progress->start("training", total_ - std::min(next_, total_), "steps");
  while (next_ < total_) {
    if (context_.stop.stop_requested()) {
      VALENCE_CHECK(save());
      return fail(ErrorCode::kStopped, "stopped after step {} of {}; run the same command to go on", next_, total_);
    }
    auto row = step(next_);
    if (!row) return tl::unexpected(row.error());
    ++next_;
    report.tokens += static_cast<std::size_t>(row->tokens);
    if (context_.record) VALENCE_CHECK(context_.record(*row));
    if (next_ % options_.checkpoint_every == 0 && next_ < total_) VALENCE_CHECK(save());
    if (progress != nullptr) progress->advance(1);
  }
  if (progress != nullptr) progress->finish();
  VALENCE_CHECK(save());
  report.adapter = adapter_;
  report.steps = total_;
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
                            std::size_t pass_tokens) {
  const torch::NoGradGuard no_gradient;
  policy.set_training(false, 0);
  const auto costs = costs_of(policy, examples);
  Reference reference;
  if (task.needs_reference()) {
    VALENCE_TRY(reference, reference_of(policy, examples, costs, pass_tokens, nullptr, {}));
  }
  Evaluation evaluation;
  const auto all = all_of(examples.size());
  for (const auto& pass : passes_of(all, costs, pass_tokens)) {
    VALENCE_TRY(const auto scored, score(policy, task, examples, pass, reference));
    VALENCE_TRY(const auto loss, task.loss(scored));
    evaluation.loss += loss.sum.to(torch::kDouble).item<double>();
    evaluation.figures.add(loss.figures);
  }
  evaluation.loss /= units_of(task, examples, all);
  return evaluation;
}

Result<TrainerReport> train(Policy& policy, const Task& task, std::span<const TrainingExample> examples,
                            const TrainerOptions& options, const TrainerContext& context) {
  if (examples.empty()) return fail(ErrorCode::kUsage, "there are no examples to train on");
  for (const auto& example : examples) VALENCE_CHECK(task.check(example));
  return Loop(policy, task, examples, options, context).run();
}

}  // namespace valence::train
