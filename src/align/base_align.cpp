#include "valence/align/base_align.h"

#include <nlohmann/json.hpp>

#include "evaluator_domain.h"
#include "rounds.h"
#include "valence/align/training.h"
#include "valence/base/text.h"
#include "valence/evaluate/shipped_evaluator.h"

namespace valence {
namespace {

using enum SettingType;

const AlignerCard kBaseAlignCard = {
    .id = "base_align",
    .title = "Alignment of basic values (BaseAlign)",
    .version = "1",
    .does =
        "Draws responses, reads which values they uphold, and teaches the subject those that "
        "lie nearest to the target.",
    .limits =
        "The reward is an evaluator's reading of short responses; what shows that it worked "
        "must share neither rows nor features with it.",
    .changes_weights = true,
    .needs_target = true,
    .needs_instrument = false};

SettingTable base_align_settings() {
  SettingTable table = {
      {"protocol",
       kChoice,
       "default",
       "",
       "paper: the published optimiser, reward and settings (docs/base_align.md), whatever else is set",
       {"default", "paper"},
       {},
       {}},
      {"reward",
       kChoice,
       "l1",
       "",
       "minus the distance from the target: l1, or masked as in the published code, which an evasive response "
       "satisfies",
       {"l1", "masked"},
       {},
       {}},
      {"evaluator",
       kText,
       "fulcra_training",
       "",
       "evaluators that give the reward, separated by commas: several are an ensemble",
       {},
       {},
       {}},
      {"watch",
       kText,
       "fulcra_held_out",
       "",
       "evaluators that watch the reward; they may share neither rows nor features with those that give it",
       {},
       {},
       {}}};
  for (const auto& part : {ensemble_settings(), round_settings()}) table.insert(table.end(), part.begin(), part.end());
  return table;
}

/// The published code's settings: PPO of TRL on one response per prompt, 32 to an update, two epochs, a KL weight that
/// is adapted to 6 nats, rewards over their running deviation. How many rounds that is remains a matter of time (there:
/// 457 to an epoch, 20 epochs).
const std::vector<std::pair<std::string, std::string>> kPublished = {
    {"optimiser", "ppo"}, {"reward", "masked"}, {"samples", "1"},          {"prompts_per_round", "32"},
    {"batch", "32"},      {"epochs", "2"},      {"beta", "0.1"},           {"kl_target", "6"},
    {"rank", "8"},        {"alpha", "16"},      {"learning_rate", "1e-5"}, {"scale_rewards", "true"},
    {"max_tokens", "512"}};

/// All settings as they apply: what the paper fixes comes last.
Result<Settings> applied(const Settings& settings) {
  auto given = settings.values();
  const bool published = settings.text("protocol") == "paper";
  if (published && !settings.text("training").empty())
    return fail(ErrorCode::kUsage, "protocol paper sets what the published code sets; leave training = \"{}\" out",
                printable(settings.text("training")));
  if (published) given.insert(given.end(), kPublished.begin(), kPublished.end());
  return Settings::resolve(base_align_settings(), given);
}

Result<RewardOptions> reward_options(const Settings& settings) {
  RewardOptions options;
  VALENCE_TRY(options.form, reward_form_from(settings.text("reward")));
  VALENCE_TRY(options.rule, ensemble_rule_from(settings.text("ensemble")));
  options.lambda = settings.number("uncertainty_weight");
  return options;
}

Result<void> check_apart(const ValueReader& reward, const ValueReader& watch) {
  if (const auto rows = shared_rows(reward, watch); rows > 0) {
    return fail(
        ErrorCode::kUsage,
        "the evaluators that give the reward and those that watch it were fitted on {} common responses: what is "
        "optimised cannot be its own "
        "witness. Name others with --watch or --evaluator (fulcra_training and fulcra_held_out share none)",
        rows);
  }
  const auto features = shared_features(reward, watch);
  if (features.empty()) return {};
  return fail(
      ErrorCode::kUsage,
      "the evaluators that give the reward and those that watch it both read the features {}: what is optimised "
      "cannot be its own witness. Name others with --watch or --evaluator (fulcra_training and fulcra_held_out "
      "share none), or train one with other --features (valence evaluator train)",
      join(features, ", "));
}

ReadResponses reads(std::shared_ptr<const ValueReader> reader) {
  return [reader = std::move(reader)](std::span<const OpenPrompt> prompts, std::span<const Sample> samples) {
    return read_samples(*reader, prompts, samples);
  };
}

/// Says of every response too whether it lies outside the domain that the first evaluator learned, where that is known.
ReadResponses reads_with_domain(const std::shared_ptr<const ValueReader>& reader) {
  auto found = domain_of(reader->evaluators().front());
  if (!found) return reads(reader);
  return [reader, domain = std::make_shared<const TrainingDomain>(*std::move(found))](
             std::span<const OpenPrompt> prompts, std::span<const Sample> samples) -> Result<Readings> {
    VALENCE_TRY(auto readings, read_samples(*reader, prompts, samples));
    std::vector<PromptedText> texts;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (readings[i]) texts.push_back({prompts[samples[i].prompt].text, samples[i].text});
    }
    VALENCE_TRY(const auto distances, domain->distances(texts));
    std::size_t at = 0;
    for (auto& reading : readings) {
      if (reading) reading->outside = distances[at++] > domain->limit() ? 1.0 : 0.0;
    }
    return readings;
  };
}

Result<RoundsWork> prepare(const AlignContext& context, RunId run) {
  const auto silent = silent_progress();
  auto& progress = context.progress ? *context.progress : *silent;
  const auto& settings = context.settings;
  const auto& target = *context.target;
  VALENCE_TRY(const auto space, load_space(target.space));
  VALENCE_TRY(auto work, prepare_rounds(context, run, kBaseAlignCard.id, space));
  work.goal = target.label;
  VALENCE_TRY(const auto options, reward_options(settings));
  VALENCE_TRY(auto reward, ValueReader::open(settings.text("evaluator"), target, options, progress, context.stop));
  auto watching = options;
  watching.form = RewardForm::kL1;  // which an evasive response does not satisfy
  VALENCE_TRY(auto watch, ValueReader::open(settings.text("watch"), target, watching, progress, context.stop));
  VALENCE_CHECK(check_apart(reward, watch));
  work.reward = reads_with_domain(std::make_shared<const ValueReader>(std::move(reward)));
  work.watch = reads(std::make_shared<const ValueReader>(std::move(watch)));
  return work;
}

class BaseAlign final : public Aligner {
 public:
  explicit BaseAlign(Teach teach) : teach_(std::move(teach)) {}
  const AlignerCard& card() const override { return kBaseAlignCard; }
  const SettingTable& settings() const override { return settings_; }

