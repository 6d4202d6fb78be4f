// valence align, as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "model/llama_tiny.h"
#include "program.h"
#include "valence/base/json.h"
#include "valence/base/text.h"

namespace valence::testing {
namespace {

using ::testing::HasSubstr;

class Align : public ::testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& arguments) { return testing::run(scratch_.path(), arguments); }
  Scratch scratch_;
};

TEST_F(Align, ListsItsOperations) {
  const auto outcome = run({"align", "list"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, HasSubstr("dpo"));
  EXPECT_THAT(outcome.out, HasSubstr("conversation"));
}

TEST_F(Align, ABadLineIsNamedBeforeAnythingIsOpened) {
  put_file(scratch_ / "d.jsonl",
           "{\"prompt\": \"Q?\", \"chosen\": \"a\", \"rejected\": \"b\"}\n{\"prompt\": \"Q?\", \"chosen\": \"a\"}\n");
  const auto outcome = run({"align", "preview", "--data", "d.jsonl", "--model", "scripted:random"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("d.jsonl:2:"));
  EXPECT_THAT(outcome.err, HasSubstr("\"rejected\""));
}

/// A preference pair previewed with a tiny model that has a template.
class AlignPreview : public Align {
 protected:
  AlignPreview() {
    test::TinyModel tiny;
    tiny.chat_template =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + "
        "'<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
    test::write_tiny(tiny, scratch_ / "tiny.gguf");
    put_file(scratch_ / "d.jsonl", "{\"prompt\": \"Q?\", \"chosen\": \"a\", \"rejected\": \"no\"}\n");
  }

  std::string preview(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"align",     "preview",   "--data", "d.jsonl",   "--model",
                                       "tiny.gguf", "--compute", "as_is",  "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  }

  test::ScratchCache cache_;  // where the program remembers the file's hash
};

TEST_F(AlignPreview, MarksWhatIsLearnedInTheTable) {
  const auto out = preview();
  std::vector<std::string> marked;
  for (const auto& line : split(out, "\n")) {
    const auto at = line.find("  yes ");
    if (at != std::string::npos) marked.push_back(trim(line.substr(at + 6)));
  }
  EXPECT_THAT(marked, ::testing::ElementsAre("\"a\"", "<|im_end|>", "\"n\"", "\"o\"", "<|im_end|>")) << out;
  EXPECT_THAT(out, HasSubstr("\"Q\""));
  // The prompt is <|im_start|> "user" line end "Q?" <|im_end|> line end <|im_start|> "assistant" line end, its letters
  // a token each: 21.
  EXPECT_THAT(out, HasSubstr("2 of 23 tokens are learned"));
  EXPECT_THAT(out, HasSubstr("3 of 24 tokens are learned"));
}

TEST_F(AlignPreview, MarksWhatIsLearnedInJson) {
  const auto document = parse_json(preview({"--json"}), "preview").value();
  EXPECT_EQ(document.at("kind"), "preference");
  const auto& paths = document.at("examples").at(0).at("paths");
  ASSERT_EQ(paths.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    std::string prompt, learned;
    for (const auto& token : paths.at(i).at("tokens"))
      (token.at("learned").get<bool>() ? learned : prompt) += token.at("text").get<std::string>();
    EXPECT_EQ(prompt, "<|im_start|>user\nQ?<|im_end|>\n<|im_start|>assistant\n");
    EXPECT_EQ(learned, i == 0 ? "a<|im_end|>" : "no<|im_end|>");
    EXPECT_EQ(paths.at(i).at("learned_from"), 21);
  }
}

TEST_F(Align, AScriptedSubjectHasNoWeightsToMove) {
  put_file(scratch_ / "d.jsonl", "{\"prompt\": \"Q?\", \"completion\": \"a\"}\n");
  const auto outcome = run({"align", "sft", "--data", "d.jsonl", "--model", "scripted:random"});
  EXPECT_NE(outcome.status, 0);
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "out"));
}

TEST_F(Align, ASettingOutOfRangeNamesItAndTheRange) {
  put_file(scratch_ / "d.jsonl", "{\"prompt\": \"Q?\", \"completion\": \"a\"}\n");
  const auto outcome = run({"align", "sft", "--data", "d.jsonl", "--model", "smollm2", "--rank", "0"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("\"rank\" should be"));
}

TEST_F(Align, ATargetThatTheQuestionsCannotExpressIsRefused) {
  const auto outcome = run({"align", "choice", "moralchoice", "--model", "scripted:random", "--target", "ess11_ie"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("moralchoice cannot answer for target ess11_ie"));
  const auto other = run({"align", "choice", "svo", "--target", "svo_reachable", "--toward", "scripted:ideal"});
  EXPECT_EQ(other.status, 2);
  EXPECT_THAT(other.err, HasSubstr("say whose answers are learned, once"));
  EXPECT_THAT(run({"align", "choice", "svo"}).err, HasSubstr("say whose answers are learned, once"));
}

TEST_F(Align, ExportingWhatIsNoTrainingIsRefused) {
  const auto outcome = run({"align", "export", "nowhere"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("holds no training (no job.json)"));
  EXPECT_EQ(run({"align", "export", "nowhere", "--format", "q3"}).status, 2);
  const auto both = run({"align", "export", "nowhere", "--as", "peft", "--format", "f16"});
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.err, HasSubstr("--format f16: is of merged models"));
}

}  // namespace
}  // namespace valence::testing
