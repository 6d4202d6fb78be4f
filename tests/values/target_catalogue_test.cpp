#include "target_catalogue.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/scratch.h"
#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/stats/correlation.h"

namespace valence {
namespace {

using testing::Scratch;

const std::vector<std::string> kCountries = {"at", "be", "bg", "cy", "cz", "fi", "fr", "gr", "nl", "hr", "pl", "lv",
                                             "lt", "hu", "de", "it", "pt", "es", "se", "sk", "si", "ee", "ie"};

/// A catalogue of two columns of the ring's space, so that it fits a test.
class Catalogue : public ::testing::Test {
 protected:
  std::string error(std::string_view csv, std::string_view more = "") {
    testing::put_file(folder_ / "c.csv", csv);
    testing::put_file(folder_ / "c.toml", std::string(R"toml(csv = "c.csv"
space = "schwartz10"
scale = "centred"
key = "country"
id = "x_{key}"
label = "{name}"
count = "n"
provenance = { citation = "c", licence = "l" }
names = { AA = "Aland", BB = "Bland" }
)toml") + std::string(more) + R"toml(
[columns]
self_direction = "v"
stimulation = "v"
hedonism = "v"
achievement = "v"
power = "v"
security = "v"
tradition = "w"
conformity = "v"
benevolence = "v"
universalism = "v"
)toml");
    targets_ = read_target_catalogue(folder_ / "c.toml");
    return targets_ ? "no error" : targets_.error().message.substr(folder_.path().string().size() + 1);
  }
  Scratch folder_;
  Result<std::vector<Target>> targets_;
};

TEST_F(Catalogue, HasOneTargetPerRowAndAnEmptyCellIsLeftOut) {
  ASSERT_EQ(error("country,n,v,w\nAA,10,.5,\nBB,20,-.5,1\n"), "no error");
  ASSERT_EQ(targets_->size(), 2u);
  EXPECT_EQ(targets_->front().id, "x_aa");
  EXPECT_EQ(targets_->front().label, "Aland");
  EXPECT_EQ(targets_->front().respondents, 10u);
  EXPECT_EQ(targets_->front().value("power"), .5);
  EXPECT_TRUE(std::isnan(targets_->front().value("tradition").value()));
  EXPECT_EQ(targets_->back().value("tradition"), 1.0);
}

TEST_F(Catalogue, ErrorsNameTheRow) {
  EXPECT_EQ(error("country,n,v,w\nAA,10,.5,x\n"), "c.csv:2, column \"w\": expected a number, got \"x\"");
  EXPECT_EQ(error("country,n,v,w\nAA,10,.5,1\nAA,10,.5,1\n"), "c.csv:3: a second row makes the target \"x_aa\"");
  EXPECT_EQ(error("country,n,v,w\nAA,1.5,.5,1\n"), "c.csv:2: \"n\" should be a whole number of respondents, got 1.5");
  EXPECT_EQ(error("country,n,v,w\nAA,10,,\n"), "c.csv:2: a target needs a value on at least one dimension");
}

TEST_F(Catalogue, ErrorsInTheTomlNameTheKey) {
  EXPECT_EQ(error("country,n,v,w\nAA,10,.5,1\n", "shpace = 3\n"),
            "c.toml:10:10: unknown key \"shpace\"; did you mean \"space\"?");
}

// Spec §7 fact 7: with item weights 2 and 3 the centred means of a country cancel but for missing answers.
TEST(EssCountries, CentredMeansCancelByNumberOfItems) {
  ASSERT_EQ(kCountries.size(), 23u);
  for (const auto& country : kCountries) {
    const auto target = load_target("ess11_" + country).value();
    EXPECT_EQ(target.scale, ScoreScale::kCentred);
    EXPECT_GT(target.respondents, 500u);
    double sum = 0.0;
    for (const auto& [dimension, value] : target.values) sum += (dimension == "universalism" ? 3.0 : 2.0) * value;
    EXPECT_NEAR(sum, 0.0, 0.04) << country;
  }
}

// Spec §5: the CSV has conformity before tradition, and is read by name.
TEST(EssCountries, FranceIsReadByName) {
  const auto france = load_target("ess11_fr").value();
  EXPECT_EQ(france.value("conformity"), -.3019);
  EXPECT_EQ(france.value("tradition"), .1064);
  EXPECT_EQ(france.value("achievement"), -1.0136);
  EXPECT_EQ(france.label, "France, European Social Survey round 11");
}

TEST(EssCountries, AreTheFiguresOfTheirFile) {
  const auto table = read_csv(data_folder().value() / "targets" / "catalogues" / "ess11_country_means_23.csv").value();
  ASSERT_EQ(table.rows.size(), 23u);
  const std::vector<std::pair<std::string, std::string>> columns = {
      {"SD", "self_direction"}, {"ST", "stimulation"}, {"HE", "hedonism"},  {"AC", "achievement"},
      {"PO", "power"},          {"SE", "security"},    {"TR", "tradition"}, {"CO", "conformity"},
      {"BE", "benevolence"},    {"UN", "universalism"}};
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto target = load_target("ess11_" + kCountries[row]).value();
    for (const auto& [column, dimension] : columns) {
      const auto& cell = table.rows[row][table.column(column).value()];
      EXPECT_EQ(target.value(dimension), parse_number(cell, "csv").value()) << kCountries[row] << " " << dimension;
    }
  }
}

// Spec §4: FULCRA's country targets are a linear image of the survey's centred means, slope about 1/2.5.
TEST(EssCountries, AgreeWithFulcrasCountries) {
  const auto line = [](const std::string& survey, const std::string& published) {
    const auto from = load_target(survey).value(), to = load_target(published).value();
    std::vector<double> x, y;
    for (std::size_t d = 0; d < 10; ++d) {
      x.push_back(from.values[d].second);
      y.push_back(to.values[d].second);
    }
    double mx = 0.0, my = 0.0, xx = 0.0, xy = 0.0;
    for (std::size_t d = 0; d < 10; ++d) mx += x[d] / 10, my += y[d] / 10;
    for (std::size_t d = 0; d < 10; ++d) xx += (x[d] - mx) * (x[d] - mx), xy += (x[d] - mx) * (y[d] - my);
    return std::pair(stats::pearson(x, y), xy / xx);
  };
  EXPECT_NEAR(line("ess11_fr", "fulcra_fr").first, .9975, 5e-5);
  EXPECT_NEAR(line("ess11_fr", "fulcra_fr").second, .4195, 5e-5);
  EXPECT_NEAR(line("ess11_nl", "fulcra_nl").first, .9789, 5e-5);
  EXPECT_NEAR(line("ess11_nl", "fulcra_nl").second, .336, 5e-4);
}

}  // namespace
}  // namespace valence
