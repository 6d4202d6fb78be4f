#include "valence/base/node.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace valence {
namespace {

constexpr auto kForm = R"(id = "pvq"
title = "Portrait values"
[scale]
from = 1
to = "six"
[[item]]
number = 1
weights = [0.5, 2, "x"]
revrsed = false
)";

Node form() { return parse_toml(kForm, "pvq.toml").value(); }

template <class T>
std::string failure_of(const Result<T>& result) {
  if (result) return "no failure";
  EXPECT_EQ(result.error().code, ErrorCode::kUsage);
  return result.error().message;
}

std::string toml_failure(std::string_view text) { return failure_of(parse_toml(text, "a.toml")); }
std::string json_failure(std::string_view text) { return failure_of(parse_json_node(text, "a.json")); }

TEST(Counts, AreWholeNumbersOfAtLeastZero) {
  const auto root = parse_toml("a = 3\nb = -1\nc = 1.5\n", "t.toml").value();
  EXPECT_EQ(root.count_at("a"), 3u);
  EXPECT_EQ(root.count_at("b").error().message, "t.toml:2:5: \"b\" should be at least 0, got -1");
  EXPECT_FALSE(root.count_at("c"));
  EXPECT_FALSE(root.count_at("d"));
}

TEST(Position, LeavesOutWhatIsUnknown) {
  EXPECT_EQ(to_string(Position{"a.toml", 3, 7}), "a.toml:3:7");
  EXPECT_EQ(to_string(Position{"a.toml", 3, 0}), "a.toml:3");
  EXPECT_EQ(to_string(Position{"a.toml", 0, 0}), "a.toml");
}

TEST(Node, KeepsTheOrderOfTheFile) {
  std::vector<std::string> keys;
  const auto document = form();
  const auto table = document.as_table().value();
  for (const auto& member : table) keys.push_back(member.first);
  EXPECT_EQ(keys, (std::vector<std::string>{"id", "title", "scale", "item"}));
}

