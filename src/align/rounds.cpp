#include "rounds.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "drift.h"
#include "valence/align/over_optimisation.h"
#include "valence/align/ranking.h"
#include "valence/align/training_prompts.h"
#include "valence/base/files.h"
#include "valence/base/segment.h"
#include "valence/base/text.h"
#include "valence/evaluate/prompt_split.h"
#include "valence/train/operations.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

using enum SettingType;
using Clock = std::chrono::steady_clock;

/// How a round's responses are learned from.
struct Optimiser {
  std::string_view id;
  std::string operation;  ///< of valence/train/operations.h
  LessonKind lessons;
  bool goes_on;          ///< from the last round's training
  std::size_t compares;  ///< fewest responses to a prompt
};

const Optimiser kOptimisers[] = {{"dpo", "dpo", LessonKind::kPairs, false, 2},
                                 {"best_of_n", "sft", LessonKind::kBest, false, 2},
                                 {"grpo", "grpo", LessonKind::kAll, true, 2},
                                 {"rloo", "rloo", LessonKind::kAll, true, 2},
                                 {"ppo", "ppo", LessonKind::kAll, true, 1}};

const Optimiser& optimiser_of(const Settings& settings) {
  return *std::ranges::find(kOptimisers, std::string_view(settings.text("optimiser")), &Optimiser::id);
}

/// Settings of the training: those of ours that the operation knows too, then what `training` names.
Result<std::vector<std::pair<std::string, std::string>>> training_settings(const Settings& settings) {
  VALENCE_TRY(const auto* operation, find_operation(optimiser_of(settings).operation));
  std::vector<std::pair<std::string, std::string>> given;
  for (const auto& [name, value] : settings.values()) {
    if (std::ranges::find(operation->settings, name, &SettingSpec::name) != operation->settings.end())
      given.emplace_back(name, value);
  }
  if (settings.text("training").empty()) return given;
  for (const auto& change : split(settings.text("training"), ",")) {
    const auto equals = change.find('=');
    if (equals == std::string::npos)
      return fail(ErrorCode::kUsage, "training: should be NAME=VALUE,…, got \"{}\"", printable(change));
    given.emplace_back(trim(change.substr(0, equals)), trim(change.substr(equals + 1)));
  }
  VALENCE_CHECK(Settings::resolve(operation->settings, given));  // wrong names are told before anything is drawn
  return given;
}

Examiner examiner_of(const RoundsWork& work, const Subject& subject) {
  return {subject, &work.context.store, work.run, work.context.asking()};
}

/// What watched prompts' responses are worth to the reward and to what watches it, and of what kind they are.
Result<void> read_watched(RewardPoint& point, const RoundsWork& work, std::span<const Sample> samples) {
  const auto count = work.watched.size();
  VALENCE_TRY(const auto readings, work.reward(work.watched, samples));
  point.proxy = by_prompt(count, samples, readings, &ValueReading::reward);
  point.kind["coverage"] = by_prompt(count, samples, readings, &ValueReading::coverage);
  point.kind["outside_domain"] = by_prompt(count, samples, readings, &ValueReading::outside);
  const auto of_said = [&](const auto& number) {
    return mean_by_prompt(count, samples, [&](std::size_t i) { return samples[i].said() ? number(samples[i]) : kUndefined; });
  };
  point.kind["refused"] = of_said([](const Sample& sample) { return sample.status == Status::kRefused ? 1.0 : 0.0; });
  point.kind["words"] = of_said([](const Sample& sample) { return static_cast<double>(words(sample.text).size()); });
  point.held_out.assign(count, kUndefined);
  if (!work.watch) return {};
  VALENCE_TRY(const auto watching, work.watch(work.watched, samples));
  point.held_out = by_prompt(count, samples, watching, &ValueReading::reward);
  return {};
}

Result<RewardPoint> look(const RoundsWork& work, const Subject& subject, const Subject& base, std::size_t round) {
  auto examiner = examiner_of(work, subject);
  const SamplerOptions options{1, static_cast<int>(work.whole("max_tokens")), "watched"};
  VALENCE_TRY(const auto samples, sample_responses(examiner, work.watched, options));
  RewardPoint point{.round = round, .kl = 0.0, .proxy = {}, .held_out = {}};
  VALENCE_CHECK(read_watched(point, work, samples));
  if (round == 0) return point;
  auto before = examiner_of(work, base);
  VALENCE_TRY(point.kl, sampled_drift(examiner, before, work.watched, samples));
  return point;
}

