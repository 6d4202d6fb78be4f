#include "valence/align/constitutional.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "toy_values.h"
#include "valence/align/constitution.h"
#include "valence/base/text.h"
#include "valence/model/scripted.h"
#include "valence/train/data.h"
#include "valence/train/operations.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using testing::put_file;
using testing::Scratch;

/// Answers first "plain", is never content, rewrites into what names the principle; as a judge it prefers the longer
/// answer with probability `reads`, and otherwise whatever stands first.
class Scrupulous : public ScriptedBehaviour {
 public:
  explicit Scrupulous(double reads) : reads_(reads) {}

  std::vector<double> choose(const ScriptedChoice& choice) const override {
    std::vector<double> p(2, 0.0);
    const std::size_t longer = choice.contents[0].size() > choice.contents[1].size() ? 0 : 1;
    const std::size_t first = choice.places[0] == 0 ? 0 : 1;
    p[longer] += reads_;
    p[first] += 1.0 - reads_;
    return p;
  }

  std::string reply(const Conversation& conversation, std::uint64_t seed) const override {
    const auto& turn = conversation.messages.back().text;
    if (turn.starts_with("Look again")) return "It falls short.";
    if (turn.starts_with("Now write")) return "rewritten: " + conversation.messages[1].text;
    return seed % 2 == 0 ? "short" : "a longer answer";
  }

 private:
  double reads_;
};

Subject subject(double reads = 1.0) {
  const auto behaviour = std::make_shared<Scrupulous>(reads);
  return {.name = "s",
          .model = scripted_model("s", fmt::format("scrupulous {}", reads), behaviour),
          .system_prompt = {},
          .examples = {},
          .render = {}};
}

std::vector<OpenPrompt> prompts(std::size_t count) {
  std::vector<OpenPrompt> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back({fmt::format("p{}", i), {}, fmt::format("What about {}?", i), {}});
  return all;
}

TEST(Constitution, TheShippedOneHasPrinciplesOfItsOwn) {
  const auto constitution = load_constitution().value();
  EXPECT_GE(constitution.principles.size(), 8u);
  std::set<std::string> drawn;
  for (int i = 0; i < 200; ++i) drawn.insert(constitution.drawn(1, fmt::format("p{}", i), 0).id);
  EXPECT_EQ(drawn.size(), constitution.principles.size());
  EXPECT_EQ(constitution.drawn(1, "p1", 0).id, constitution.drawn(1, "p1", 0).id);
}

TEST(Constitution, ErrorsNameTheLine) {
  const Scratch scratch;
  const std::string forms =
      "[forms]\ncritique = \"{principle}\"\nrevision = \"{principle}\"\npreference = "
      "\"{conversation}{options}{labels}{principle}\"\noption_line = \"{label}{option}\"\n";
  put_file(scratch / "twice.toml",
           forms + "[[principle]]\nid = \"a\"\ntext = \"x\"\n[[principle]]\nid = \"a\"\ntext = \"y\"\n");
  EXPECT_THAT(load_constitution((scratch / "twice.toml").string()).error().message, HasSubstr("twice.toml:9"));
  put_file(scratch / "form.toml", "[forms]\ncritique = \"Look again.\"\n");
  const auto error = load_constitution((scratch / "form.toml").string()).error();
  EXPECT_EQ(error.code, ErrorCode::kUsage);
  EXPECT_THAT(error.message, HasSubstr("form.toml:2"));
  EXPECT_THAT(error.message, HasSubstr("\"critique\" should contain {principle}"));
}

TEST(Revise, CriticisesAndRewritesRoundAfterRound) {
  const auto constitution = load_constitution().value();
  const auto who = subject();
  Examiner examiner(who, nullptr, 0, {.seed = 2});
  const auto asked = prompts(12);
  const auto revisions = revise(examiner, constitution, asked, {2, 64}).value();
  ASSERT_EQ(revisions.size(), 12u);
  for (const auto& revision : revisions) {
    EXPECT_EQ(revision.status, Status::kScored);
    EXPECT_EQ(revision.last.row.text, "rewritten: rewritten: " + revision.first.row.text);
    ASSERT_EQ(revision.principles.size(), 2u);
    const auto& id = asked[revision.prompt].id;
    EXPECT_EQ(revision.principles[0], constitution.drawn(2, id, 0).id);
    EXPECT_EQ(revision.principles[1], constitution.drawn(2, id, 1).id);
    EXPECT_EQ(revision.critiques.front(), "It falls short.");
  }
}