TEST(Node, ReadsValuesOfEachType) {
  const auto node =
      parse_toml("b = true\ni = -3\nd = 2.5\nw = 4.0\ns = 'x'\nl = ['a', 'b']\nn = [1, 2.5]", "a").value();
  EXPECT_EQ(node.bool_or("b", false), true);
  EXPECT_EQ(node.integer_at("i"), -3);
  EXPECT_EQ(node.number_at("i"), -3.0);
  EXPECT_EQ(node.number_at("d"), 2.5);
  EXPECT_EQ(node.integer_at("w"), 4);
  EXPECT_EQ(node.string_at("s"), "x");
  EXPECT_EQ(node.at("l")->as_strings(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(node.at("n")->as_numbers(), (std::vector<double>{1.0, 2.5}));
  EXPECT_TRUE(node.is_table() && node.find("b")->is_bool() && node.find("i")->is_number());
  EXPECT_TRUE(node.find("s")->is_string() && node.find("l")->is_array());
  EXPECT_EQ(node.find("none"), nullptr);
  EXPECT_EQ(node.find("s")->find("none"), nullptr);
}

TEST(Node, FallbacksStandInForAbsentKeysOnly) {
  const auto node = form();
  EXPECT_EQ(node.string_or("language", "en"), "en");
  EXPECT_EQ(node.number_or("weight", 1.5), 1.5);
  EXPECT_EQ(node.integer_or("count", 7), 7);
  EXPECT_EQ(node.bool_or("reversed", true), true);
  EXPECT_EQ(node.string_or("id", "x"), "pvq");
  EXPECT_EQ(failure_of(node.integer_or("id", 7)),
            "pvq.toml:1:6: \"id\" should be a whole number, got the text \"pvq\"");
}

TEST(Node, NamesPlaceKeyAndTypeOfAWrongValue) {
  const auto node = form();
  const auto item = node.at("item")->as_array()->front();
  EXPECT_EQ(failure_of(node.at("scale")->integer_at("to")),
            "pvq.toml:5:6: \"scale.to\" should be a whole number, got the text \"six\"");
  EXPECT_EQ(failure_of(item.at("weights")->as_numbers()),
            "pvq.toml:8:20: \"item[0].weights[2]\" should be a number, got the text \"x\"");
  EXPECT_EQ(failure_of(node.at("scale")->as_array()), "pvq.toml:3:1: \"scale\" should be a list, got a table");
  EXPECT_EQ(failure_of(item.string_at("number")),
            "pvq.toml:7:10: \"item[0].number\" should be a text in quotes, got 1");
  EXPECT_EQ(failure_of(item.find("number")->as_bool()),
            "pvq.toml:7:10: \"item[0].number\" should be true or false, got 1");
  EXPECT_EQ(failure_of(item.find("number")->string_or("x", "y")),
            "pvq.toml:7:10: \"item[0].number\" should be a table, got 1");
}

TEST(Node, SpecialNumbersAreNoNumbers) {
  const auto node = parse_toml("a = nan\nb = inf\nc = 2.5\nd = 1e300", "a.toml").value();
  EXPECT_EQ(failure_of(node.number_at("a")), "a.toml:1:5: \"a\" should be a number, got nan");
  EXPECT_EQ(failure_of(node.number_at("b")), "a.toml:2:5: \"b\" should be a number, got inf");
  EXPECT_EQ(failure_of(node.integer_at("c")), "a.toml:3:5: \"c\" should be a whole number, got 2.5");
  EXPECT_EQ(failure_of(node.integer_at("d")), "a.toml:4:5: \"d\" should be a whole number, got 1e+300");
}

TEST(Node, LongTextsAreShortenedInMessages) {
  const auto text = fmt::format("a = '{}ä{}'", std::string(39, 'x'), std::string(500, 'y'));
  const auto node = parse_toml(text, "a.toml").value();
  EXPECT_EQ(failure_of(node.number_at("a")),
            fmt::format("a.toml:1:5: \"a\" should be a number, got the text \"{}ä…\"", std::string(39, 'x')));
}

TEST(Node, NamesAMissingKeyAndItsTable) {
  const auto node = form();
  EXPECT_EQ(failure_of(node.at("source")), "pvq.toml:1:1: the key \"source\" is missing");
  EXPECT_EQ(failure_of(node.at("scale")->at("low")), "pvq.toml:3:1: the key \"low\" is missing in \"scale\"");
}

TEST(Node, UnknownKeysAreRefusedWithTheNearest) {
  const auto node = form();
  const auto item = node.at("item")->as_array()->front();
  EXPECT_EQ(failure_of(item.allow_only({"number", "weights", "reversed"})),
            "pvq.toml:9:11: unknown key \"item[0].revrsed\"; did you mean \"reversed\"?");
  EXPECT_EQ(failure_of(item.allow_only({"number", "weights", "text"})),
            "pvq.toml:9:11: unknown key \"item[0].revrsed\"; expected one of number, weights, text");
  EXPECT_EQ(failure_of(item.allow_only({})),
            "pvq.toml:7:10: unknown key \"item[0].number\"; no keys are expected here");
  EXPECT_TRUE(item.allow_only({"revrsed", "number", "weights"}));
}

TEST(Node, ErrorsStandAtTheirPlace) {
  EXPECT_EQ(form().find("title")->error("too long").message, "pvq.toml:2:9: too long");
  EXPECT_EQ(Node().error("nothing here").message, "nothing here");
}

TEST(Toml, SyntaxErrorsNameLineAndColumn) {
  EXPECT_THAT(toml_failure("a = 1\nb = \n"), ::testing::StartsWith("a.toml:2:5: not valid TOML: "));
  EXPECT_THAT(toml_failure("a = 1\na = 2\n"), ::testing::StartsWith("a.toml:2:5: not valid TOML: "));
  EXPECT_EQ(toml_failure("a = '\xFF'"), "a.toml:1:6: invalid UTF-8; save the file as UTF-8");
  EXPECT_EQ(toml_failure("a = 2024-01-02"), "a.toml:1:5: \"a\" is a date or time; write it in quotes");
}

TEST(Toml, EndlessNestingIsRefused) {
  std::string dots = "a";
  for (int i = 0; i < 1'000'000; ++i) dots += ".a";
  EXPECT_EQ(toml_failure("# x\n" + dots + " = 1"), "a.toml:2: nested deeper than 200 levels");
  EXPECT_EQ(toml_failure("[" + dots + "]"), "a.toml:1: nested deeper than 200 levels");
  EXPECT_EQ(toml_failure("a = " + std::string(1'000'000, '[')), "a.toml:1: nested deeper than 200 levels");
  std::string tables;
  for (int i = 0; i < 20; ++i) tables += "a = { b.b.b.b.b.b.b.b.b.b.b = 1, " + dots.substr(0, 41) + " = { ";
  EXPECT_EQ(toml_failure(tables), "a.toml:1: nested deeper than 200 levels");
}

TEST(Toml, DotsInTextsAndCommentsAreNoNesting) {
  const std::string dots(500, '.');
  const auto text = fmt::format(
      "a = \"\"\"{0}\n\\\"{0}\"\"\"\"\nb = 'x{0}'  # {0}\nc = \"\\\"{0}\"\nd = '''{0}'''\ne = [1.5, 2.5]\n", dots);
  const auto node = parse_toml(text, "a.toml");
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(node->string_at("a"), dots + "\n\"" + dots + "\"");
  EXPECT_EQ(node->string_at("d"), dots);
}

TEST(JsonNode, ReadsEveryKindOfValue) {
  const auto node = parse_json_node(R"( {"t": true, "n": null, "i": -12, "d": 2.5e-1, "s": "\u00e4\n\ud83d\ude00\/",
    "a": [1, [], {}], "big": 12345678901234567890} )", "a.json").value();
  EXPECT_EQ(node.bool_or("t", false), true);
  EXPECT_EQ(node.integer_at("i"), -12);
  EXPECT_EQ(node.number_at("d"), 0.25);
  EXPECT_EQ(node.string_at("s"), "ä\n\U0001F600/");
  EXPECT_EQ(node.at("a")->as_array()->size(), 3U);
  EXPECT_EQ(node.number_at("big"), 12345678901234567890.0);
  EXPECT_EQ(failure_of(node.string_at("n")), "a.json:1:19: \"n\" should be a text in quotes, got null");
  EXPECT_EQ(failure_of(node.at("a")->as_array()->at(1).as_bool()),
            "a.json:2:14: \"a[1]\" should be true or false, got a list");
}

TEST(JsonNode, ErrorsNameLineAndColumn) {
  EXPECT_EQ(json_failure("{\n  \"ä\": tru\n}"), "a.json:2:8: not valid JSON: expected a value");
  EXPECT_EQ(json_failure("{a: 1}"), "a.json:1:2: not valid JSON: expected a key in double quotes");
  EXPECT_EQ(json_failure("{\"a\" 1}"), "a.json:1:6: not valid JSON: expected \":\" after a key");
  EXPECT_EQ(json_failure("{\"a\": 1 \"b\"}"), "a.json:1:9: not valid JSON: expected \",\" or \"}\"");
  EXPECT_EQ(json_failure("[1 2]"), "a.json:1:4: not valid JSON: expected \",\" or \"]\"");
  EXPECT_EQ(json_failure("[1,]"), "a.json:1:4: not valid JSON: expected a value");
  EXPECT_EQ(json_failure(""), "a.json:1:1: not valid JSON: expected a value");
  EXPECT_EQ(json_failure("1 2"), "a.json:1:3: not valid JSON: expected the end after the value");
  EXPECT_EQ(json_failure("{\"a\": 1, \"a\": 2}"), "a.json:1:10: not valid JSON: the key \"a\" stands twice");
  EXPECT_EQ(json_failure("[\"abc]"), "a.json:1:2: not valid JSON: the text opened here is never closed");
  EXPECT_EQ(json_failure("\"a\tb\""),
            "a.json:1:3: not valid JSON: a control character in a text; write it as \\n or \\u00XX");
  EXPECT_EQ(json_failure("\"\\x\""), "a.json:1:2: not valid JSON: unknown escape; a backslash itself is written \\\\");
  EXPECT_EQ(json_failure("\"\\u12G4\""), "a.json:1:2: not valid JSON: expected four hexadecimal digits after \\u");
  EXPECT_EQ(json_failure("\"\\ud800\""), "a.json:1:2: not valid JSON: half of a surrogate pair");
  EXPECT_EQ(json_failure("\"\\udc00\\ud800\""), "a.json:1:2: not valid JSON: half of a surrogate pair");
  EXPECT_EQ(json_failure("01"), "a.json:1:1: not valid JSON: a number may not begin with 0");
  EXPECT_EQ(json_failure("1."), "a.json:1:1: not valid JSON: expected digits after the decimal point");
  EXPECT_EQ(json_failure("1e+"), "a.json:1:1: not valid JSON: expected digits in the exponent");
  EXPECT_EQ(json_failure("-"), "a.json:1:1: not valid JSON: expected a value");
  EXPECT_EQ(json_failure("1e999"), "a.json:1:1: not valid JSON: the number 1e999 is out of range");
  EXPECT_EQ(json_failure("[\n\"\xFF\"]"), "a.json:2:2: invalid UTF-8; save the file as UTF-8");
}

TEST(JsonNode, NestsTwoHundredDeepAndNoDeeper) {
  EXPECT_TRUE(parse_json_node(std::string(200, '[') + std::string(200, ']'), "a.json"));
  EXPECT_EQ(json_failure(std::string(1'000'000, '[')), "a.json:1:202: not valid JSON: nested deeper than 200 levels");
}

TEST(JsonLines, SkipBlankLinesAndCountAllOfThem) {
  const auto rows = parse_jsonl("\xEF\xBB\xBF{\"a\": 1}\r\n\n  \n{\"a\": \"x\"}", "a.jsonl").value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].integer_at("a"), 1);
  EXPECT_EQ(failure_of(rows[1].integer_at("a")), "a.jsonl:4:7: \"a\" should be a whole number, got the text \"x\"");
  EXPECT_TRUE(parse_jsonl("", "a.jsonl")->empty());
}