/// Standard deviation of a sample; 1 where there is none.
double deviation_of(std::span<const double> numbers) {
  double sum = 0.0, squares = 0.0;
  const auto count = static_cast<double>(numbers.size());
  for (const double x : numbers) sum += x;
  for (const double x : numbers) squares += (x - sum / count) * (x - sum / count);
  return count > 1.0 && squares > 0.0 ? std::sqrt(squares / (count - 1.0)) : 1.0;
}

/// The rounds as they go: subjects made, lessons so far, points watched.
class Rounds {
 public:
  Rounds(const RoundsWork& work, const Teach& teach, std::vector<std::pair<std::string, std::string>> training)
      : work_(work),
        teach_(teach),
        optimiser_(optimiser_of(work.context.settings)),
        training_(std::move(training)),
        subjects_{work.context.base} {}

  Result<AlignedSubject> run() {
    VALENCE_TRY(const auto base, open_subject(work_.context.base));
    for (std::size_t round = 0;; ++round) {
      VALENCE_TRY(const bool over, play(base, round));
      if (over) return finished();
      VALENCE_CHECK(timed("update", [&] { return teach(round + 1); }));
    }
  }

 private:
  /// Runs what gives a Result and books its seconds.
  template <class Work>
  std::invoke_result_t<Work&> timed(const char* phase, Work&& work) {
    const auto begin = Clock::now();
    auto done = work();
    phases_[phase] += std::chrono::duration<double>(Clock::now() - begin).count();
    return done;
  }

  /// Watches the subject that round `round` made and, unless that is the last round, draws lessons for the next from
  /// it.
  Result<bool> play(const Subject& base, std::size_t round) {
    VALENCE_TRY(const auto subject, open_subject(subjects_[round]));
    const bool last = round == work_.whole("rounds");
    if (last || round % work_.whole("watch_every") == 0) VALENCE_CHECK(watch(subject, base, round));
    if (course_.turn || last) return true;
    VALENCE_CHECK(draw(subject, round + 1));
    return false;
  }

  Result<void> watch(const Subject& subject, const Subject& base, std::size_t round) {
    VALENCE_TRY(auto point, timed("watching", [&] { return look(work_, subject, base, round); }));
    auto row = training_step(point);
    row.phases = phases_;
    for (const auto& [phase, seconds] : phases_) row.seconds += seconds;
    VALENCE_CHECK(work_.context.store.put_training_step(work_.run, row));
    if (work_.context.progress) work_.context.progress->note(shares_text(row));
    phases_.clear();
    points_.push_back(std::move(point));
    VALENCE_TRY(course_, course_of(points_));
    return {};
  }

  static std::string shares_text(const TrainingStep& row) {
    std::vector<std::string> shares;
    for (const auto& [phase, seconds] : row.phases)
      shares.push_back(fmt::format("{} {:.0f} %", phase, 100.0 * seconds / row.seconds));
    return fmt::format("round {}: {} of {}", row.step, join(shares, ", "),
                       duration_text(std::chrono::duration<double>(row.seconds)));
  }

  Result<ValueRound> drawn(const Subject& subject, std::size_t number) {
    ValueRound round;
    const auto name = fmt::format("round {}", number);
    round.prompts = draw_prompts(work_.pool, work_.whole("prompts_per_round"), work_.context.seed,
                                 fmt::format("{}.{}", work_.aligner, name))
                        .drawn;
    auto examiner = examiner_of(work_, subject);
    const SamplerOptions options{work_.whole("samples"), static_cast<int>(work_.whole("max_tokens")), name};
    VALENCE_TRY(round.samples, timed("rollout", [&] { return sample_responses(examiner, round.prompts, options); }));
    VALENCE_TRY(round.readings, timed("reward", [&] { return work_.reward(round.prompts, round.samples); }));
    return round;
  }

  Result<void> draw(const Subject& subject, std::size_t number) {
    const auto& settings = work_.context.settings;
    VALENCE_TRY(auto round, drawn(subject, number));
    for (const auto& reading : round.readings) {
      if (reading && std::isfinite(reading->reward)) rewards_.push_back(reading->reward);
    }
    const double scale = settings.flag("scale_rewards") ? deviation_of(rewards_) : 1.0;
    const auto most = work_.whole(optimiser_.lessons == LessonKind::kBest ? "keep" : "pairs");
    round.lessons =
        lessons_of(round, {optimiser_.lessons, settings.number("margin"), most, optimiser_.compares, scale});
    if (optimiser_.goes_on) lessons_.clear();
    lessons_.insert(lessons_.end(), round.lessons.begin(), round.lessons.end());
    VALENCE_CHECK(write_file(file(number, "samples.jsonl"), samples_jsonl(round, work_.context.seed)));
    VALENCE_CHECK(write_file(file(number, "lessons.jsonl"), to_jsonl(lessons_)));
    const auto rows = answer_rows(round, number);
    answers_.insert(answers_.end(), rows.begin(), rows.end());
    rounds_.push_back(round_json(round, number));
    return lessons_.empty() ? nothing_learned(round) : Result<void>();
  }