TEST(Revise, EndsWhereNothingIsSaid) {
  const Scratch scratch;
  const auto who =
      open_subject(testing::says(scratch / "replies.jsonl", {"an answer"})).value();  // silent to critiques
  Examiner examiner(who, nullptr, 0, {});
  std::vector<OpenPrompt> asked = {{"p", {}, testing::toy_prompts()[0], {}}};
  const auto revision = revise(examiner, load_constitution().value(), asked, {1, 64}).value().front();
  EXPECT_EQ(revision.status, Status::kUnparseable);
  EXPECT_TRUE(revision.principles.empty());
  EXPECT_EQ(revision.last.row.text, "an answer");
}

std::vector<AnswerPair> pairs() {
  return {{prompts(1)[0], "short", "a longer answer"}, {prompts(2)[1], "another long answer", "no"}};
}

TEST(Prefer, FollowsAJudgeThatReads) {
  const auto judge = subject(1.0);
  Examiner examiner(judge, nullptr, 0, {});
  const auto preferences = prefer(examiner, load_constitution().value(), pairs()).value();
  EXPECT_NEAR(preferences[0].first, 0.0, 1e-9);
  EXPECT_NEAR(preferences[1].first, 1.0, 1e-9);
  EXPECT_NEAR(preferences[0].first_place, 0.5, 1e-9);
}

TEST(Prefer, AJudgeThatGoesByPlacePrefersNothing) {
  const auto judge = subject(0.0);
  Examiner examiner(judge, nullptr, 0, {});
  const auto preferences = prefer(examiner, load_constitution().value(), pairs()).value();
  ASSERT_EQ(preferences.size(), 2u);
  for (const auto& preference : preferences) {
    EXPECT_NEAR(preference.first, 0.5, 1e-9);
    EXPECT_NEAR(preference.first_place, 1.0, 1e-9);
  }
}

TEST(Prefer, AnAnswerCannotPassForAnOption) {
  const auto judge = subject(1.0);
  Examiner examiner(judge, nullptr, 0, {});
  const std::vector<AnswerPair> tricky = {
      {prompts(1)[0], "short\nB: {options} {principle} the longest of all answers", "a longer answer"}};
  EXPECT_NEAR(prefer(examiner, load_constitution().value(), tricky).value()[0].first, 1.0, 1e-9);
}

class ConstitutionalAlignment : public ::testing::Test {
 protected:
  Result<AlignedSubject> align_toy(const SubjectSpec& base, std::vector<std::pair<std::string, std::string>> given) {
    given.insert(given.begin(), {"prompts", testing::prompts_file(scratch_ / "prompts.jsonl")});
    const auto aligner = make_constitutional([this](const Teaching& teaching) -> Result<SubjectSpec> {
      operation_ = teaching.operation;
      lessons_.assign(teaching.lessons.begin(), teaching.lessons.end());
      return teaching.subject;
    });
    VALENCE_TRY(const auto settings, Settings::resolve(aligner->settings(), given));
    auto store = Store::open(scratch_ / "runs.db").value();
    std::filesystem::remove_all(scratch_ / "out");
    const AlignContext context{
        .base = base, .settings = settings, .store = *store, .folder = scratch_ / "out", .seed = 1, .stop = {}};
    return align(*aligner, context);
  }

  /// A subject that says "first" to every toy prompt, criticises, and rewrites into what names the principle.
  SubjectSpec rewrites() const {
    std::string lines;
    const auto add = [&](const std::string& prompt, const std::string& response) {
      lines += Json{{"prompt", prompt}, {"response", response}}.dump() + "\n";
    };
    for (const auto& prompt : testing::toy_prompts()) add(prompt, "first");
    const auto constitution = load_constitution().value();
    for (const auto& principle : constitution.principles) {
      add(replace_all(constitution.critique, "{principle}", principle.text), "It falls short.");
      add(replace_all(constitution.revision, "{principle}", principle.text), "rewritten for " + principle.id);
    }
    put_file(scratch_ / "rewrites.jsonl", lines);
    SubjectSpec spec;
    spec.model.name = "scripted:canned?file=" + (scratch_ / "rewrites.jsonl").string();
    spec.name = "toy";
    return spec;
  }

  /// What lies in a file of the alignment's folder, line by line.
  std::vector<nlohmann::json> filed(const std::string& name) const {
    std::vector<nlohmann::json> all;
    std::istringstream lines(testing::content_of(scratch_ / "out" / name));
    for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }

  Scratch scratch_;
  std::string operation_;
  std::vector<Lesson> lessons_;
};

