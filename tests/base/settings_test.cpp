#include "valence/base/settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace valence {
namespace {

SettingTable table() {
  return {
      {.name = "dialogues", .type = SettingType::kInteger, .fallback = "30", .unit = "dialogues", .help = "how many",
       .choices = {}, .low = 1, .high = 1000},
      {.name = "temperature", .type = SettingType::kNumber, .fallback = "1.0", .unit = "", .help = "of sampling",
       .choices = {}, .low = 0, .high = {}},
      {.name = "goal_prompt", .type = SettingType::kBool, .fallback = "no", .unit = "", .help = "state the goal",
       .choices = {}, .low = {}, .high = {}},
      {.name = "format", .type = SettingType::kChoice, .fallback = "letter", .unit = "", .help = "of answers",
       .choices = {"letter", "text"}, .low = {}, .high = {}},
      {.name = "persona", .type = SettingType::kText, .fallback = "", .unit = "", .help = "system prompt",
       .choices = {}, .low = {}, .high = {}},
  };
}

using Given = std::vector<std::pair<std::string, std::string>>;

std::string failure_of(const Given& given) {
  const auto settings = Settings::resolve(table(), given);
  if (settings) return "no failure";
  EXPECT_EQ(settings.error().code, ErrorCode::kUsage);
  return settings.error().message;
}

std::string toml_failure(std::string_view text) {
  const auto settings = Settings::resolve(table(), parse_toml(text, "study.toml").value());
  return settings ? "no failure" : settings.error().message;
}

TEST(Settings, FillInDefaultsInTableOrder) {
  const auto settings = Settings::resolve(table(), Given{}).value();
  EXPECT_EQ(settings.values(), (Given{{"dialogues", "30"},
                                      {"temperature", "1"},
                                      {"goal_prompt", "false"},
                                      {"format", "letter"},
                                      {"persona", ""}}));
}

TEST(Settings, TakeFlagsWithHyphensAndTheLastOfTwo) {
  const auto settings =
      Settings::resolve(table(), Given{{"goal-prompt", "ON"}, {"dialogues", "5"}, {"dialogues", "7"}}).value();
  EXPECT_TRUE(settings.flag("goal_prompt"));
  EXPECT_EQ(settings.integer("dialogues"), 7);
}

TEST(Settings, WriteNumbersInOneWay) {
  const auto settings = Settings::resolve(table(), Given{{"temperature", "+0.70"}}).value();
  EXPECT_EQ(settings.text("temperature"), "0.7");
  EXPECT_EQ(settings.number("temperature"), 0.7);
  EXPECT_EQ(Settings::resolve(table(), Given{{"temperature", "7e-1"}})->values(), settings.values());
}

TEST(Settings, SayWhatWasExpected) {
  EXPECT_EQ(failure_of({{"dialogues", "ten"}}),
            "setting \"dialogues\" should be a whole number from 1 to 1000 (dialogues), got \"ten\"");
  EXPECT_EQ(failure_of({{"dialogues", "0"}}),
            "setting \"dialogues\" should be a whole number from 1 to 1000 (dialogues), got \"0\"");
  EXPECT_EQ(failure_of({{"dialogues", "2.5"}}),
            "setting \"dialogues\" should be a whole number from 1 to 1000 (dialogues), got \"2.5\"");
  EXPECT_EQ(failure_of({{"temperature", "-1"}}),
            "setting \"temperature\" should be a number of at least 0, got \"-1\"");
  EXPECT_EQ(failure_of({{"temperature", "nan"}}),
            "setting \"temperature\" should be a number of at least 0, got \"nan\"");
  EXPECT_EQ(failure_of({{"goal_prompt", "perhaps"}}),
            "setting \"goal_prompt\" should be true or false, got \"perhaps\"");
  EXPECT_EQ(failure_of({{"format", "words"}}), "setting \"format\" should be one of letter, text, got \"words\"");
}

TEST(Settings, RefuseUnknownNamesWithTheNearest) {
  EXPECT_EQ(failure_of({{"dialogs", "3"}}), "unknown setting \"dialogs\"; did you mean \"dialogues\"?");
  EXPECT_EQ(failure_of({{"zzz", "3"}}),
            "unknown setting \"zzz\"; there are dialogues, temperature, goal_prompt, format, persona");
  EXPECT_EQ(Settings::resolve({}, Given{{"a", "1"}}).error().message, "unknown setting \"a\"; there are none");
}

TEST(Settings, ComeFromTomlWithTheirOwnTypes) {
  const auto toml = parse_toml("dialogues = 12\ntemperature = 0.5\ngoal_prompt = true\nformat = 'text'", "a").value();
  const auto settings = Settings::resolve(table(), toml).value();
  EXPECT_EQ(settings.integer("dialogues"), 12);
  EXPECT_EQ(settings.number("temperature"), 0.5);
  EXPECT_TRUE(settings.flag("goal_prompt"));
  EXPECT_EQ(settings.text("format"), "text");
}

TEST(Settings, NameThePlaceInToml) {
  EXPECT_EQ(toml_failure("dialogues = \"12\""),
            "study.toml:1:13: \"dialogues\" should be a whole number, got the text \"12\"");
  EXPECT_EQ(toml_failure("\ndialogues = 1001"),
            "study.toml:2:13: setting \"dialogues\" should be a whole number from 1 to 1000 (dialogues), got \"1001\"");
  EXPECT_EQ(toml_failure("formt = 'text'"), "study.toml:1:9: unknown setting \"formt\"; did you mean \"format\"?");
}

TEST(Settings, BecomeTypedJson) {
  const auto settings = Settings::resolve(table(), Given{{"persona", "a \"b\""}}).value();
  EXPECT_EQ(to_text(settings.to_json()),
            R"({"dialogues":30,"temperature":1.0,"goal_prompt":false,"format":"letter","persona":"a \"b\""})");
}

TEST(Settings, UndeclaredNamesAreProgrammersErrors) {
  const auto settings = Settings::resolve(table(), Given{}).value();
  EXPECT_THROW(settings.text("nothing"), std::logic_error);
}

}  // namespace
}  // namespace valence
