#include "valence/align/constitutional.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "valence/align/constitution.h"
#include "valence/align/sampler.h"
#include "valence/align/training.h"
#include "valence/align/training_prompts.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/random.h"
#include "valence/stats/intervals.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

using enum SettingType;

const AlignerCard kConstitutionalCard = {
    .id = "constitutional",
    .title = "Constitutional alignment",
    .version = "1",
    .does =
        "Has the subject criticise and rewrite its own answers under principles, or prefer one "
        "of two answers under them, and teaches it the outcome.",
    .limits =
        "The subject or the judge is taken at its word: what a small model thinks better under "
        "a principle need not be better.",
    .changes_weights = true,
    .needs_target = false,
    .needs_instrument = false};

const SettingTable kConstitutionalSettings = {
    {"stage",
     kChoice,
     "revise",
     "",
     "revise: learn rewritten answers; prefer: learn which of two answers a judge prefers",
     {"revise", "prefer"},
     {},
     {}},
    {"constitution", kText, "", "", "a file of principles and forms; empty: the shipped one", {}, {}, {}},
    {"prompts",
     kText,
     "advice",
     "",
     "sets or .jsonl files, separated by commas; only the training side of the split is used",
     {},
     {},
     {}},
    {"count", kInteger, "96", "prompts", "how many, drawn by the seed", {}, 1, 1000000},
    {"rounds", kInteger, "1", "rounds", "of critique and rewriting (revise)", {}, 1, 16},
    {"max_tokens", kInteger, "128", "tokens", "length at which an answer is cut", {}, 1, 8192},
    {"judge", kText, "", "", "model that prefers (prefer); empty: the subject itself", {}, {}, {}},
    {"certainty",
     kNumber,
     "0.1",
     "",
     "pairs whose preference |2p - 1| is smaller are not learned from (prefer)",
     {},
     0,
     1},
    {"labels",
     kChoice,
     "drawn",
     "",
     "which answer counts as better: drawn with the judge's probability, so that doubt is learned too; or the likelier",
     {"drawn", "likelier"},
     {},
     {}},
    {"learning_rate", kNumber, "1e-4", "", "step size of the training", {}, 0, 1},
    {"epochs", kNumber, "1", "", "times that the lessons are gone through", {}, 0.001, 1000},
    {"batch", kInteger, "8", "lessons", "of one step", {}, 1, 65536},
    {"rank", kInteger, "8", "", "rank of the adapter", {}, 1, 1024},
    {"alpha", kNumber, "16", "", "scale of the adapter", {}, 0, 4096},
    {"beta", kNumber, "0.1", "", "strength of the tie to the subject as it was (prefer)", {}, 1e-6, 1000}};

/// What a stage came to: lessons, a line per prompt or pair, and the record.
struct Stage {
  std::vector<Lesson> lessons;
  std::string lines;
  Json record;
};

struct PrincipleWork {
  const AlignContext& context;
  RunId run;
  Constitution constitution;
  std::vector<OpenPrompt> prompts;

  int max_tokens() const { return static_cast<int>(context.settings.integer("max_tokens")); }
};

Examiner principle_examiner(const PrincipleWork& work, const Subject& subject) {
  return {subject, &work.context.store, work.run, work.context.asking()};
}

Json counts_json(const std::map<std::string, std::size_t>& counts) {
  Json json = Json::object();
  for (const auto& [name, count] : counts) json[name] = count;
  return json;
}

// ---- critique and revision

Json line_of(const PrincipleWork& work, const Revision& revision) {
  return {{"prompt_id", work.prompts[revision.prompt].id},
          {"status", to_string(revision.status)},
          {"principles", revision.principles},
          {"first", revision.first.row.text},
          {"critiques", revision.critiques},
          {"last", revision.last.row.text},
          {"group", revision.last.row.digest}};
}

