#include "valence/base/text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

namespace valence {
namespace {

std::string failure_of(std::string_view pattern, const std::vector<std::pair<std::string, std::string>>& values) {
  const auto result = fill(pattern, values);
  return result ? fmt::format("no failure: {}", *result) : result.error().message;
}

TEST(Fill, ReplacesNamesAndKeepsDoubledBraces) {
  EXPECT_EQ(fill("{who} said {{{what}}}", {{"who", "Ada"}, {"what", "yes"}}), "Ada said {yes}");
  EXPECT_EQ(fill("", {}), "");
}

TEST(Fill, NeverLooksIntoWhatItPutIn) {
  EXPECT_EQ(fill("{a}{b}", {{"a", "{b}"}, {"b", "}}{{"}}), "{b}}}{{");
}

TEST(Fill, NamesWhatIsMissing) {
  EXPECT_EQ(failure_of("Hello {nmae}", {{"name", "x"}, {"age", "3"}}),
            "the template asks for {nmae}, which is not among its values ({name}, {age})");
  EXPECT_EQ(failure_of("{x}", {}), "the template asks for {x}, which is not among its values (none)");
}

TEST(Fill, RefusesUnpairedBraces) {
  EXPECT_EQ(failure_of("ab {name", {{"name", "x"}}),
            "the template has an unpaired \"{\" at byte 4; write \"{{\" for the character");
  EXPECT_EQ(failure_of("{a{b}", {{"b", "x"}}),
            "the template has an unpaired \"{\" at byte 1; write \"{{\" for the character");
  EXPECT_EQ(failure_of("a } b", {}), "the template has an unpaired \"}\" at byte 3; write \"}}\" for the character");
}

TEST(Fill, AnyTextSurvivesOnceItsBracesAreDoubled) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    const auto pattern = replace_all(replace_all(text, "{", "{{"), "}", "}}");
    RC_ASSERT(fill(pattern, {}).value() == text);
    RC_ASSERT(fill("{x}", {{"x", text}}).value() == text);
  }));
}

TEST(Trim, TakesUnicodeWhiteSpaceFromBothEnds) {
  EXPECT_EQ(trim(" \t\u00A0\u3000a b\u2003\r\n"), "a b");
  EXPECT_EQ(trim(" \u2028 "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\u200Ba"), "\u200Ba");  // zero width space has not the property White_Space
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_EQ(split("a,,b,", ","), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ","), std::vector<std::string>{""});
  EXPECT_EQ(split("a, b", ", "), (std::vector<std::string>{"a", "b"}));
}

TEST(Split, IsUndoneByJoin) {
  EXPECT_TRUE(rc::check([](const std::string& text) { RC_ASSERT(join(split(text, "a"), "a") == text); }));
}

TEST(ReplaceAll, DoesNotReplaceWhatItPutIn) {
  EXPECT_EQ(replace_all("aaa", "a", "aa"), "aaaaaa");
  EXPECT_EQ(replace_all("abc", "", "x"), "abc");
}

TEST(Fold, MakesTextsComparable) {
  EXPECT_EQ(fold("STRASSE"), fold("Straße"));
  EXPECT_EQ(fold("ＡＢＣ１"), "abc1");      // full width
  EXPECT_EQ(fold("e\u0301"), fold("\u00C9"));  // combined and precomposed
  EXPECT_EQ(fold("I"), "i");                // not the Turkish dotless one, whatever the locale
  EXPECT_EQ(fold("soft\u00ADhyphen"), "softhyphen");
}

TEST(Fold, TwiceChangesNothing) {
  EXPECT_TRUE(rc::check([](const std::string& text) { RC_ASSERT(fold(fold(text)) == fold(text)); }));
}

TEST(CodePoints, CountsCharactersNotBytes) {
  EXPECT_EQ(code_points("naïve"), 5U);
  EXPECT_EQ(code_points("価値観"), 3U);
  EXPECT_EQ(code_points(""), 0U);
}

TEST(DisplayWidth, FollowsTheTerminal) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("価値"), 4U);
  EXPECT_EQ(display_width("e\u0301"), 1U);              // combining accent
  EXPECT_EQ(display_width("\U0001F44D\U0001F3FD"), 2U);   // thumb with a skin tone
  EXPECT_EQ(display_width("\U0001F469\u200D\U0001F680"), 2U);  // woman + joiner + rocket
  EXPECT_EQ(display_width("\u2764\uFE0F"), 2U);          // heart shown as emoji
  EXPECT_EQ(display_width("\u1112\u1161\u11AB"), 2U);    // one Hangul syllable from three letters
  EXPECT_EQ(display_width("\x1b[1;32mgood\x1b[0m"), 4U);
}