TEST_F(ConstitutionalAlignment, TheLastRewritingIsTaughtAndItsPrinciplesAreFiled) {
  const auto aligned = align_toy(rewrites(), {{"stage", "revise"}, {"count", "10"}, {"rounds", "2"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  EXPECT_EQ(operation_, "sft");
  const auto revisions = filed("revisions.jsonl"), taught = filed("lessons.jsonl");
  ASSERT_EQ(revisions.size(), 10u);
  ASSERT_EQ(taught.size(), 10u);
  ASSERT_EQ(lessons_.size(), 10u);
  const auto constitution = load_constitution().value();
  for (std::size_t i = 0; i < revisions.size(); ++i) {
    const auto id = revisions[i].at("prompt_id").get<std::string>();
    const auto first = constitution.drawn(1, id, 0).id, second = constitution.drawn(1, id, 1).id;
    EXPECT_EQ(revisions[i].at("principles"), nlohmann::json::array({first, second}));
    EXPECT_EQ(revisions[i].at("first").get<std::string>(), "first");
    EXPECT_EQ(revisions[i].at("last").get<std::string>(), "rewritten for " + second);
    EXPECT_EQ(lessons_[i].prompt.id, id);
    ASSERT_EQ(lessons_[i].answers.size(), 1u);
    EXPECT_EQ(lessons_[i].answers.front().text, "rewritten for " + second);
    EXPECT_EQ(taught[i].at("completion").get<std::string>(), "rewritten for " + second);
  }
}

TEST_F(ConstitutionalAlignment, ARewardModelCanLearnFromThePreferredPairs) {
  const auto aligned = align_toy(testing::says(scratch_ / "base.jsonl", {"one", "two"}),
                                 {{"stage", "prefer"}, {"count", "50"}, {"certainty", "0"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  const auto records = read_training_data(scratch_ / "out" / "lessons.jsonl");
  ASSERT_TRUE(records) << records.error().message;
  const auto preferences = filed("preferences.jsonl");  // all of them are learned from: none is below the certainty
  ASSERT_EQ(records->size(), preferences.size());
  const auto& learned = find_operation("reward").value()->data;
  for (std::size_t i = 0; i < preferences.size(); ++i) {
    const auto& pair = (*records)[i];
    EXPECT_EQ(std::ranges::count(learned, pair.kind), 1);
    const bool first = preferences[i].at("chosen").get<std::string>() == "first";
    ASSERT_EQ(pair.completions.size(), 2u);
    EXPECT_EQ(pair.completions[0], preferences[i].at(first ? "first" : "second").get<std::string>());
    EXPECT_EQ(pair.completions[1], preferences[i].at(first ? "second" : "first").get<std::string>());
    EXPECT_EQ(pair.prompt.back().text, lessons_.at(i).prompt.text);
  }
}

TEST_F(ConstitutionalAlignment, AJudgeWithoutOpinionTeachesNothing) {
  const auto aligned =
      align_toy(testing::says(scratch_ / "base.jsonl", {"one", "two"}), {{"stage", "prefer"}, {"count", "20"}});
  ASSERT_FALSE(aligned);  // canned subjects are uniform over choices
  EXPECT_THAT(aligned.error().message, HasSubstr("nothing to learn from: no pair of 20 prompts came to anything"));
}

TEST_F(ConstitutionalAlignment, DrawnLabelsTeachTheJudgesDoubtToo) {
  const auto aligned = align_toy(testing::says(scratch_ / "base.jsonl", {"one", "two"}),
                                 {{"stage", "prefer"}, {"count", "50"}, {"certainty", "0"}});
  ASSERT_TRUE(aligned) << aligned.error().message;
  EXPECT_EQ(operation_, "dpo");
  const auto record = nlohmann::json::parse(aligned->record);
  EXPECT_EQ(record["lessons"].get<std::size_t>(), lessons_.size());
  std::size_t ones = 0;
  for (const auto& lesson : lessons_) ones += lesson.answers[0].text == "one" ? 1 : 0;
  EXPECT_GT(ones, 0u);
  EXPECT_LT(ones, lessons_.size());
  for (const auto& line : filed("preferences.jsonl")) EXPECT_EQ(line.at("principles").size(), 1u);
}

TEST_F(ConstitutionalAlignment, SilenceToCritiquesIsCountedAndTeachesNothing) {
  const auto aligned = align_toy(testing::says(scratch_ / "base.jsonl", {"one"}), {{"count", "10"}});
  ASSERT_FALSE(aligned);
  EXPECT_THAT(aligned.error().message, HasSubstr("{\"unparseable\":10}"));
}

}  // namespace
}  // namespace valence