  Result<void> nothing_learned(const ValueRound& round) const {
    if (optimiser_.lessons == LessonKind::kPairs) {
      return fail(ErrorCode::kInvalid,
                  "nothing to learn from: of {} responses no two to one prompt differ in reward by {} or more; lower "
                  "--margin, or draw more --samples",
                  round.samples.size(), work_.context.settings.number("margin"));
    }
    return fail(ErrorCode::kInvalid,
                "nothing to learn from: of {} responses no {} to one prompt could be read; look at the samples in {}",
                round.samples.size(), optimiser_.compares, work_.context.folder.string());
  }

  Result<void> teach(std::size_t round) {
    const auto& context = work_.context;
    const bool goes_on = optimiser_.goes_on && round > 1;
    VALENCE_TRY(auto taught,
                teach_({optimiser_.operation, training_, context.base, lessons_, file(round, "training"), context.seed,
                        context.store, context.stop, goes_on ? file(round - 1, "training") : std::filesystem::path()}));
    taught.name = fmt::format("{} after round {}", display_name(context.base), round);
    subjects_.push_back(std::move(taught));
    return {};
  }

  AlignedSubject finished() {
    const auto kept = course_.kept;
    auto subject = subjects_[kept];
    if (kept > 0) subject.name = fmt::format("{} aligned to {}", display_name(work_.context.base), work_.goal);
    return {std::move(subject), to_text(record(kept)), work_.run, std::move(answers_)};
  }

  Json record(std::size_t kept) const {
    Json json = {{"optimiser", optimiser_.id},
                 {"settings", work_.context.settings.to_json()},
                 {"prompts", work_.prompts},
                 {"rounds", rounds_},
                 {"monitor", to_json(std::span(points_))},
                 {"kept", kept},
                 {"watched", static_cast<bool>(work_.watch)},
                 {"turn", course_.turn ? Json(*course_.turn) : Json()}};
    if (work_.context.target) json["target"] = work_.context.target->id;
    if (course_.turn) json["fall"] = to_json(course_.fall);
    if (course_.turn) json["turn_by"] = course_.silent ? "silence" : "held_out";
    if (optimiser_.lessons == LessonKind::kBest && work_.whole("keep") == 1)
      json["best_of_n_kl_bound"] = best_of_n_bound(work_.whole("samples"));
    return json;
  }

  std::filesystem::path file(std::size_t round, std::string_view name) const {
    return work_.context.folder / fmt::format("round-{}", round) / name;
  }

  const RoundsWork& work_;
  const Teach& teach_;
  const Optimiser& optimiser_;
  std::vector<std::pair<std::string, std::string>> training_;
  std::vector<SubjectSpec> subjects_;  // by round, the base first
  std::vector<Lesson> lessons_;        // that the next training learns from
  std::vector<double> rewards_;        // of all responses so far
  std::vector<AnswerRow> answers_;     // all responses so far, for the store
  std::vector<RewardPoint> points_;
  OptimisationCourse course_;
  std::map<std::string, double> phases_;  // seconds since the last look
  Json rounds_ = Json::array();
};

}  // namespace

SettingTable ensemble_settings() {
  return {{"ensemble",
           kChoice,
           "mean",
           "",
           "how an ensemble's rewards become one: mean, worst, or uncertainty (mean minus weighted variance)",
           {"mean", "worst", "uncertainty"},
           {},
           {}},
          {"uncertainty_weight", kNumber, "1", "", "weight of the variance", {}, 0, 1000}};
}