TEST(Utf8, TellsValidFromInvalid) {
  EXPECT_TRUE(is_valid_utf8("größer \U0001F600"));
  EXPECT_FALSE(is_valid_utf8("\xC3"));
  EXPECT_FALSE(is_valid_utf8("\xC0\x80"));          // overlong
  EXPECT_FALSE(is_valid_utf8("\xED\xA0\x80"));      // surrogate
  EXPECT_FALSE(is_valid_utf8("\xF5\x80\x80\x80"));  // beyond U+10FFFF
  EXPECT_EQ(valid_utf8_prefix("ab\xC3\xA4\xFFz"), 4U);
}

TEST(Printable, LeavesNothingThatSteersATerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\tc\nd\r\u009Be"), "a[2Jb\tc\nde");
  EXPECT_EQ(printable("a\xFFz"), "a\uFFFDz");
}

TEST(Printable, IsAlwaysValidUtf8) {
  EXPECT_TRUE(rc::check([](const std::string& bytes) { RC_ASSERT(is_valid_utf8(printable(bytes))); }));
}

const std::vector<std::string> kInstruments = {"svo", "hvae", "moralchoice", "questionnaire", "schwartz"};

TEST(Nearest, MendsSlips) {
  EXPECT_EQ(nearest("schwarz", kInstruments), "schwartz");
  EXPECT_EQ(nearest("moralchocie", kInstruments), "moralchoice");  // two neighbours swapped: one edit
  EXPECT_EQ(nearest("HVEA", kInstruments), "hvae");
  EXPECT_EQ(nearest("sov", kInstruments), "svo");
}

TEST(Nearest, CompletesBeginnings) {
  EXPECT_EQ(nearest("quest", kInstruments), "questionnaire");
  EXPECT_EQ(nearest("dia", {"dialogue_length", "dialogues"}), "dialogues");
}

TEST(Nearest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(nearest("pizza", kInstruments), "");
  EXPECT_EQ(nearest("", kInstruments), "");
  EXPECT_EQ(nearest("x", {"a", "b"}), "");
  EXPECT_EQ(nearest(std::string(100'000, 'a'), kInstruments), "");
}

TEST(HtmlEscape, LeavesNoMarkup) {
  EXPECT_EQ(html_escape("<a href=\"x\">R&D's</a>"), "&lt;a href=&quot;x&quot;&gt;R&amp;D&#39;s&lt;/a&gt;");
}

TEST(Numbers, GroupThousands) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(with_thousands(18446744073709551615ULL), "18,446,744,073,709,551,615");
}

TEST(Numbers, ShowThreeSignificantDigits) {
  EXPECT_EQ(significant(22.6999), "22.7");
  EXPECT_EQ(significant(-16.2602), "-16.3");
  EXPECT_EQ(significant(0.5), "0.500");
  EXPECT_EQ(significant(9.996), "10.0");
  EXPECT_EQ(significant(12345.6), "12346");
  EXPECT_EQ(significant(0.0001234), "0.000123");
  EXPECT_EQ(significant(0.00001234), "1.23e-05");
  EXPECT_EQ(significant(999999.9), "1.00e+06");
  EXPECT_EQ(significant(3.14159, 5), "3.1416");
  EXPECT_EQ(significant(-0.0), "0");
  EXPECT_EQ(significant(std::numeric_limits<double>::quiet_NaN()), "–");
  EXPECT_EQ(significant(-std::numeric_limits<double>::infinity()), "-∞");
}

}  // namespace
}  // namespace valence