  Result<void> check(const AlignRequest& request) const override {
    VALENCE_CHECK(require_unit_scale(*request.target));
    VALENCE_TRY(const auto settings, applied(request.settings));
    VALENCE_TRY(const auto space, load_space(request.target->space));
    return check_rounds(settings, space);
  }

  Result<void> ready(const AlignRequest& request) const override {
    for (const auto* key : {"evaluator", "watch"}) {
      for (const auto& name : split(request.settings.text(key), ",")) VALENCE_CHECK(find_evaluator(trim(name)));
    }
    VALENCE_TRY(const auto trainer, find_trainer());
    return {};
  }

  Result<AlignedSubject> align(const AlignContext& context, RunId run) const override {
    VALENCE_TRY(const auto settings, applied(context.settings));
    const AlignContext as_applied{context.base, context.target,   context.instrument, context.asked,
                                  settings,     context.store,    context.folder,     context.seed,
                                  context.stop, context.progress, context.reuse};
    VALENCE_TRY(const auto work, prepare(as_applied, run));
    return align_in_rounds(work, teach_);
  }

 private:
  Teach teach_;
  SettingTable settings_ = base_align_settings();
};

}  // namespace

std::unique_ptr<Aligner> make_base_align(Teach teach) { return std::make_unique<BaseAlign>(std::move(teach)); }

}  // namespace valence
