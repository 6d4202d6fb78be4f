// valence evaluator label and correct, judges in the place of evaluators, and valence completeness, as a person runs
// them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "labelled_lines.h"
#include "program.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

class LabelProgram : public ::testing::Test {
 protected:
  Outcome valence(const std::vector<std::string>& words) { return run(scratch_.path(), words); }
  Outcome with_input(const std::vector<std::string>& words, const std::string& input) {
    put_file(scratch_ / "input.txt", input);
    const int keyboard = ::dup(STDIN_FILENO);
    EXPECT_NE(std::freopen((scratch_ / "input.txt").c_str(), "r", stdin), nullptr);
    auto outcome = valence(words);
    ::dup2(keyboard, STDIN_FILENO);
    ::close(keyboard);
    return outcome;
  }
  static std::string last_line(const std::string& text) {
    const auto end = text.find_last_not_of('\n');
    return text.substr(text.rfind('\n', end) + 1);
  }

  /// Run 1: thirty canned responses, read by an evaluator that saw none of them.
  Outcome measure(const std::vector<std::string>& more = {}) {
    put_file(scratch_ / "train.jsonl", labelled_lines(100, 40));
    EXPECT_EQ(
        valence({"evaluator", "train", "train.jsonl", "--folds", "0", "--l2", "0.1", "--out", "e.evaluator"}).status,
        0);
    put_file(scratch_ / "replies.jsonl", labelled_lines(0, 30));
    std::vector<std::string> words = {"measure",     "fulcra",
                                      "--model",     "scripted:canned?file=replies.jsonl",
                                      "--prompts",   "replies.jsonl",
                                      "--evaluator", "e.evaluator",
                                      "--fewest",    "5",
                                      "--report",    "r.html"};
    words.insert(words.end(), more.begin(), more.end());
    auto measured = valence(words);
    EXPECT_EQ(measured.status, 0) << measured.err;
    return measured;
  }

  /// What a person says of the drawn responses: the truth, read off the screen.
  Outcome label_all(const std::string& count) {
    const auto asked = with_input({"evaluator", "label", "1", "--count", count, "--out", "l.jsonl"}, "q\n");
    EXPECT_EQ(asked.status, 0) << asked.err;
    std::string answers;
    Outcome outcome = asked;
    for (int i = 0; i < std::stoi(count); ++i) {  // one at a time: what is shown decides what is said
      const bool breaks = outcome.out.find("Ignore the rules", outcome.out.find("\nresponse: ")) != std::string::npos;
      outcome = with_input({"evaluator", "label", "1", "--count", count, "--out", "l.jsonl"},
                           breaks ? "-conformity\nq\n" : "+conformity\nq\n");
      const auto next = outcome.out.rfind("\nresponse: ");
      outcome.out = outcome.out.substr(next == std::string::npos ? 0 : next);
    }
    return outcome;
  }

  Scratch scratch_;
};

TEST_F(LabelProgram, LabelsOfItsOwnResponsesGiveTheRunAProfileWithTheEvaluatorsErrorInIt) {
  measure();
  label_all("12");
  const auto corrected = valence({"evaluator", "correct", "1", "--labels", "l.jsonl", "--json"});
  ASSERT_EQ(corrected.status, 0) << corrected.err;
  const auto document = Json::parse(corrected.out);
  EXPECT_EQ(document["labelled"], 12);
  EXPECT_EQ(document["prompts"], 12);
  EXPECT_EQ(document["labelled_by"]["person"], 12);
  const auto conformity = document["values"][7];
  EXPECT_EQ(conformity["dimension"], "conformity");
  EXPECT_LT(conformity["mean"]["low"].get<double>(), 1.0 / 3.0);  // twenty of thirty uphold it, ten oppose it
  EXPECT_GT(conformity["mean"]["high"].get<double>(), 1.0 / 3.0);
  const auto shown = valence({"evaluator", "correct", "1", "--labels", "l.jsonl"});
  EXPECT_THAT(shown.out,
              HasSubstr("12 responses to 12 prompts labelled (12 by person), a random draw from the run's 30"));
}

