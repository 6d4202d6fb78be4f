#include "valence/base/json.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace valence {
namespace {

std::string failure_of(std::string_view text) {
  const auto json = parse_json(text, "answers.jsonl:12");
  return json ? "no failure" : json.error().message;
}

TEST(Json, KeepsKeysInTheirOrder) {
  EXPECT_EQ(to_text(parse_json(R"({"z":1,"a":[true,null]})", "x").value()), R"({"z":1,"a":[true,null]})");
}

TEST(Json, NamesTheSourceOfAnError) {
  EXPECT_EQ(failure_of("{\"a\": }"),
            "answers.jsonl:12: not valid JSON at byte 7: syntax error while parsing value - unexpected '}'; expected "
            "'[', '{', or a literal");
  EXPECT_EQ(parse_json("", "x").error().code, ErrorCode::kCorrupt);
}

TEST(Json, RefusesEndlessNesting) {
  EXPECT_TRUE(parse_json(std::string(200, '[') + std::string(200, ']'), "x"));
  EXPECT_EQ(failure_of(std::string(1'000'000, '[')), "answers.jsonl:12: JSON nested deeper than 200 levels");
  EXPECT_TRUE(parse_json(fmt::format("\"{0}\\\"{0}\"", std::string(1000, '[')), "x"));
}

TEST(Json, ReplacesInvalidUtf8) {
  EXPECT_EQ(to_text(Json{{"said", "a\xFFz"}}), "{\"said\":\"a\uFFFDz\"}");
}

TEST(Json, WritesIndentedText) { EXPECT_EQ(to_text(Json{{"a", 1}}, 2), "{\n  \"a\": 1\n}"); }

TEST(Json, NumbersComeBackTheSame) {
  EXPECT_TRUE(rc::check([](double number) {
    RC_PRE(std::isfinite(number));
    RC_ASSERT(parse_json(to_text(Json(number)), "x").value().get<double>() == number);
  }));
}

}  // namespace
}  // namespace valence
