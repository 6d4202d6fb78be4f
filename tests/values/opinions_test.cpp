#include "valence/values/opinions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "opinions_read.h"
#include "support/scratch.h"
#include "support/shared_data.h"

namespace valence {
namespace {

using ::testing::ElementsAre;

constexpr std::string_view kCsv =
    "group,question,option,share\n"
    "Aland,How many?,None,0.5\nAland,How many?,Some,0.25\nAland,How many?,All,0.15\nAland,How many?,DK,0.1\n"
    "Bland,How many?,None,0.1\nBland,How many?,Some,0.2\nBland,How many?,All,0.6\nBland,How many?,DK,0.1\n"
    "Aland,Why?,Because,1\nBland,Whence?,There,1\n";

class Opinions : public ::testing::Test {
 protected:
  std::filesystem::path file(std::string_view content, std::string_view name = "o.csv") {
    testing::put_file(folder_ / name, content);
    return folder_ / name;
  }
  std::string error(std::string_view content, const OpinionOptions& options, std::string_view name = "o.csv") {
    const auto target = import_opinions(file(content, name), options);
    return target ? "no error" : target.error().message.substr(folder_.path().string().size() + 1);
  }
  testing::Scratch folder_;
};

TEST_F(Opinions, OfOneGroupAreRead) {
  const auto target = import_opinions(file(kCsv), {.group = "Aland"}).value();
  ASSERT_EQ(target.questions.size(), 2u);
  EXPECT_EQ(target.questions[0].question, "How many?");
  EXPECT_THAT(target.questions[0].options, ElementsAre("None", "Some", "All", "DK"));
  EXPECT_THAT(target.questions[0].share, ElementsAre(0.5, 0.25, 0.15, 0.1));
}

TEST_F(Opinions, WithoutNonAnswersComeBackToOne) {
  const auto target = import_opinions(file(kCsv), {.group = "Aland", .ordered = true, .drop = {"DK"}}).value();
  EXPECT_THAT(target.questions[0].options, ElementsAre("None", "Some", "All"));
  EXPECT_NEAR(target.questions[0].share[0], 0.5 / 0.9, 1e-12);
  EXPECT_NEAR(target.questions[0].dropped, 0.1, 1e-12);
  EXPECT_EQ(error(kCsv, {.group = "Aland", .drop = {"Refused"}}),
            "o.csv: no question of Aland has the option \"Refused\" to drop");
}

TEST_F(Opinions, GapIsOverSharedQuestions) {
  const auto a = import_opinions(file(kCsv), {.group = "Aland", .ordered = true, .drop = {"DK"}}).value();
  const auto b = import_opinions(file(kCsv), {.group = "Bland", .ordered = true, .drop = {"DK"}}).value();
  const auto gap = opinion_gap(a, b).value();
  EXPECT_EQ(gap.gap.questions, 1u);
  EXPECT_EQ(gap.only_first, 1u);
  EXPECT_EQ(gap.only_second, 1u);
  EXPECT_NEAR(gap.gap.wasserstein, ((5.0 - 1.0) / 9.0 + (7.5 - 3.0) / 9.0) / 2.0, 1e-12);  // Σ|F − G| / 2
  EXPECT_EQ(opinion_gap(a, a)->gap.jensen_shannon, 0.0);
}

TEST_F(Opinions, WithoutSharedQuestionsHaveNoGap) {
  auto a = import_opinions(file(kCsv), {.group = "Aland", .drop = {"DK"}}).value();
  const auto b = import_opinions(file(kCsv), {.group = "Bland"}).value();
  a.id = "a";
  auto named = b;
  named.id = "b";
  EXPECT_EQ(opinion_gap(a, named).error().message, "a and b share no question with the same options");
}

TEST_F(Opinions, RoundTrip) {
  auto target = import_opinions(file(kCsv), {.group = "Aland", .ordered = true, .drop = {"DK"}}).value();
  target.id = "aland";
  target.label = "Aland's \"own\" view";
  target.provenance = {"citation", "licence", "note"};
  const auto again = read_opinion_target(file(to_text(to_json(target)), "t.json"));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_text(to_json(*again)), to_text(to_json(target)));
}

TEST_F(Opinions, AreATargetWithoutScores) {
  auto people = import_opinions(file(kCsv), {.group = "Aland", .ordered = true, .drop = {"DK"}}).value();
  people.id = "aland";
  people.label = "Aland's view";
  people.provenance = {"citation", "licence", "note"};
  const auto name = file(to_text(to_json(people)), "t.json").string();
  const auto target = load_any_target(name, "");
  ASSERT_TRUE(target) << target.error().message;
  EXPECT_EQ(target->id, "aland");
  EXPECT_EQ(target->label, "Aland's view");
  EXPECT_EQ(target->space, "opinions");
  EXPECT_TRUE(target->values.empty());
  ASSERT_TRUE(target->opinions);
  EXPECT_EQ(to_text(to_json(*target->opinions)), to_text(to_json(people)));
  auto other = people;
  std::swap(other.questions[0].share[0], other.questions[0].share[1]);
  EXPECT_NE(identity_text(as_target(other)), identity_text(*target));
  EXPECT_EQ(load_any_target(name, "centre").error().message,
            name + ": maps are for targets of scores, and this holds answer distributions; leave \"centre\" out");
  EXPECT_EQ(narrowed(*target, std::vector<std::string>{"power"}).error().message,
            "target aland holds answer distributions and has no dimensions; name none of them");
  EXPECT_EQ(load_target(name).error().message,
            name +
                ": a .json file holds answer distributions, and a target of scores is wanted here (valence target "
                "list); gap, compare and align choice opinions take answer distributions");
}

TEST_F(Opinions, OfScoresIsTheTargetItself) {
  const auto target = load_any_target("ess11_fr", "").value();
  EXPECT_FALSE(target.opinions);
  EXPECT_EQ(identity_text(target), to_toml(target));
}

TEST_F(Opinions, ErrorsNameThePlace) {
  const std::string head = "group,question,option,share\n";
  EXPECT_EQ(error(head + "A,q,x,0.5\nA,q,y,0.4\n", {.group = "A"}),
            "o.csv:2: shares should sum to 1 within 0.02, got 0.900");
  EXPECT_EQ(error(head + "A,q,x,1.5\nA,q,y,-0.5\n", {.group = "A"}), "o.csv:2: a share should be at least 0, got -0.5");
  EXPECT_EQ(error(head + "A,q,x,0.5\nA,q,x,0.5\n", {.group = "A"}), "o.csv:2: an option stands twice");
  EXPECT_EQ(error(head + "A,q,x,half\n", {.group = "A"}), "o.csv:2, column \"share\": expected a number, got \"half\"");
  EXPECT_EQ(error(kCsv, {.group = "Alnad"}), "o.csv: no answers of \"Alnad\"; did you mean \"Aland\"?");
  EXPECT_EQ(error("[{\"question\": \"q\", \"options\": [\"x\"], \"distribution\": [1]}]", {.group = "A"}, "o.json"),
            "o.json:1:2: a record needs \"attribute\" or \"country\" or \"group\"");
  EXPECT_EQ(error("[{\"question\": \"q\", \"group\": \"A\", \"options\": [\"x\"], \"distribution\": [0.5, 0.5]}]",
                  {.group = "A"}, "o.json"),
            "o.json:1:2: 1 options and 2 shares");
}

// README of the shared data, §2: 1676 records, 92 questions, 128 countries; 131, 430, 646 and 469 of two to five
// options; sums to 1 ± .02.
TEST(GlobalOpinions, HaveTheStatedCountsAndImport) {
  const auto file = testing::shared_data("globalopinionqa/vital_distributional_globalopinionqa.json");
  VALENCE_NEED_SHARED(file);
  const auto records = read_opinion_records(file).value();
  EXPECT_EQ(records.size(), 1676u);
  std::set<std::string> questions, groups;
  std::map<std::size_t, int> options;
  for (const auto& record : records) {
    questions.insert(record.question);
    groups.insert(record.group);
    ++options[record.options.size()];
  }
  EXPECT_EQ(questions.size(), 92u);
  EXPECT_EQ(groups.size(), 128u);
  EXPECT_EQ(options, (std::map<std::size_t, int>{{2, 131}, {3, 430}, {4, 646}, {5, 469}}));
  std::size_t imported = 0;
  for (const auto& group : groups) {
    const auto target = import_opinions(file, {.group = group});
    ASSERT_TRUE(target) << target.error().message;
    imported += target->questions.size();
    if (imported > 200) break;  // each import reads the file again
  }
  EXPECT_GT(imported, 200u);
}

}  // namespace
}  // namespace valence
