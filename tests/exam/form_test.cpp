#include "form.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace valence {
namespace {

TEST(FillForm, PutsInWhatIsNamedAndLeavesOtherBraces) {
  EXPECT_EQ(fill_form("{a} {b} {c", {{"a", "1"}}), "1 {b} {c");
}

TEST(FillForm, NeverReadsWhatItPutIn) { EXPECT_EQ(fill_form("{a}{b}", {{"a", "{b}"}, {"b", "x"}}), "{b}x"); }

TEST(FillForm, ADoubledBraceIsOne) { EXPECT_EQ(fill_form("{{a}} {{{a}}}", {{"a", "1"}}), "{a} {1}"); }

RC_GTEST_PROP(FillForm, LiteralTextComesOutAsItWent, (const std::string& text)) {
  RC_ASSERT(fill_form(literal(text) + "{x}" + literal(text), {{"x", text}}) == text + text + text);
}

RC_GTEST_PROP(FillForm, LiteralBracesAndNamesAreNoTemplate, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("{}x ")));
  RC_ASSERT(fill_form(literal(text), {{"x", "!"}}) == text);
}

TEST(Listed, NamesLabelsAsPeopleDo) {
  EXPECT_EQ(listed({"A"}), "A");
  EXPECT_EQ(listed({"A", "B"}), "A or B");
  EXPECT_EQ(listed({"A", "B", "C"}), "A, B or C");
  EXPECT_EQ(named({"A", "B", "C", "D"}), "A, B, C or D");
  EXPECT_EQ(named({"A", "B", "C", "D", "E"}), "one from A to E");
}

TEST(LetterTurn, ShowsOptionsInTheLayoutsOrder) {
  ChoiceQuestion question;
  question.letter_form = "Q {{x}} {other}\n{options}\n({labels})";
  question.options = {"one {labels}", "two"};
  const Layout reversed{{1, 0}, {"A", "B"}, "reversed"};
  EXPECT_EQ(letter_turn(question, reversed), "Q {x} {other}\nA: two\nB: one {labels}\n(A or B)");
}

TEST(Continuation, FollowsABegunAnswerAfterASpace) {
  ChoiceQuestion question;
  EXPECT_EQ(continuation(question, "B"), "B");
  question.answer_prefix = "Answer:";
  EXPECT_EQ(continuation(question, "B"), " B");
}

TEST(Normalisations, AreReadBack) {
  for (const auto one : {Normalisation::kNone, Normalisation::kToken, Normalisation::kCharacter, Normalisation::kUnconditional}) {
    EXPECT_EQ(normalisation_from(to_string(one)).value(), one);
  }
  EXPECT_EQ(normalisation_from("byte").error().message,
            "unknown normalisation \"byte\"; it should be one of none, token, character, unconditional");
}

}  // namespace
}  // namespace valence