SettingTable round_settings() {
  return {
      {"optimiser",
       kChoice,
       "dpo",
       "",
       "dpo: prefer the better response; best_of_n: say the best ones; grpo, rloo, ppo: raise and lower all responses "
       "by "
       "their rewards, going on from round to round",
       {"dpo", "best_of_n", "grpo", "rloo", "ppo"},
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
      {"rounds",
       kInteger,
       "2",
       "rounds",
       "times that responses are drawn from what the last round made",
       {},
       1,
       100000},
      {"prompts_per_round", kInteger, "96", "prompts", "drawn anew in each round", {}, 1, 1000000},
      {"samples", kInteger, "6", "responses", "drawn for each prompt", {}, 1, 1024},
      {"max_tokens", kInteger, "96", "tokens", "length at which a response is cut", {}, 1, 8192},
      {"margin", kNumber, "0.2", "", "pairs whose rewards differ by less are not learned from (dpo)", {}, 0, 100},
      {"pairs", kInteger, "2", "pairs", "at most so many of a prompt (dpo)", {}, 1, 512},
      {"keep",
       kInteger,
       "1",
       "responses",
       "so many of a prompt, best first, are taught (best_of_n; in several rounds this is expert iteration)",
       {},
       1,
       1023},
      {"scale_rewards",
       kBool,
       "false",
       "",
       "divide rewards by the standard deviation of all so far (grpo, rloo, ppo)",
       {},
       {},
       {}},
      {"watched_prompts",
       kInteger,
       "48",
       "prompts",
       "training-side prompts kept for watching, never taught",
       {},
       2,
       1000000},
      {"watch_every", kInteger, "1", "rounds", "watch after every so many rounds", {}, 1, 100000},
      {"learning_rate", kNumber, "1e-4", "", "step size of the training", {}, 0, 1},
      {"epochs", kNumber, "1", "", "times that a round's lessons are gone through", {}, 0.001, 1000},
      {"batch", kInteger, "8", "lessons", "of one step: pairs, responses, or prompts (grpo, rloo, ppo)", {}, 1, 65536},
      {"rank", kInteger, "8", "", "rank of the adapter", {}, 1, 1024},
      {"alpha", kNumber, "16", "", "scale of the adapter", {}, 0, 4096},
      {"beta", kNumber, "0.1", "", "strength of the tie to the subject as it was (all but best_of_n)", {}, 0, 1000},
      {"kl_target",
       kNumber,
       "0",
       "nats",
       "KL of a response that beta is adapted to from round to round; 0 = beta stays (ppo)",
       {},
       0,
       10000},
      {"training",
       kText,
       "",
       "",
       "further settings of the training, NAME=VALUE,…: valence align list names the operations, docs/training.md "
       "their "
       "settings",
       {},
       {},
       {}}};
}

Result<void> check_rounds(const Settings& settings, const Space& space) {
  const auto& optimiser = optimiser_of(settings);
  if (static_cast<std::size_t>(settings.integer("samples")) < optimiser.compares) {
    return fail(ErrorCode::kUsage,
                "optimiser {} compares responses to one prompt: --samples should be {} or more, got {}", optimiser.id,
                optimiser.compares, settings.integer("samples"));
  }
  if (optimiser.lessons == LessonKind::kBest && settings.integer("keep") >= settings.integer("samples")) {
    return fail(ErrorCode::kUsage,
                "optimiser {} teaches the best of a prompt's responses: --keep should be below --samples ({}), got {}",
                optimiser.id, settings.integer("samples"), settings.integer("keep"));
  }
  VALENCE_TRY(const auto training, training_settings(settings));
  VALENCE_TRY(const auto prompts, load_training_prompts(settings.text("prompts"), space));
  return {};
}

Result<RoundsWork> prepare_rounds(const AlignContext& context, RunId run, std::string aligner, const Space& space) {
  const auto& settings = context.settings;
  VALENCE_TRY(const auto prompts, load_training_prompts(settings.text("prompts"), space));
  auto draw = draw_prompts(prompts.prompts, static_cast<std::size_t>(settings.integer("watched_prompts")), context.seed,
                           aligner + ".watched");
  if (draw.others.empty()) {
    return fail(ErrorCode::kUsage,
                "{} prompts are on the training side and {} of them are watched: none is left to train on",
                prompts.prompts.size(), draw.drawn.size());
  }
  Json record = {
      {"sources", settings.text("prompts")}, {"split", prompt_split_rule()}, {"read", prompts.read},
      {"held_out", prompts.held_out},        {"watched", draw.drawn.size()}, {"to_train_on", draw.others.size()}};
  return RoundsWork{
      context, run, std::move(aligner), {}, {}, {}, std::move(draw.drawn), std::move(draw.others), std::move(record)};
}

Result<AlignedSubject> align_in_rounds(const RoundsWork& work, const Teach& teach) {
  VALENCE_TRY(auto training, training_settings(work.context.settings));
  return Rounds(work, teach, std::move(training)).run();
}

}  // namespace valence