Result<Stage> revise_stage(const PrincipleWork& work, const Subject& subject) {
  auto examiner = principle_examiner(work, subject);
  const auto rounds = static_cast<std::size_t>(work.context.settings.integer("rounds"));
  VALENCE_TRY(const auto revisions, revise(examiner, work.constitution, work.prompts, {rounds, work.max_tokens()}));
  Stage stage;
  std::map<std::string, std::size_t> principles, statuses;
  std::size_t unchanged = 0;
  for (const auto& revision : revisions) {
    stage.lines += to_text(line_of(work, revision)) + "\n";
    ++statuses[std::string(to_string(revision.status))];
    if (revision.principles.empty()) continue;
    for (const auto& id : revision.principles) ++principles[id];
    unchanged += revision.first.row.text == revision.last.row.text ? 1 : 0;
    stage.lessons.push_back(
        {work.prompts[revision.prompt], {{revision.last.row.text, revision.last.completion.tokens}}});
  }
  stage.record = {{"revisions", revisions.size()},
                  {"statuses", counts_json(statuses)},
                  {"unchanged", unchanged},
                  {"principles", counts_json(principles)}};
  return stage;
}

// ---- preference

/// Two answers to each prompt, of those that got two.
struct Drawn {
  std::vector<AnswerPair> pairs;
  std::vector<std::array<const Sample*, 2>> samples;
};

Drawn pairs_of(const PrincipleWork& work, const std::vector<Sample>& samples) {
  Drawn drawn;
  for (std::size_t p = 0; p < work.prompts.size(); ++p) {
    const auto &first = samples[2 * p], &second = samples[2 * p + 1];
    if (!first.said() || !second.said() || first.text == second.text) continue;
    drawn.pairs.push_back({work.prompts[p], first.text, second.text});
    drawn.samples.push_back({&first, &second});
  }
  return drawn;
}

/// Whether the first answer is taught as the better one; none when the judge is too uncertain.
std::optional<bool> first_is_better(const Preference& preference, const AnswerPair& pair, const AlignContext& context) {
  if (preference.status != Status::kScored) return std::nullopt;
  if (std::abs(2.0 * preference.first - 1.0) < context.settings.number("certainty")) return std::nullopt;
  if (context.settings.text("labels") == "likelier") return preference.first > 0.5;
  return RandomStream(context.seed, "constitutional.label." + pair.prompt.id, preference.pair).uniform() <
         preference.first;
}

Lesson lesson_of(const Drawn& drawn, std::size_t pair, bool first) {
  Lesson lesson{drawn.pairs[pair].prompt, {}};
  for (const std::size_t which : {first ? 0U : 1U, first ? 1U : 0U}) {
    const auto* sample = drawn.samples[pair][which];
    lesson.answers.push_back({sample->text, sample->tokens});
  }
  return lesson;
}

Result<std::vector<Preference>> ask_judge(const PrincipleWork& work, const Subject& subject, const Drawn& drawn) {
  const auto& name = work.context.settings.text("judge");
  if (name.empty()) {
    auto judge = principle_examiner(work, subject);
    return prefer(judge, work.constitution, drawn.pairs);
  }
  VALENCE_TRY(const auto spec, subject_named(name));
  VALENCE_TRY(const auto other, open_subject(spec));
  auto judge = principle_examiner(work, other);
  return prefer(judge, work.constitution, drawn.pairs);
}

Json line_of(const AnswerPair& pair, const Preference& preference, const std::optional<bool>& first) {
  return {{"prompt_id", pair.prompt.id},
          {"principles", Json::array({preference.principle})},
          {"status", to_string(preference.status)},
          {"first", pair.first},
          {"second", pair.second},
          {"p_first", preference.first},
          {"p_first_place", preference.first_place},
          {"chosen", first ? Json(*first ? "first" : "second") : Json()}};
}

/// How far the judge goes by the place of an answer: mean probability of the first place, 0.5 for one that reads.
Json place_json(const std::vector<Preference>& preferences) {
  std::vector<double> places;
  for (const auto& preference : preferences) {
    if (preference.status == Status::kScored) places.push_back(preference.first_place);
  }
  return to_json(within(stats::student_mean(places, "pair"), 0.0, 1.0));
}

