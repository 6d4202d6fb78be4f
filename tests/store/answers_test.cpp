#include "valence/store/answers.h"

#include <gtest/gtest.h>

namespace valence {
namespace {

AnswerRow row_of(std::string unit, std::vector<double> probability) {
  AnswerRow row;
  row.unit = std::move(unit);
  row.probability = std::move(probability);
  return row;
}

TEST(AnswerTable, UnitsAreDistinctInOrderOfFirstAppearance) {
  const AnswerTable table{"svo", {row_of("b", {}), row_of("a", {}), row_of("b", {}), row_of("c", {})}, {row_of("probe", {})}};
  EXPECT_EQ(table.units(), (std::vector<std::string>{"b", "a", "c"}));
  EXPECT_TRUE(AnswerTable{}.units().empty());
}

TEST(UniformResponder, GivesEveryOptionTheSameProbability) {
  const AnswerTable table{"svo", {row_of("a", {0.9, 0.1}), row_of("b", {1.0, 0.0, 0.0, 0.0})}, {row_of("p", {0.7, 0.3})}};
  const auto uniform = uniform_responder(table);
  EXPECT_EQ(uniform.rows[0].probability, (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(uniform.rows[1].probability, (std::vector<double>(4, 0.25)));
  EXPECT_EQ(uniform.rows[0].unit, "a");
  EXPECT_EQ(uniform.probes[0].probability, (std::vector<double>{0.7, 0.3}));  // the gate's questions are no answers
}

TEST(UniformResponder, LeavesAnswersWithoutProbabilitiesAlone) {
  auto refused = row_of("a", {});
  refused.status = Status::kRefused;
  const auto uniform = uniform_responder({"svo", {refused}, {}});
  EXPECT_TRUE(uniform.rows[0].probability.empty());
  EXPECT_EQ(uniform.rows[0].status, Status::kRefused);
}

TEST(AnswerWords, GoToTextAndBack) {
  for (const auto status : {Status::kScored, Status::kRefused, Status::kUnparseable, Status::kError}) {
    EXPECT_EQ(status_from(to_string(status)).value(), status);
  }
  for (const auto route : {Route::kExact, Route::kSampled, Route::kGiven}) {
    EXPECT_EQ(route_from(to_string(route)).value(), route);
  }
  for (const auto format : {AnswerFormat::kLetter, AnswerFormat::kText}) {
    EXPECT_EQ(format_from(to_string(format)).value(), format);
  }
  EXPECT_EQ(to_string(Status::kUnparseable), "unparseable");
  EXPECT_EQ(to_string(Route::kExact), "exact");
  EXPECT_EQ(to_string(AnswerFormat::kText), "text");
}

TEST(AnswerWords, UnknownOnesNameTheKnown) {
  EXPECT_EQ(status_from("done").error().message,
            "unknown status \"done\"; it should be one of scored, refused, unparseable, error");
  EXPECT_EQ(route_from("").error().message, "unknown route \"\"; it should be one of exact, sampled, given, read");
  EXPECT_EQ(format_from("Letter").error().message, "unknown answer format \"Letter\"; it should be one of letter, text");
  EXPECT_EQ(status_from("done").error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace valence