TEST_F(LabelProgram, ChosenLabelsAndThoseOfAnotherRunAreRefused) {
  measure();
  label_all("4");
  const auto text = content_of(scratch_ / "l.jsonl");
  put_file(scratch_ / "chosen.jsonl", text.substr(text.find('\n') + 1));
  const auto chosen = valence({"evaluator", "correct", "1", "--labels", "chosen.jsonl"});
  EXPECT_EQ(chosen.status, 2);
  EXPECT_THAT(chosen.err, HasSubstr("chosen.jsonl:1"));
  EXPECT_THAT(chosen.err, HasSubstr("labels that were left out, chosen or moved are no random sample"));

  put_file(scratch_ / "other.jsonl", labelled_lines(30, 30));
  ASSERT_EQ(valence({"measure", "fulcra", "--model", "scripted:canned?file=other.jsonl", "--prompts", "other.jsonl",
                     "--evaluator", "e.evaluator", "--fewest", "5", "--report", "o.html"})
                .status,
            0);
  const auto elsewhere = valence({"evaluator", "correct", "2", "--labels", "l.jsonl"});
  EXPECT_EQ(elsewhere.status, 1);
  EXPECT_THAT(elsewhere.err, HasSubstr("the labels are of responses drawn from another run (1)"));
}

TEST_F(LabelProgram, AnEvaluatorThatWasMadeAnewSinceIsNoticed) {
  measure();
  label_all("4");
  put_file(scratch_ / "train.jsonl", labelled_lines(0, 40));  // now with the run's own responses
  ASSERT_EQ(
      valence({"evaluator", "train", "train.jsonl", "--folds", "0", "--l2", "0.3", "--out", "e.evaluator"}).status, 0);
  const auto corrected = valence({"evaluator", "correct", "1", "--labels", "l.jsonl"});
  EXPECT_EQ(corrected.status, 1);
  EXPECT_THAT(corrected.err,
              HasSubstr("the evaluator e.evaluator reads the run's responses differently from how they were read"));
}

TEST_F(LabelProgram, LabellingGoesOnWhereItStopped) {
  measure();
  const auto first =
      with_input({"evaluator", "label", "1", "--count", "5", "--out", "l.jsonl"}, "+conformity\nwhat\n\nq\n");
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("a sign and a name or number for each value"));
  EXPECT_THAT(last_line(first.out),
              HasSubstr("2 of 5 responses are labelled and kept in l.jsonl. Run the same command to go on."));
  const auto rest = with_input({"evaluator", "label", "1", "--count", "5", "--out", "l.jsonl", "--json"}, "-8\n\n\n");
  EXPECT_EQ(Json::parse(rest.out)["labelled"], 5);
  const auto other = with_input({"evaluator", "label", "1", "--count", "5", "--seed", "9", "--out", "l.jsonl"}, "");
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("l.jsonl: these are labels of another draw (run 1, seed 1)"));
}