Result<Stage> prefer_stage(const PrincipleWork& work, const Subject& subject) {
  auto examiner = principle_examiner(work, subject);
  VALENCE_TRY(const auto samples,
              sample_responses(examiner, work.prompts, {2, work.max_tokens(), "constitution, two answers"}));
  const auto drawn = pairs_of(work, samples);
  VALENCE_TRY(const auto preferences, ask_judge(work, subject, drawn));
  Stage stage;
  std::map<std::string, std::size_t> principles, statuses;
  for (std::size_t i = 0; i < preferences.size(); ++i) {
    const auto first = first_is_better(preferences[i], drawn.pairs[i], work.context);
    stage.lines += to_text(line_of(drawn.pairs[i], preferences[i], first)) + "\n";
    ++statuses[std::string(to_string(preferences[i].status))];
    if (!first) continue;
    ++principles[preferences[i].principle];
    stage.lessons.push_back(lesson_of(drawn, i, *first));
  }
  stage.record = {{"samples", to_json(count_of(samples))},
                  {"pairs", drawn.pairs.size()},
                  {"statuses", counts_json(statuses)},
                  {"principles", counts_json(principles)},
                  {"first_place", place_json(preferences)}};
  return stage;
}

// ---- the aligner

Result<PrincipleWork> prepare_principles(const AlignContext& context, RunId run) {
  VALENCE_TRY(auto constitution, load_constitution(context.settings.text("constitution")));
  VALENCE_TRY(const auto space, load_space("schwartz10"));  // of the shipped sets
  VALENCE_TRY(const auto prompts, load_training_prompts(context.settings.text("prompts"), space));
  auto draw = draw_prompts(prompts.prompts, static_cast<std::size_t>(context.settings.integer("count")), context.seed,
                           "constitutional.prompts");
  return PrincipleWork{context, run, std::move(constitution), std::move(draw.drawn)};
}

std::vector<std::pair<std::string, std::string>> principle_training(const Settings& settings, bool pairs) {
  std::vector<std::pair<std::string, std::string>> given;
  for (const std::string name : {"learning_rate", "epochs", "batch", "rank", "alpha", "beta"}) {
    if (name == "beta" && !pairs) continue;
    const auto found = std::ranges::find(settings.values(), name, &std::pair<std::string, std::string>::first);
    given.emplace_back(*found);
  }
  return given;
}

class Constitutional final : public Aligner {
 public:
  explicit Constitutional(Teach teach) : teach_(std::move(teach)) {}
  const AlignerCard& card() const override { return kConstitutionalCard; }
  const SettingTable& settings() const override { return kConstitutionalSettings; }

  Result<void> ready(const AlignRequest&) const override {
    VALENCE_TRY(const auto trainer, find_trainer());
    return {};
  }

  Result<AlignedSubject> align(const AlignContext& context, RunId run) const override {
    VALENCE_TRY(const auto work, prepare_principles(context, run));
    const bool pairs = context.settings.text("stage") == "prefer";
    VALENCE_TRY(auto stage, staged(work, pairs));
    VALENCE_CHECK(write_file(context.folder / (pairs ? "preferences.jsonl" : "revisions.jsonl"), stage.lines));
    VALENCE_CHECK(write_file(context.folder / "lessons.jsonl", to_jsonl(stage.lessons)));
    if (stage.lessons.empty()) {
      return fail(ErrorCode::kInvalid, "nothing to learn from: no {} of {} prompts came to anything ({}); {}",
                  pairs ? "pair" : "rewriting", work.prompts.size(), stage.record["statuses"].dump(),
                  pairs ? "lower --certainty or name another --judge" : "raise --max-tokens");
    }
    VALENCE_TRY(auto subject,
                teach_({pairs ? "dpo" : "sft", principle_training(context.settings, pairs), context.base, stage.lessons,
                        context.folder / "training", context.seed, context.store, context.stop}));
    subject.name =
        fmt::format("{} after {} under principles", display_name(context.base), pairs ? "preferences" : "revisions");
    stage.record["stage"] = context.settings.text("stage");
    stage.record["prompts"] = {
        {"sources", context.settings.text("prompts")}, {"split", prompt_split_rule()}, {"used", work.prompts.size()}};
    stage.record["lessons"] = stage.lessons.size();
    return AlignedSubject{std::move(subject), to_text(stage.record), run};
  }

 private:
  static Result<Stage> staged(const PrincipleWork& work, bool pairs) {
    VALENCE_TRY(const auto subject, open_subject(work.context.base));
    return pairs ? prefer_stage(work, subject) : revise_stage(work, subject);
  }

  Teach teach_;
};

}  // namespace

std::unique_ptr<Aligner> make_constitutional(Teach teach) { return std::make_unique<Constitutional>(std::move(teach)); }

}  // namespace valence
