#include "valence/exam/subject_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_model.h"
#include "support/scratch.h"

namespace valence {
namespace {

using ::testing::HasSubstr;
using namespace valence::testing;

SubjectSpec parsed(const std::string& toml) {
  const auto spec = subject_from(parse_toml(toml, "s.toml").value());
  EXPECT_TRUE(spec) << (spec ? "" : spec.error().message);
  return spec.value_or(SubjectSpec{});
}

std::string message_of(const std::string& toml) {
  const auto spec = subject_from(parse_toml(toml, "s.toml").value());
  return spec ? "" : spec.error().message;
}

TEST(SubjectFile, WhatIsWrittenIsReadBack) {
  SubjectSpec spec;
  spec.model.name = "scripted:ideal";
  spec.model.adapters = {{"a b.gguf", 0.5}};
  spec.model.engine.threads = 3;
  spec.persona = "Line \"one\"\nline two\\ \x7f tab\t";
  spec.name = "näme";
  spec.render.date = "2026-02-03";
  spec.examples = {{Role::kUser, "Who?"}, {Role::kAssistant, "Me."}};
  const auto back = parsed(to_toml(spec));
  EXPECT_EQ(back.persona, spec.persona);
  EXPECT_EQ(back.name, spec.name);
  EXPECT_EQ(back.render.date, spec.render.date);
  EXPECT_EQ(back.model.engine.threads, 3);
  ASSERT_EQ(back.model.adapters.size(), 1U);
  EXPECT_EQ(back.model.adapters[0].path, "a b.gguf");
  EXPECT_DOUBLE_EQ(back.model.adapters[0].scale, 0.5);
  ASSERT_EQ(back.examples.size(), 2U);
  EXPECT_EQ(back.examples[1].role, Role::kAssistant);
  EXPECT_EQ(back.examples[1].text, "Me.");
}

TEST(SubjectFile, EveryMistakeNamesItsPlace) {
  EXPECT_THAT(message_of("modell = \"x\""), HasSubstr("s.toml:1:10: unknown key \"modell\"; did you mean \"model\"?"));
  EXPECT_THAT(message_of("model = \"x\"\nthreads = -1"), HasSubstr("\"threads\" should be 0 to 1024, got -1"));
  EXPECT_THAT(message_of("model = \"x\"\n[[example]]\nrole = \"system\"\ncontent = \"\""),
              HasSubstr("\"role\" should be user or assistant, got \"system\""));
}

TEST(SubjectFile, AnythingThatMakesASubjectAnotherChangesItsIdentity) {
  const auto base = parsed("model = \"scripted:ideal\"");
  const auto identity = subject_identity(base).value();
  EXPECT_EQ(subject_identity(parsed("model = \"scripted:ideal\"")).value(), identity);
  for (const auto* other : {"model = \"scripted:random\"", "model = \"scripted:ideal\"\npersona = \"x\"",
                            "model = \"scripted:ideal\"\nname = \"x\"", "model = \"scripted:ideal\"\nthinking = true",
                            "model = \"scripted:ideal\"\n[[example]]\nrole = \"user\"\ncontent = \"x\""}) {
    EXPECT_NE(subject_identity(parsed(other)).value(), identity) << other;
  }
}

TEST(SubjectFile, AnAdapterCountsByItsContent) {
  const Scratch scratch;
  SubjectSpec spec = parsed("model = \"scripted:ideal\"");
  spec.model.adapters = {{(scratch / "a.gguf").string(), 1.0}};
  put_file(scratch / "a.gguf", "one");
  const auto first = subject_identity(spec).value();
  put_file(scratch / "a.gguf", "two");
  EXPECT_NE(subject_identity(spec).value(), first);
}

TEST(Examiner, ItemsLeftOutAreNotPut) {
  const auto model = std::make_shared<FakeModel>(constant({0.7, 0.3}), 1);
  const auto subject = subject_of(model);
  Examiner examiner(subject, nullptr, 0, {.leave_out = {"b"}});
  const std::vector<Question> questions = {letter_question("a", {"x", "y"}), letter_question("b", {"x", "y"}),
                                           letter_question("c", {"x", "y"})};
  const auto answers = examiner.ask(questions).value();
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(choice(answers[1]).status, Status::kError);
  EXPECT_TRUE(choice(answers[1]).rows.empty());
  EXPECT_EQ(choice(answers[2]).rows.front().item, "c");
  EXPECT_EQ(model->groups_run, 4U);  // two items in two orders
}

TEST(Examiner, APassageIsScoredTokenByTokenAndResumes) {
  const Scratch scratch;
  const auto store = Store::open(scratch / "v.db").value();
  RunRecord record;
  record.key = "k";
  record.instrument = "fluency";
  const auto run = store->create_run(record).value();
  const auto respond = [](const Request& request) -> Result<Response> {
    EXPECT_EQ(std::get<ScoreRequest>(request).continuations.size(), 1U);
    return Response(ContinuationScores{{scored({-1.0, -2.0})}});
  };
  const std::vector<Passage> passages = {{{"p", "", "", "p", ""}, "Say it.", "It."}};
  const auto model = std::make_shared<FakeModel>(respond);
  for (int round = 0; round < 2; ++round) {
    const auto subject = subject_of(model);
    Examiner examiner(subject, store.get(), run, {});
    const auto scores = examiner.score(passages).value();
    EXPECT_EQ(scores.at(0).token_logprobs, (std::vector<double>{-1.0, -2.0}));
  }
  EXPECT_EQ(model->groups_run, 1U);
}

TEST(Examiner, AModelWithoutLogProbabilitiesCannotScorePassages) {
  const auto model = std::make_shared<FakeModel>(constant({1.0}));
  model->change_card().can.scores = false;
  const auto subject = subject_of(model);
  Examiner examiner(subject, nullptr, 0, {});
  const auto scores = examiner.score({});
  ASSERT_FALSE(scores);
  EXPECT_EQ(scores.error().message, "model fake: it does not give log-probabilities of texts");
}

}  // namespace
}  // namespace valence