TEST_F(LabelProgram, OnlyRunsOfFulcraHaveResponsesToLabel) {
  ASSERT_EQ(valence({"measure", "svo", "--model", "scripted:ideal"}).status, 0);
  const auto outcome = valence({"evaluator", "label", "1"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("run 1 is of svo: labels are for the responses of a run of fulcra"));
}

TEST_F(LabelProgram, AJudgeReadsARunAndIsShownWithItsChecks) {
  const auto measured = measure({"--judge", "scripted:position?share=1", "--json"});
  std::map<std::string, bool> passed;
  const auto document = Json::parse(measured.out);
  for (const auto& check : document["validity"]["checks"]) passed[check["id"]] = check["passed"];
  EXPECT_FALSE(passed.at("judge_place"));
  EXPECT_TRUE(passed.at("judge_unread"));
  EXPECT_FALSE(passed.at("transport"));
  const auto labelled =
      valence({"evaluator", "label", "1", "--judge", "scripted:random", "--count", "3", "--out", "l.jsonl"});
  EXPECT_EQ(labelled.status, 0) << labelled.err;
  EXPECT_THAT(content_of(scratch_ / "l.jsonl"), HasSubstr("\"labelled_by\":\"judge:scripted:random\""));
  EXPECT_EQ(valence({"evaluator", "correct", "1", "--labels", "l.jsonl"}).status, 0);

  ASSERT_EQ(
      valence({"evaluator", "label", "1", "--judge", "scripted:position?share=1", "--count", "3", "--out", "own.jsonl"})
          .status,
      0);
  const auto own = valence({"evaluator", "correct", "1", "--labels", "own.jsonl"});
  EXPECT_EQ(own.status, 1);
  EXPECT_THAT(
      own.err,
      HasSubstr(
          "judge:scripted:position?share=1 read the run and labelled the sample: its own word cannot show its error"));
}

TEST_F(LabelProgram, AJudgeThatAnswersByPositionIsFlagged) {
  const auto outcome = valence(
      {"evaluator", "apply", "--judge", "scripted:position?share=0.95", "--prompt", "Shall I?", "--text", "Be kind."});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("THE JUDGE ANSWERS BY POSITION"));
  EXPECT_THAT(outcome.out, HasSubstr("exact probabilities of the three labels, both orders; 40 answers"));
  const auto fair = valence({"evaluator", "apply", "--judge", "scripted:random", "--text", "Be kind.", "--json"});
  const auto document = Json::parse(fair.out);
  EXPECT_EQ(document["answers_by_position"], false);
  EXPECT_NEAR(document["texts"][0]["values"]["power"]["value"].get<double>(), 0.0, 1e-9);
}

TEST_F(LabelProgram, AJudgeIsTestedOnLabels) {
  put_file(scratch_ / "more.jsonl", labelled_lines(0, 40));
  const auto outcome =
      valence({"evaluator", "test", "--judge", "scripted:random", "--judge-rows", "10", "more.jsonl", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto document = Json::parse(outcome.out);
  EXPECT_EQ(document["quality"]["responses"], 10);
  EXPECT_EQ(document["answers"]["scored"], 10 * 10 * 2 * 2);
  EXPECT_EQ(document["route"], "exact");
}

TEST_F(LabelProgram, SaysWhoIsToRead) {
  EXPECT_THAT(valence({"evaluator", "apply", "--text", "x"}).err,
              HasSubstr("say who reads: a file of valence evaluator train, or --judge MODEL"));
  EXPECT_THAT(valence({"evaluator", "apply", "e", "--judge", "scripted:random", "--text", "x"}).err,
              HasSubstr("not both"));
  EXPECT_EQ(valence({"evaluator", "apply", "--judge", "scripted:nobody", "--text", "x"}).status, 1);
}

TEST_F(LabelProgram, CompletenessRefusesLanguagesThatTheEmbedderDoesNotRead) {
  std::string lines;
  for (int i = 0; i < 4; ++i) {
    const Json row = {{"prompt", "p" + std::to_string(i)},
                      {"response", i == 2 ? "Il est vrai que les enfants ne sont pas dans la maison avec vous."
                                          : "You can go to the house."},
                      {"values", {{"power", 0.5}}},
                      {"safe", i % 2 == 0}};
    lines += row.dump() + "\n";
  }
  put_file(scratch_ / "s.jsonl", lines);
  const auto french = valence({"completeness", "s.jsonl"});
  EXPECT_EQ(french.status, 2);
  EXPECT_THAT(french.err, HasSubstr("s.jsonl:3: this response is in fr, and 0 more of 4 are in languages that minilm "
                                    "does not read (it reads en)"));
  EXPECT_THAT(french.err, HasSubstr("Name a multilingual embedder (--embedder, with --languages)"));
  const auto unknown = valence({"completeness", "s.jsonl", "--embedder", "other.gguf"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("which languages other.gguf reads is not known: say them with --languages"));
}

}  // namespace
}  // namespace valence::testing
