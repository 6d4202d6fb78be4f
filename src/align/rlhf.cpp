#include "valence/align/rlhf.h"

#include <algorithm>
#include <set>

#include "rounds.h"
#include "valence/align/reward.h"
#include "valence/align/training.h"
#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/evaluate/labelled.h"
#include "valence/model/open.h"
#include "valence/train/job.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

namespace fs = std::filesystem;
using enum SettingType;

const AlignerCard kRlhfCard = {
    .id = "rlhf",
    .title = "Alignment to a reward model (RLHF)",
    .version = "1",
    .does = "Draws responses, has trained reward models rate them, and teaches the subject to say what they like.",
    .limits =
        "The reward is what a model made of some people's preferences; what shows that it worked must not share their "
        "labels.",
    .changes_weights = true,
    .needs_target = false,
    .needs_instrument = false};

SettingTable rlhf_settings() {
  SettingTable table = {
      {"reward",
       kText,
       "",
       "",
       "folders of reward models (valence align reward), separated by commas: several are an ensemble",
       {},
       {},
       {}},
      {"watch",
       kText,
       "",
       "",
       "folders of reward models that watch; they may share no training prompt with those that give the reward; empty: "
       "none",
       {},
       {},
       {}}};
  for (const auto& part : {ensemble_settings(), round_settings()}) table.insert(table.end(), part.begin(), part.end());
  std::ranges::find(table, "optimiser", &SettingSpec::name)->fallback = "grpo";
  return table;
}

/// The job that left a reward model in a folder.
Result<TrainingJob> reward_job(const fs::path& folder) {
  VALENCE_TRY(auto job, read_job(folder / "job.json"));
  if (job.operation == "reward") return job;
  return fail(ErrorCode::kUsage, "{} holds an adapter of {}, not a reward model; make one with valence align reward",
              folder.string(), job.operation);
}

/// A reward model: how it was taught, and what turns text into its tokens.
struct RewardModel {
  fs::path folder;
  TrainingJob job;
  std::shared_ptr<const LanguageModel> tokens;

  static Result<RewardModel> open(const fs::path& folder) {
    VALENCE_TRY(auto job, reward_job(folder));
    VALENCE_TRY(auto model, open_model({job.model.string(), {}, {}}));
    return RewardModel{folder, std::move(job), std::move(model)};
  }
};

/// None where no folder is named.
Result<std::vector<RewardModel>> open_all(const std::string& folders) {
  std::vector<RewardModel> models;
  if (folders.empty()) return models;
  for (const auto& folder : split(folders, ",")) {
    VALENCE_TRY(auto model, RewardModel::open(trim(folder)));
    models.push_back(std::move(model));
  }
  return models;
}

// ---- whether one may watch the others

Result<std::string> text_seen(const LanguageModel& model, const Prompt& prompt) {
  VALENCE_TRY(const auto tokens, model.view(prompt));
  std::string text;
  for (const auto& token : tokens) text += token.text;
  return text;
}

/// What a model's template puts around a prompt: one prompt lies in another frame in another model.
struct PromptFrame {
  std::string before, after;

  static Result<PromptFrame> of(const LanguageModel& model) {
    constexpr std::string_view kAsked = "3f1c-prompt";
    const Conversation conversation{{{Role::kUser, std::string(kAsked)}}, ""};
    VALENCE_TRY(const auto prompt, model.render(conversation, {}));
    VALENCE_TRY(const auto text, text_seen(model, prompt));
    const auto at = text.rfind(kAsked);
    if (at == std::string::npos) return PromptFrame{};
    return PromptFrame{text.substr(0, at), text.substr(at + kAsked.size())};
  }

  std::string_view inside(std::string_view text) const {
    if (text.starts_with(before)) text.remove_prefix(before.size());
    if (text.ends_with(after)) text.remove_suffix(after.size());
    return text;
  }
};

