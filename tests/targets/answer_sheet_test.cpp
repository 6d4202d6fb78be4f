#include "valence/targets/answer_sheet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "support/scratch.h"

namespace valence {
namespace {

using ::testing::HasSubstr;

class Sheet : public ::testing::Test {
 protected:
  /// Puts the items to a person who types these lines, from where the file stands; returns what was shown.
  std::string ask(const std::string& lines) {
    std::istringstream in(lines);
    std::ostringstream out;
    sheet_ = open_sheet(file_, pvq40_).value();
    EXPECT_TRUE(ask_items(pvq40_, sheet_, file_, in, out));
    return out.str();
  }
  std::string error(std::string_view content) {
    testing::put_file(file_, content);
    const auto sheet = open_sheet(file_, pvq40_);
    return sheet ? "no error" : sheet.error().message.substr(folder_.path().string().size() + 1);
  }
  testing::Scratch folder_;
  std::filesystem::path file_ = folder_ / "me.json";
  Questionnaire pvq40_ = load_questionnaire("pvq40").value();
  AnswerSheet sheet_;
};

std::string lines(int count, const std::string& line) {
  std::string all;
  for (int i = 0; i < count; ++i) all += line + "\n";
  return all;
}

TEST_F(Sheet, IsFilledItemByItem) {
  const auto shown = ask(lines(20, "5") + lines(20, "2"));
  EXPECT_TRUE(sheet_.complete());
  EXPECT_EQ(sheet_.answered(), 40u);
  EXPECT_EQ(sheet_.answers()[19], 5.0);
  EXPECT_EQ(sheet_.answers()[20], 2.0);
  EXPECT_THAT(shown, HasSubstr("40/40  It is important to me to adapt to nature"));
}

TEST_F(Sheet, GoesOnWhereItStopped) {
  ask(lines(12, "4"));  // the input ends
  EXPECT_EQ(sheet_.seen(), 12u);
  EXPECT_FALSE(sheet_.complete());
  const auto shown = ask("3\nq\n5\n");
  EXPECT_THAT(shown, HasSubstr("12 of 40 were put to you before."));
  EXPECT_THAT(shown, HasSubstr("\n13/40  "));
  EXPECT_EQ(sheet_.seen(), 13u);
  EXPECT_EQ(open_sheet(file_, pvq40_)->answers()[12], 3.0);
}

TEST_F(Sheet, IsSavedAfterEachAnswer) {
  ask("6\n");
  EXPECT_EQ(testing::content_of(file_), "{\n \"questionnaire\": \"pvq40\",\n \"answers\": {\n  \"1\": 6\n }\n}\n");
}

TEST_F(Sheet, SkipsGoesBackAndAsksAgain) {
  const auto shown = ask("-\n7\nmaybe\n\n2\nb\n5\n1\n");
  EXPECT_THAT(shown, HasSubstr("please answer with a whole number from 1 to 6, - to skip, b to go back, q to stop"));
  EXPECT_EQ(sheet_.seen(), 3u);
  EXPECT_EQ(sheet_.answered(), 2u);
  EXPECT_TRUE(std::isnan(sheet_.answers()[0]));
  EXPECT_EQ(sheet_.answers()[1], 5.0);
  EXPECT_EQ(sheet_.answers()[2], 1.0);
  ask("");
  EXPECT_EQ(sheet_.seen(), 3u);  // a skipped item is not put again
}

TEST_F(Sheet, OfAnotherQuestionnaireIsRefused) {
  EXPECT_EQ(error("{\"questionnaire\": \"pvq21\", \"answers\": {}}"),
            "me.json:1:19: these are answers to pvq21, not to pvq40; keep them apart with another --answers");
  EXPECT_EQ(error("{\"questionnaire\": \"pvq40\", \"answers\": {\"41\": 3}}"),
            "me.json:1:46: pvq40 has no item \"41\"");
  EXPECT_EQ(error("{\"questionnaire\": \"pvq40\", \"answers\": {\"4\": 9}}"),
            "me.json:1:45: an answer should be a whole number from 1 to 6, or null, got 9");
  EXPECT_EQ(error("{\"questionnaire\": \"pvq40\", \"answers\": {\"4\": null}}"), "no error");
}

}  // namespace
}  // namespace valence