TEST(JsonLines, EachLineIsOneObject) {
  EXPECT_EQ(failure_of(parse_jsonl("{}\n[1]\n", "a.jsonl")),
            "a.jsonl:2:1: each line should hold one JSON object in braces");
  EXPECT_EQ(failure_of(parse_jsonl("{}\n{\"a\":\n1}\n", "a.jsonl")),
            "a.jsonl:2:6: not valid JSON: expected a value");
  EXPECT_EQ(failure_of(parse_jsonl("{}\n{} {}", "a.jsonl")),
            "a.jsonl:2:4: not valid JSON: expected the end after the value");
}

TEST(Readers, MissingFilesAreNotFound) {
  EXPECT_EQ(read_toml("/nonexistent/a").error().message, "/nonexistent/a: cannot read: No such file or directory");
  EXPECT_EQ(read_jsonl("/nonexistent/a").error().code, ErrorCode::kNotFound);
}

TEST(Readers, NoBytesMakeThemFailOtherwiseThanByAnError) {
  const auto syntax = rc::gen::container<std::string>(
      rc::gen::element('{', '}', '[', ']', '"', '\'', '\\', ',', '.', ':', '=', '\n', '#', 'a', 'u', '1', '-', ' '));
  EXPECT_TRUE(rc::check([&] {
    const auto text = *syntax;
    for (const auto& failure : {parse_toml(text, "x"), parse_json_node(text, "x")}) {
      RC_ASSERT((failure || failure.error().message.starts_with("x:")));
    }
    const auto rows = parse_jsonl(text, "x");
    RC_ASSERT((rows || rows.error().message.starts_with("x:")));
  }));
}

}  // namespace
}  // namespace valence