/// What stands before an example's answers.
Prompt prompt_of_paths(const TrainingExample& example) {
  const auto& path = example.paths.front();
  const auto end = path.tokens.begin() + static_cast<std::ptrdiff_t>(path.learned_from);
  return {std::vector<TokenId>(path.tokens.begin(), end), ""};
}

Result<std::vector<TrainingExample>> examples_behind(const RewardModel& model) {
  const auto file = model.folder / "examples.jsonl";
  VALENCE_TRY(const auto text, read_file(file));
  if (sha256(text) == model.job.examples_sha256) return parse_examples(text, file.string());
  return fail(ErrorCode::kMismatch,
              "{} is not what the reward model beside it learned from (another SHA-256 stands in its job.json): train "
              "the reward model anew (valence align reward)",
              file.string());
}

/// The prompts that it learned from, in the form in which prompts are told apart (prompt_key).
Result<std::set<std::string>> prompts_behind(const RewardModel& model) {
  VALENCE_TRY(const auto examples, examples_behind(model));
  VALENCE_TRY(const auto frame, PromptFrame::of(*model.tokens));
  std::set<std::string> prompts;
  for (const auto& example : examples) {
    VALENCE_TRY(const auto text, text_seen(*model.tokens, prompt_of_paths(example)));
    prompts.insert(prompt_key(frame.inside(text)));
  }
  prompts.erase("");
  return prompts;
}

/// A model that learned from the same prompts as a reward errs where that one errs.
Result<void> check_witness(const RewardModel& watch, std::span<const RewardModel> rewards) {
  for (const auto& reward : rewards) {
    if (reward.job.digest() != watch.job.digest()) continue;
    return fail(ErrorCode::kUsage,
                "the reward model {} cannot watch {}: they are one model, and what is optimised cannot be its own "
                "witness. Train another on other prompts (valence align reward), or leave --watch out",
                watch.folder.string(), reward.folder.string());
  }
  VALENCE_TRY(const auto known, prompts_behind(watch));
  for (const auto& reward : rewards) {
    VALENCE_TRY(const auto taught, prompts_behind(reward));
    const auto shared = std::ranges::count_if(taught, [&](const auto& prompt) { return known.contains(prompt); });
    if (shared == 0) continue;
    return fail(ErrorCode::kUsage,
                "the reward model {} cannot watch {}: of the {} prompts that it learned from, {} taught the other too, "
                "and what is optimised cannot be its own witness. Train another on other prompts (valence align "
                "reward), or leave --watch out",
                watch.folder.string(), reward.folder.string(), known.size(), shared);
  }
  return {};
}

// ---- reading

/// Prompts with what was said to them, as a reward model was taught to see them: without the subject's steering.
Result<std::vector<TrainingExample>> examples_of(const LanguageModel& model, std::span<const OpenPrompt> prompts,
                                                 std::span<const Sample> samples) {
  std::vector<TrainingExample> examples;
  std::size_t prompt = prompts.size();
  for (const auto& sample : samples) {
    if (!sample.said()) continue;
    const auto& asked = prompts[sample.prompt];
    TrainingRecord record{{asked.id, 0, 0}, RecordKind::kRanked, asked.history, {sample.text}, {}};
    record.prompt.push_back({Role::kUser, asked.text});
    VALENCE_TRY(auto example, render_record(model, record, {}));
    if (sample.prompt == prompt) {
      examples.back().paths.push_back(std::move(example.paths.front()));
    } else {
      examples.push_back(std::move(example));
    }
    prompt = sample.prompt;
  }
  return examples;
}

/// Reads responses by an ensemble of reward models.
class RewardReader {
 public:
  RewardReader(std::vector<RewardModel> models, const AlignContext& context, EnsembleRule rule, Rate rate)
      : models_(std::move(models)),
        folder_(context.folder / "ratings"),
        stop_(context.stop),
        rule_(rule),
        lambda_(context.settings.number("uncertainty_weight")),
        rate_(std::move(rate)) {}

