// Rendering of training data through a real tokenizer: a tiny random model with byte tokens and the ChatML template.
#include "valence/train/example.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "model/llama_tiny.h"

namespace valence {
namespace {

constexpr const char* kChatMl =
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

class Rendering : public ::testing::Test {
 protected:
  Rendering() {
    test::TinyModel tiny;
    tiny.chat_template = kChatMl;
    test::write_tiny(tiny, folder_ / "tiny.gguf");
    model_ = test::open_tiny(folder_ / "tiny.gguf");
  }

  /// All tokens as text, a bar where learning begins.
  std::string shown(const AnswerPath& path) const {
    std::string text;
    const auto views = model_->view({path.tokens, ""});
    for (std::size_t i = 0; i < views->size(); ++i) text += (i == path.learned_from ? "|" : "") + (*views)[i].text;
    return text;
  }

  RenderedData render(std::string_view text, std::size_t longest = 1000) const {
    auto data = render_data(*model_, parse_training_data(text, "d.jsonl").value(), {}, longest);
    EXPECT_TRUE(data) << data.error().message;
    return data.value_or(RenderedData{});
  }

  test::ScratchFolder folder_;
  std::unique_ptr<LanguageModel> model_;
};

TEST_F(Rendering, ThePromptIsMaskedAndTheEndOfTurnIsLearned) {
  const auto data = render(R"({"prompt": "Hi?", "completion": "Yo."})");
  ASSERT_EQ(data.examples.size(), 1U);
  EXPECT_EQ(data.examples[0].id, "d.jsonl:1");
  EXPECT_EQ(shown(data.examples[0].paths[0]), "<|im_start|>user\nHi?<|im_end|>\n<|im_start|>assistant\n|Yo.<|im_end|>");
}

TEST_F(Rendering, TypedControlStringsStayText) {
  const auto data = render(R"({"prompt": "<|im_end|>", "completion": "<|im_end|>"})");
  std::size_t ends = 0;
  const auto views = model_->view({data.examples[0].paths[0].tokens, ""});
  for (const auto& token : *views) ends += token.control && token.text == "<|im_end|>" ? 1 : 0;
  EXPECT_EQ(ends, 2U);  // the user's turn and the answer's
}

TEST_F(Rendering, BothAnswersOfAPairFollowTheSameTokens) {
  const auto data = render(R"({"prompt": "Hi?", "chosen": "Yo.", "rejected": "Go!"})");
  const auto& paths = data.examples[0].paths;
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_EQ(paths[0].learned_from, paths[1].learned_from);
  EXPECT_TRUE(std::equal(paths[0].tokens.begin(),
                         paths[0].tokens.begin() + static_cast<std::ptrdiff_t>(paths[0].learned_from),
                         paths[1].tokens.begin()));
  EXPECT_TRUE(shown(paths[0]).ends_with("|Yo.<|im_end|>"));
  EXPECT_TRUE(shown(paths[1]).ends_with("|Go!<|im_end|>"));
}

TEST_F(Rendering, EveryAssistantTurnIsAPathOfItsOwn) {
  const auto data = render(
      R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]})");
  const auto& paths = data.examples[0].paths;
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_TRUE(shown(paths[0]).ends_with("assistant\n|b<|im_end|>"));
  EXPECT_TRUE(
      shown(paths[1]).ends_with("b<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n|d<|im_end|>"));
}

TEST_F(Rendering, OfAPromptWithSeveralTurnsTheCompletionAloneIsLearned) {
  const auto data = render(
      R"({"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}], "completion": "d"})");
  const auto& paths = data.examples[0].paths;
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_TRUE(
      shown(paths[0]).ends_with("b<|im_end|>\n<|im_start|>user\nc<|im_end|>\n<|im_start|>assistant\n|d<|im_end|>"));
}

TEST_F(Rendering, OptionsOfAChoiceAreLearnedWithoutAnEnd) {
  const auto data = render(R"({"prompt": "A or B?", "options": ["A", "B"], "target": [0.25, 0.75]})");
  EXPECT_TRUE(shown(data.examples[0].paths[1]).ends_with("|B"));
  EXPECT_EQ(data.examples[0].paths[1].value, 0.75);
}

TEST_F(Rendering, ALabelledAnswerStandsBesideAnotherRecordsAnswerToItsPrompt) {
  const auto data = render(
      "{\"prompt\": \"p\", \"completion\": \"x\", \"label\": true}\n{\"prompt\": \"q\", \"completion\": \"y\", "
      "\"label\": false}");
  ASSERT_EQ(data.examples.size(), 2U);
  EXPECT_NE(shown(data.examples[0].paths[1]).find("user\np<|im_end|>"), std::string::npos);
  EXPECT_TRUE(shown(data.examples[0].paths[1]).ends_with("|y<|im_end|>"));
  EXPECT_EQ(data.examples[0].paths[1].group, 1U);
  EXPECT_EQ(data.examples[1].paths[0].value, 0.0);
}

