#include "valence/align/base_align.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "drift.h"
#include "valence/align/over_optimisation.h"
#include "valence/align/ranking.h"
#include "valence/align/training_prompts.h"
#include "valence/base/files.h"
#include "valence/values/profile.h"
#include "value_lessons.h"

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

const SettingTable kBaseAlignSettings = {
    {"optimiser",
     kChoice,
     "dpo",
     "",
     "dpo: prefer the response nearer to the target; best_of_n: say the nearest one",
     {"dpo", "best_of_n"},
     {},
     {}},
    {"reward",
     kChoice,
     "l1",
     "",
     "minus the distance from the target: l1, or masked as in the published code, which an evasive response satisfies",
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
    {"ensemble",
     kChoice,
     "mean",
     "",
     "how an ensemble's rewards become one: mean, worst, or uncertainty (mean minus weighted variance)",
     {"mean", "worst", "uncertainty"},
     {},
     {}},
    {"uncertainty_weight", kNumber, "1", "", "weight of the variance", {}, 0, 1000},
    {"watch",
     kText,
     "fulcra_held_out",
     "",
     "evaluators that watch the reward; they may share no row with those that give it",
     {},
     {},
     {}},
    {"prompts",
     kText,
     "trustworthy",
     "",
     "sets or .jsonl files, separated by commas; only the training side of the split is used",
     {},
     {},
     {}},
    {"rounds", kInteger, "2", "rounds", "times that responses are drawn from what the last round made", {}, 1, 100},
    {"prompts_per_round", kInteger, "96", "prompts", "drawn anew in each round", {}, 1, 1000000},
    {"samples", kInteger, "6", "responses", "drawn for each prompt", {}, 2, 1024},
    {"max_tokens", kInteger, "96", "tokens", "length at which a response is cut", {}, 1, 8192},
    {"margin", kNumber, "0.2", "", "pairs whose rewards differ by less are not learned from (dpo)", {}, 0, 100},
    {"pairs", kInteger, "2", "pairs", "at most so many of a prompt (dpo)", {}, 1, 512},
    {"watched_prompts",
     kInteger,
     "48",
     "prompts",
     "of the training side that are not trained on but watched after every round",
     {},
     2,
     1000000},
    {"learning_rate", kNumber, "1e-4", "", "step size of the training", {}, 0, 1},
    {"epochs", kNumber, "1", "", "times that a round's lessons are gone through", {}, 0.001, 1000},
    {"batch", kInteger, "8", "lessons", "of one step", {}, 1, 65536},
    {"rank", kInteger, "8", "", "rank of the adapter", {}, 1, 1024},
    {"alpha", kNumber, "16", "", "scale of the adapter", {}, 0, 4096},
    {"beta", kNumber, "0.1", "", "strength of the tie to the subject as it was (dpo)", {}, 1e-6, 1000}};

/// Evaluators, prompts and settings of one alignment.
struct ValueWork {
  const AlignContext& context;
  RunId run;
  ValueReader reward, watch;
  std::vector<OpenPrompt> watched, pool;
  Json prompts;

  bool pairs() const { return context.settings.text("optimiser") == "dpo"; }
  std::size_t whole(std::string_view name) const { return static_cast<std::size_t>(context.settings.integer(name)); }
};

Result<RewardOptions> reward_options(const Settings& settings) {
  RewardOptions options;
  VALENCE_TRY(options.form, reward_form_from(settings.text("reward")));
  VALENCE_TRY(options.rule, ensemble_rule_from(settings.text("ensemble")));
  options.lambda = settings.number("uncertainty_weight");
  return options;
}

Result<void> check_apart(const ValueReader& reward, const ValueReader& watch) {
  const auto shared = shared_rows(reward, watch);
  if (shared == 0) return {};
  return fail(ErrorCode::kUsage,
              "the evaluators that give the reward and those that watch it were fitted on {} common responses: what is "
              "optimised cannot be its own "
              "witness. Name others with --watch or --evaluator (fulcra_training and fulcra_held_out share none)",
              shared);
}

Result<ValueWork> prepare_values(const AlignContext& context, RunId run) {
  const auto silent = silent_progress();
  auto& progress = context.progress ? *context.progress : *silent;
  const auto& settings = context.settings;
  VALENCE_CHECK(check_teachable(context.base));
  VALENCE_TRY(const auto space, load_space(context.target->space));
  VALENCE_TRY(const auto prompts, load_training_prompts(settings.text("prompts"), space));
  VALENCE_TRY(const auto options, reward_options(settings));
  VALENCE_TRY(auto reward,
              ValueReader::open(settings.text("evaluator"), *context.target, options, progress, context.stop));
  VALENCE_TRY(auto watch, ValueReader::open(settings.text("watch"), *context.target, options, progress, context.stop));
  VALENCE_CHECK(check_apart(reward, watch));
  auto draw = draw_prompts(prompts.prompts, static_cast<std::size_t>(settings.integer("watched_prompts")), context.seed,
                           "base_align.watched");
  if (draw.others.empty()) {
    return fail(ErrorCode::kUsage,
                "{} prompts are on the training side and {} of them are watched: none is left to train on",
                prompts.prompts.size(), draw.drawn.size());
  }
  const Json record = {
      {"sources", settings.text("prompts")}, {"split", prompt_split_rule()}, {"read", prompts.read},
      {"held_out", prompts.held_out},        {"watched", draw.drawn.size()}, {"to_train_on", draw.others.size()}};
  return ValueWork{context, run, std::move(reward), std::move(watch), std::move(draw.drawn), std::move(draw.others),
                   record};
}

Examiner value_examiner(const ValueWork& work, const Subject& subject) {
  const auto& context = work.context;
  return {
      subject, &context.store, work.run, {.seed = context.seed, .stop = context.stop, .progress = context.progress}};
}

Result<RewardPoint> look(const ValueWork& work, const Subject& subject, const Subject& base, std::size_t round) {
  auto examiner = value_examiner(work, subject);
  const SamplerOptions options{1, static_cast<int>(work.whole("max_tokens")), "watched"};
  VALENCE_TRY(const auto samples, sample_responses(examiner, work.watched, options));
  VALENCE_TRY(const auto proxy, read_samples(work.reward, work.watched, samples));
  VALENCE_TRY(const auto held_out, read_samples(work.watch, work.watched, samples));
  RewardPoint point{round, 0.0, rewards_by_prompt(work.watched.size(), samples, proxy),
                    rewards_by_prompt(work.watched.size(), samples, held_out)};
  if (round == 0) return point;
  auto before = value_examiner(work, base);
  VALENCE_TRY(point.kl, sampled_drift(examiner, before, work.watched, samples));
  return point;
}

Result<ValueRound> draw_round(const ValueWork& work, const Subject& subject, std::size_t number) {
  ValueRound round;
  const auto name = fmt::format("round {}", number);
  round.prompts =
      draw_prompts(work.pool, work.whole("prompts_per_round"), work.context.seed, "base_align." + name).drawn;
  auto examiner = value_examiner(work, subject);
  VALENCE_TRY(round.samples,
              sample_responses(examiner, round.prompts,
                               {work.whole("samples"), static_cast<int>(work.whole("max_tokens")), name}));
  VALENCE_TRY(round.readings, read_samples(work.reward, round.prompts, round.samples));
  round.lessons = lessons_of(round, {work.pairs(), work.context.settings.number("margin"), work.whole("pairs")});
  return round;
}

std::vector<std::pair<std::string, std::string>> value_training(const ValueWork& work) {
  std::vector<std::pair<std::string, std::string>> given;
  std::vector<std::string> names = {"learning_rate", "epochs", "batch", "rank", "alpha"};
  if (work.pairs()) names.push_back("beta");
  for (const auto& [name, value] : work.context.settings.values()) {
    if (std::ranges::find(names, name) != names.end()) given.emplace_back(name, value);
  }
  return given;
}

/// The rounds as they go: subjects made, lessons so far, points watched.
class Rounds {
 public:
  Rounds(const ValueWork& work, const Teach& teach) : work_(work), teach_(teach), subjects_{work.context.base} {}

  Result<AlignedSubject> run() {
    VALENCE_TRY(const auto base, open_subject(work_.context.base));
    for (std::size_t round = 0;; ++round) {
      VALENCE_TRY(const bool over, play(base, round));
      if (over) return finished();
      VALENCE_CHECK(teach(round + 1));
    }
  }

 private:
  /// Watches the subject that round `round` made and, unless that is the last round, draws lessons for the next from
  /// it.
  Result<bool> play(const Subject& base, std::size_t round) {
    VALENCE_TRY(const auto subject, open_subject(subjects_[round]));
    VALENCE_TRY(auto point, look(work_, subject, base, round));
    VALENCE_CHECK(work_.context.store.put_training_step(work_.run, training_step(point)));
    points_.push_back(std::move(point));
    VALENCE_TRY(course_, course_of(points_));
    if (course_.turn || round == work_.whole("rounds")) return true;
    VALENCE_CHECK(draw(subject, round + 1));
    return false;
  }

  Result<void> draw(const Subject& subject, std::size_t round) {
    VALENCE_TRY(const auto drawn, draw_round(work_, subject, round));
    lessons_.insert(lessons_.end(), drawn.lessons.begin(), drawn.lessons.end());
    VALENCE_CHECK(write_file(file(round, "samples.jsonl"), samples_jsonl(drawn, work_.context.seed)));
    VALENCE_CHECK(write_file(file(round, "lessons.jsonl"), to_jsonl(lessons_)));
    rounds_.push_back(round_json(drawn, round));
    if (!lessons_.empty()) return {};
    return fail(ErrorCode::kInvalid,
                "nothing to learn from: of {} responses no two to one prompt differ in reward by {} or more; lower "
                "--margin, or draw more --samples",
                drawn.samples.size(), work_.context.settings.number("margin"));
  }

  Result<void> teach(std::size_t round) {
    const auto& context = work_.context;
    VALENCE_TRY(auto taught, teach_({work_.pairs() ? "dpo" : "sft", value_training(work_), context.base, lessons_,
                                     file(round, "training"), context.seed, context.store, context.stop}));
    taught.name = fmt::format("{} after round {}", display_name(context.base), round);
    subjects_.push_back(std::move(taught));
    return {};
  }

  /// After a turn the best round before it is kept, else the last.
  AlignedSubject finished() const {
    const auto kept = course_.turn ? course_.best : points_.back().round;
    auto subject = subjects_[kept];
    if (kept > 0)
      subject.name = fmt::format("{} aligned to {}", display_name(work_.context.base), work_.context.target->label);
    return {std::move(subject), to_text(record(kept)), work_.run};
  }

  Json record(std::size_t kept) const {
    const auto& context = work_.context;
    Json json = {{"target", context.target->id},
                 {"prompts", work_.prompts},
                 {"rounds", rounds_},
                 {"monitor", to_json(std::span(points_))},
                 {"kept", kept},
                 {"turn", course_.turn ? Json(*course_.turn) : Json()}};
    if (course_.turn) json["fall"] = to_json(course_.fall);
    if (!work_.pairs()) json["best_of_n_kl_bound"] = best_of_n_bound(work_.whole("samples"));
    return json;
  }

  std::filesystem::path file(std::size_t round, std::string_view name) const {
    return work_.context.folder / fmt::format("round-{}", round) / name;
  }

  const ValueWork& work_;
  const Teach& teach_;
  std::vector<SubjectSpec> subjects_;  // by round, the base first
  std::vector<Lesson> lessons_;        // of all rounds: every training starts from the base
  std::vector<RewardPoint> points_;
  OptimisationCourse course_;
  Json rounds_ = Json::array();
};

class BaseAlign final : public Aligner {
 public:
  explicit BaseAlign(Teach teach) : teach_(std::move(teach)) {}
  const AlignerCard& card() const override { return kBaseAlignCard; }
  const SettingTable& settings() const override { return kBaseAlignSettings; }

  Result<AlignedSubject> align(const AlignContext& context, RunId run) const override {
    VALENCE_TRY(const auto work, prepare_values(context, run));
    return Rounds(work, teach_).run();
  }

 private:
  Teach teach_;
};

}  // namespace

std::unique_ptr<Aligner> make_base_align(Teach teach) { return std::make_unique<BaseAlign>(std::move(teach)); }

}  // namespace valence