  Result<Readings> operator()(std::span<const OpenPrompt> prompts, std::span<const Sample> samples) const {
    std::vector<std::vector<double>> by_answer(
        static_cast<std::size_t>(std::ranges::count_if(samples, [](const Sample& sample) { return sample.said(); })));
    for (const auto& model : models_) {
      VALENCE_TRY(const auto examples, examples_of(*model.tokens, prompts, samples));
      if (examples.empty()) break;
      VALENCE_TRY(const auto rated, rate_(model.folder, examples, folder_, {stop_, /*quiet=*/true}));
      VALENCE_CHECK(collect(rated, by_answer));
    }
    Readings readings;
    std::size_t at = 0;
    for (const auto& sample : samples) {
      readings.push_back(std::nullopt);
      if (sample.said()) readings.back() = reading_of(by_answer[at++]);
    }
    return readings;
  }

 private:
  static Result<void> collect(const std::vector<std::vector<double>>& rated,
                              std::vector<std::vector<double>>& by_answer) {
    std::size_t at = 0;
    for (const auto& example : rated) {
      for (const double reward : example) {
        if (at < by_answer.size()) by_answer[at].push_back(reward);
        ++at;
      }
    }
    if (at == by_answer.size()) return {};
    return fail(ErrorCode::kWrongCount, "a reward model gave {} rewards to {} answers", at, by_answer.size());
  }

  ValueReading reading_of(const std::vector<double>& rewards) const {
    return {.reward = ensemble_reward(rewards, rule_, lambda_),
            .l1 = kUndefined,
            .masked = kUndefined,
            .coverage = kUndefined,
            .e = {}};
  }

  std::vector<RewardModel> models_;
  fs::path folder_;
  std::stop_token stop_;
  EnsembleRule rule_;
  double lambda_;
  Rate rate_;
};

class Rlhf final : public Aligner {
 public:
  Rlhf(Teach teach, Rate rate) : teach_(std::move(teach)), rate_(std::move(rate)) {}
  const AlignerCard& card() const override { return kRlhfCard; }
  const SettingTable& settings() const override { return settings_; }

  Result<void> check(const AlignRequest& request) const override {
    if (request.settings.text("reward").empty()) {
      return fail(
          ErrorCode::kUsage,
          "alignment to a reward model needs one: --reward FOLDER, made with valence align reward --data PAIRS");
    }
    VALENCE_TRY(const auto space, load_space("schwartz10"));  // of the shipped sets
    return check_rounds(request.settings, space);
  }

  Result<void> ready(const AlignRequest& request) const override {
    for (const auto* key : {"reward", "watch"}) {
      if (request.settings.text(key).empty()) continue;
      for (const auto& folder : split(request.settings.text(key), ",")) {
        VALENCE_TRY(const auto job, reward_job(trim(folder)));
      }
    }
    VALENCE_TRY(const auto trainer, find_trainer());
    return {};
  }

  Result<AlignedSubject> align(const AlignContext& context, RunId run) const override {
    const auto& settings = context.settings;
    VALENCE_TRY(const auto space, load_space("schwartz10"));
    VALENCE_TRY(auto work, prepare_rounds(context, run, kRlhfCard.id, space));
    work.goal = settings.text("reward");
    VALENCE_TRY(auto rewards, open_all(settings.text("reward")));
    VALENCE_TRY(auto watching, open_all(settings.text("watch")));
    for (const auto& watch : watching) VALENCE_CHECK(check_witness(watch, rewards));
    VALENCE_TRY(const auto rule, ensemble_rule_from(settings.text("ensemble")));
    work.reward = RewardReader(std::move(rewards), context, rule, rate_);
    if (!watching.empty()) work.watch = RewardReader(std::move(watching), context, rule, rate_);
    return align_in_rounds(work, teach_);
  }

 private:
  Teach teach_;
  Rate rate_;
  SettingTable settings_ = rlhf_settings();
};

}  // namespace

std::unique_ptr<Aligner> make_rlhf(Teach teach, Rate rate) {
  return std::make_unique<Rlhf>(std::move(teach), std::move(rate));
}

}  // namespace valence