TEST_F(Rendering, AMismatchedAnswerIsOneToAnotherPrompt) {
  const auto data = render(
      "{\"prompt\": \"p\", \"completion\": \"x\", \"label\": true}\n"
      "{\"prompt\": \"p\", \"completion\": \"y\", \"label\": false}\n"
      "{\"prompt\": \"q\", \"completion\": \"z\", \"label\": true}");
  ASSERT_EQ(data.examples.size(), 3U);
  EXPECT_TRUE(shown(data.examples[0].paths[1]).ends_with("|z<|im_end|>"));
  EXPECT_TRUE(shown(data.examples[1].paths[1]).ends_with("|z<|im_end|>"));
  EXPECT_TRUE(shown(data.examples[2].paths[1]).ends_with("|x<|im_end|>"));  // from the end on from the beginning
}

TEST_F(Rendering, LabelledAnswersToOnePromptAloneHaveNoMismatchedOne) {
  const auto records = parse_training_data(R"({"prompt": "p", "completions": ["x", "y"], "labels": [true, false]})"
                                           "\n"
                                           R"({"prompt": "p", "completion": "z", "label": true})",
                                           "d.jsonl");
  const auto data = render_data(*model_, *records, {}, 1000);
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().code, ErrorCode::kUsage);
  EXPECT_EQ(data.error().message,
            "d.jsonl:1: labelled answers need at least 2 different prompts, since each answer is held against one to "
            "another prompt; all 2 records have this one's. Add records of another prompt");
}

TEST_F(Rendering, WhatIsTooLongIsLeftOutAndNamed) {
  const auto data = render(
      "{\"prompt\": \"p\", \"completion\": \"x\"}\n{\"prompt\": \"p\", \"completion\": \"a much longer answer than the "
      "other\"}",
      40);
  EXPECT_EQ(data.examples.size(), 1U);
  EXPECT_EQ(data.too_long, (std::vector<std::string>{"d.jsonl:2"}));
}

TEST(TrainingExamples, ComeBackAsTheyWereWritten) {
  const std::vector<TrainingExample> examples{{"one", {{{1, 2, 3}, 2, 0, 0.25}, {{1, 2, 4}, 2, 0, 0.75}}},
                                              {"two \"quoted\"", {{{5, 6}, 1, 3, 1.0}}},
                                              {"drawn", {{{5, 6, 7}, 1, 0, -.5, {-.1, -2.25}, false}}}};
  const auto read = parse_examples(to_jsonl(examples), "e.jsonl");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_jsonl(*read), to_jsonl(examples));
  EXPECT_EQ((*read)[1].id, "two \"quoted\"");
  EXPECT_EQ((*read)[2].paths[0].sampler_logprobs, (std::vector<double>{-.1, -2.25}));
  EXPECT_FALSE((*read)[2].paths[0].ended);
  EXPECT_TRUE((*read)[0].paths[0].ended);
}

TEST(TrainingExamples, EveryLearnedTokenOfADrawnAnswerHasTheSamplersNumber) {
  const auto read = parse_examples(
      R"({"id": "x", "paths": [{"tokens": [1, 2, 3], "learned_from": 1, "group": 0, "value": 1, "sampler_logprobs": [-1]}]})",
      "e.jsonl");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("should be a number for each of the 2 learned tokens, got 1"), std::string::npos)
      << read.error().message;
}

TEST(TrainingExamples, ATokenIsNotCutToItsLowBits) {
  for (const std::string token : {"4294967297", "-1"}) {
    const auto read = parse_examples(
        fmt::format(R"({{"id": "x", "paths": [{{"tokens": [1, {}], "learned_from": 1, "group": 0, "value": 1}}]}})",
                    token),
        "e.jsonl");
    ASSERT_FALSE(read) << token;
    EXPECT_EQ(read.error().message, fmt::format("e.jsonl:1:38: a token should be 0 to 2147483647, got {}", token));
  }
}

TEST(TrainingExamples, TheFirstTokenCannotBeLearned) {
  const auto read = parse_examples(
      R"({"id": "x", "paths": [{"tokens": [1, 2], "learned_from": 0, "group": 0, "value": 1}]})", "e.jsonl");
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("\"learned_from\" should be 1 to 1, got 0"), std::string::npos)
      << read.error().message;
}

}  // namespace
}  // namespace valence
