// What bad input gets: the text, the exit status, and nothing left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Errors : public ::testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& arguments) { return testing::run(scratch_.path(), arguments); }
  Scratch scratch_;
};

TEST_F(Errors, UnknownInstrumentSuggestsTheNearest) {
  const auto outcome = run({"measure", "hvea", "--model", "scripted:random"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "valence: unknown instrument \"hvea\"; did you mean \"hvae\"? (valence instrument list)\n");
}

TEST_F(Errors, UnknownFlagSuggestsTheNearest) {
  const auto outcome = run({"measure", "hvae", "--dialoges", "4"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "valence: unknown option \"--dialoges\"; did you mean \"--dialogues\"? (valence measure hvae --help)\n");
}

TEST_F(Errors, UnknownCommandSuggestsTheNearest) {
  const auto outcome = run({"mesure"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "valence: unknown command \"mesure\"; did you mean \"measure\"? (valence --help)\n");
}

TEST_F(Errors, SettingOutOfRangeNamesItAndTheRange) {
  const auto outcome = run({"measure", "hvae", "--model", "scripted:random", "--max-tokens", "0"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("max_tokens"));
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "valence.db"));
}

TEST_F(Errors, UnknownModelSuggestsTheNearest) {
  const auto outcome = run({"measure", "svo", "--model", "smolm2"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("did you mean \"smollm2\"?"));
}

TEST_F(Errors, MissingModelFileIsNamed) {
  const auto outcome = run({"measure", "svo", "--model", "./absent.gguf"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("absent.gguf"));
}

TEST_F(Errors, TruncatedModelFileIsRefused) {
  put_file(scratch_ / "broken.gguf", std::string("GGUF\3\0\0\0", 8));
  const auto outcome = run({"model", "check", "--model", "./broken.gguf"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("broken.gguf"));
}

TEST_F(Errors, MalformedSettingsFileNamesLineAndColumn) {
  put_file(scratch_ / "bad.toml", "dialogues = 4\nhistories = = \"sampled\"\n");
  const auto outcome = run({"measure", "hvae", "--model", "scripted:random", "--settings", "bad.toml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("bad.toml:2:"));
}

TEST_F(Errors, UnknownKeyInSettingsFileSuggestsTheNearest) {
  put_file(scratch_ / "bad.toml", "dialoges = 4\n");
  const auto outcome = run({"measure", "hvae", "--model", "scripted:random", "--settings", "bad.toml"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("bad.toml:1:"));
  EXPECT_THAT(outcome.err, HasSubstr("\"dialogues\""));
}

TEST_F(Errors, MalformedAnswersNameLineAndColumn) {
  put_file(scratch_ / "answers.jsonl", "{\"unit\": \"a\",\n");
  const auto outcome = run({"score", "moralchoice", "--answers", "answers.jsonl"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("answers.jsonl:1:"));
}

TEST_F(Errors, MissingStoreSaysHowToMakeOne) {
  const auto outcome = run({"runs"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.err, "valence: valence.db: there is no store here yet. Measure something first (valence measure --help), or name another with --store\n");
}

TEST_F(Errors, FileThatIsNoStoreIsRefused) {
  put_file(scratch_ / "valence.db", std::string(5000, 'x'));
  const auto outcome = run({"runs"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("valence.db"));
  EXPECT_EQ(content_of(scratch_ / "valence.db"), std::string(5000, 'x'));
}

TEST_F(Errors, ReportNeedsAKnownEnding) {
  ASSERT_EQ(run({"measure", "svo", "--model", "scripted:random"}).status, 0);
  const auto outcome = run({"report", "1", "--out", "report.pdf"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "valence: a report ends in .html, .md or .json, not \".pdf\"\n");
}

TEST_F(Errors, ComparingDifferentInstrumentsIsRefused) {
  ASSERT_EQ(run({"measure", "svo", "--model", "scripted:random"}).status, 0);
  ASSERT_EQ(run({"measure", "moralchoice", "--model", "scripted:random", "--scenarios", "3"}).status, 0);
  const auto outcome = run({"compare", "1", "2"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "valence: run 1 is svo and run 2 is moralchoice: only runs of the same instrument can be compared\n");
}

TEST_F(Errors, EmbeddingNothingIsRefused) {
  const auto outcome = run({"model", "embed", "--model", "minilm"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_EQ(outcome.err, "valence: there is nothing to embed: give --text or --file (valence model embed --help)\n");
}

TEST_F(Errors, TextsToEmbedAreNamedByLine) {
  put_file(scratch_ / "texts.jsonl", "{\"text\": \"a\"}\n{\"txt\": \"b\"}\n");
  const auto outcome = run({"model", "embed", "--file", "texts.jsonl"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("texts.jsonl:2:"));
  EXPECT_THAT(outcome.err, HasSubstr("text"));
}

TEST_F(Errors, AFolderThatIsNoModelIsNotConverted) {
  const auto missing = run({"model", "convert", "absent", "--out", "out.gguf"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_EQ(missing.err, "valence: absent: no such folder\n");
  const auto ending = run({"model", "convert", "absent", "--out", "out.bin"});
  EXPECT_EQ(ending.status, 2);
  EXPECT_EQ(ending.err, "valence: --out out.bin: should end in .gguf\n");
}

TEST_F(Errors, EveryCommandHasHelpWithExamples) {
  for (const std::string command : {"measure", "score", "compare", "report", "runs", "export", "model", "instrument", "doctor",
                                    "reproduce", "quickstart", "completion"}) {
    const auto outcome = run({command, "--help"});
    EXPECT_EQ(outcome.status, 0) << command;
    EXPECT_THAT(outcome.out, HasSubstr("Examples:\n  ")) << command;
    EXPECT_THAT(outcome.err, IsEmpty()) << command;
  }
}

TEST_F(Errors, HelpShowsExamplesOfItsOwnCommand) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"tax"}, {"study"}, {"study", "list"}, {"study", "run"}, {"align"}, {"align", "list"}, {"align", "in-context"}}) {
    auto asked = command;
    asked.push_back("--help");
    std::string named = "valence";
    for (const auto& word : command) named += " " + word;
    EXPECT_THAT(run(asked).out, HasSubstr("Examples:\n  " + named));
  }
}

}  // namespace
}  // namespace valence::testing
