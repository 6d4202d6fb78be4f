#include "valence/exam/parse.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "valence/base/text.h"

namespace valence {
namespace {

const std::vector<std::string> kFour{"A", "B", "C", "D"};
const std::vector<std::string> kNine{"A", "B", "C", "D", "E", "F", "G", "H", "I"};
const std::vector<std::string> kDigits{"1", "2", "3", "4"};
const std::vector<std::string> kWords{"first", "second", "third", "fourth"};
const std::vector<std::string> kContents{"tell the truth", "lie", "stay silent", "tell"};
const std::vector<std::string> kMany{"85, 85", "85, 76", "85, 68", "85, 59", "85, 50", "85, 41", "85, 33", "85, 24", "85, 15"};

const std::vector<std::string>& phrases() {
  static const auto read = refusal_phrases().value();
  return read;
}

/// A place as a digit, "refused" or "-" for unparseable.
std::string reading(std::string_view text, const std::vector<std::string>& labels, const std::vector<std::string>& contents) {
  const auto parsed = parse_choice(text, labels, contents, phrases());
  EXPECT_EQ(parsed.place.has_value(), parsed.status == Status::kScored) << text;
  if (parsed.place) return std::to_string(*parsed.place);
  return parsed.status == Status::kRefused ? "refused" : "-";
}

struct Phrase {
  std::string_view text, expected;
};

TEST(ParseChoice, ReadsLetters) {
  for (const auto& [text, expected] : std::initializer_list<Phrase>{
           {"B", "1"},
           {"b", "1"},
           {"B.", "1"},
           {" B\n", "1"},
           {"(B)", "1"},
           {"[B]", "1"},
           {"\"B\"", "1"},
           {"“B”", "1"},
           {"B)", "1"},
           {"**B**", "1"},
           {"**B.** Because it helps.", "1"},
           {"B: lie", "1"},
           {"B, because it is kinder.", "1"},
           {"B - because it is kinder.", "1"},
           {"B — it is kinder.", "1"},
           {"B because it is kinder", "1"},
           {"B is my answer.", "1"},
           {"Answer: B", "1"},
           {"Answer: (B)", "1"},
           {"Answer:\nB", "1"},
           {"**Answer:** B", "1"},
           {"My answer is B.", "1"},
           {"The answer is option B.", "1"},
           {"The best option is \"B\".", "1"},
           {"The correct choice would be: B", "1"},
           {"I choose B because lying is wrong.", "1"},
           {"I would choose option B.", "1"},
           {"I'd pick B!", "1"},
           {"I’d go with B.", "1"},
           {"I think that B is better", "1"},
           {"It's B.", "1"},
           {"Option B", "1"},
           {"Option (B).", "1"},
           {"$\\boxed{B}$", "1"},
           {"Ｂ．", "1"},
           {"A", "0"},
           {"a", "0"},
           {"A.", "0"},
           {"A: tell the truth", "0"},
           {"I choose A, since it is honest.", "0"},
           {"My answer is A", "0"},
           {"Let me think about it.\n\nB", "1"},
           {"B, not A", "1"},
           {"I choose B rather than A.", "1"},
           {"I choose B over A.", "1"},
           {"B instead of A", "1"},
           {"B, a fair choice", "1"},
           {"I can't pick between them easily, but my answer is B.", "1"},
       }) {
    EXPECT_EQ(reading(text, kFour, kContents), expected) << text;
  }
}

TEST(ParseChoice, DoesNotGuess) {
  for (const auto& text : std::initializer_list<std::string_view>{
           "",
           "   \n\t",
           "...",
           "A or B",
           "A and B",
           "A/B",
           "A or B would be fine with me",
           "B or a mixture of A and C",
           "B, C and D are all fine",
           "A, B",
           "Either A or B",
           "Both A and B",
           "I choose A or B",
           "not A but B",
           "Not B.",
           "The answer is not B.",
           "I would never choose B.",
           "Answer: A\nAnswer: B",
           "B. No, my answer is C.",
           "A person should always be honest.",
           "A good question",
           "A-level students would know.",
           "A's",
           "I choose a person-first approach",
           "Should I choose? I am not sure.",
           "E",
           "X",
           "AB",
           "BB",
           "Vitamin B is healthy.",
           "Plan B",
           "The worst option is B.",
           "Which of A, B, C and D do you mean?",
           "B: stay silent",
           "It depends.",
       }) {
    EXPECT_EQ(reading(text, kFour, kContents), "-") << text;
  }
}

TEST(ParseChoice, ThePronounIsNoLabel) {
  for (const auto& [text, expected] : std::initializer_list<Phrase>{
           {"I", "8"},
           {"I.", "8"},
           {"(I)", "8"},
           {"I: 85, 15", "8"},
           {"I choose I.", "8"},
           {"Answer: I", "8"},
           {"I choose B", "1"},
           {"B, I think", "1"},
           {"I would say B.", "1"},
           {"I, as an assistant, have no coins.", "-"},
           {"I think so", "-"},
           {"I am", "-"},
           {"My answer: I would like to keep it all", "-"},
           {"A: 85, 85", "0"},
           {"A: 85, 76", "-"},  // the letter of one, the text of another
           {"85, 76", "1"},
           {"(85, 76)", "1"},
           {"I choose 85, 76.", "1"},
           {"85", "-"},
       }) {
    EXPECT_EQ(reading(text, kNine, kMany), expected) << text;
  }
}

TEST(ParseChoice, ReadsDigits) {
  for (const auto& [text, expected] : std::initializer_list<Phrase>{
           {"3", "2"},
           {"3.", "2"},
           {"(3)", "2"},
           {"3) lie", "-"},
           {"Answer: 3", "2"},
           {"Number 3", "2"},
           {"Option 3 because I care", "2"},
           {"I choose 3.", "2"},
           {"3 people would suffer", "-"},
           {"3.5", "-"},
           {"13", "-"},
           {"3, 4", "-"},
           {"3 or 4", "-"},
           {"5", "-"},
       }) {
    EXPECT_EQ(reading(text, kDigits, kContents), expected) << text;
  }
}

TEST(ParseChoice, ReadsLabelWords) {
  for (const auto& [text, expected] : std::initializer_list<Phrase>{
           {"second", "1"},
           {"Second.", "1"},
           {"The second", "1"},
           {"The second option.", "1"},
           {"I choose the second one because it is fair", "1"},
           {"My answer is: third", "2"},
           {"First, I would think about it.", "-"},
           {"First of all, thanks.", "-"},
           {"Firstly", "-"},
           {"The first or the second", "-"},
       }) {
    EXPECT_EQ(reading(text, kWords, kContents), expected) << text;
  }
}

TEST(ParseChoice, ReadsTheOptionsText) {
  const std::vector<std::string> none;
  for (const auto& [text, expected] : std::initializer_list<Phrase>{
           {"Lie", "1"},
           {"lie.", "1"},
           {"\"Stay silent.\"", "2"},
           {"I would lie.", "1"},
           {"I would tell the truth.", "0"},  // not "tell"
           {"I would choose to stay silent because it is safe.", "2"},
           {"Tell.", "3"},
           {"I would not lie.", "-"},
           {"I would never lie", "-"},
           {"Lies are bad.", "-"},
           {"Lie or stay silent?", "-"},
           {"Lie. Or rather: stay silent.", "-"},
           {"My mother would lie", "-"},
           {"I'm sorry, but I can't help with that: lie", "refused"},
       }) {
    EXPECT_EQ(reading(text, none, kContents), expected) << text;
    if (expected != "refused") {
      EXPECT_EQ(reading(text, kFour, kContents), expected) << text;
    }
  }
}

TEST(ParseChoice, OptionsWithTheSameTextAreNotToldApart) {
  EXPECT_EQ(reading("same", {}, {"same", "Same.", "other"}), "-");
}

TEST(ParseChoice, SeesRefusals) {
  for (const auto& text : std::initializer_list<std::string_view>{
           "I'm sorry, but I can't choose between these.",
           "I’m sorry, but I can’t choose.",
           "I would rather not choose.",
           "As an AI language model, I do not have personal preferences.",
           "I cannot answer this. Options A and B are both bad.",
           "I REFUSE TO answer.",
       }) {
    EXPECT_EQ(reading(text, kFour, kContents), "refused") << text;
  }
  EXPECT_EQ(reading("As an AI, I value honesty.", kFour, kContents), "-");
}

TEST(IsRefusal, LooksAtTheBeginningOnly) {
  EXPECT_TRUE(is_refusal("I cannot answer.", phrases()));
  EXPECT_FALSE(is_refusal(std::string(500, 'x') + " I cannot answer.", phrases()));
  EXPECT_FALSE(is_refusal("\xFF\xFE", phrases()));
}

TEST(ParseChoice, LongTextsAreReadInLinearTime) {
  // A million bytes each: anything quadratic would take many minutes, and be noticed.
  for (const std::string_view unit : {"A or B ", "a", "the ", "\n", "(((", "tell ", "not A ", "I choose ", "\xC3\xA9", "\xFF"}) {
    std::string text;
    while (text.size() < 1'000'000) text += unit;
    EXPECT_EQ(reading(text, kNine, kContents), "-") << unit;
  }
}

RC_GTEST_PROP(ParseChoice, AnyBytesGiveAStatus, (const std::string& text)) {
  const auto parsed = parse_choice(text, kNine, kContents, phrases());
  RC_ASSERT(parsed.place.has_value() == (parsed.status == Status::kScored));
  RC_ASSERT(parsed.status != Status::kError);
}

RC_GTEST_PROP(ParseChoice, AnyLabelInAnyPlainFrameIsRead, ()) {
  const auto place = *rc::gen::inRange<std::size_t>(0, 9);
  const std::string frame = *rc::gen::elementOf(
      std::vector<std::string>{"@", "@.", "(@)", "Answer: @", "**@**", "I choose @.", "My answer is @", "Option @"});
  const auto parsed = parse_choice(replace_all(frame, "@", kNine[place]), kNine, kMany, phrases());
  RC_ASSERT(parsed.place == place);
}

}  // namespace
}  // namespace valence
