#include "valence/evaluate/touche.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "support/scratch.h"
#include "valence/base/files.h"

namespace valence {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Touche : public ::testing::Test {
 protected:
  void SetUp() override {
    put("arguments-training.tsv",
        "Argument ID\tConclusion\tStance\tPremise\nA1\tWe should ban \"cloning\"\tin favor of\tit is risky\n");
    put("labels-training.tsv", header() + "A1" + cells({0, 9}) + "\n");
  }

  void put(const std::string& file, const std::string& text) { ASSERT_TRUE(write_file(scratch_ / file, text)); }

  static std::string header() {
    std::string line = "Argument ID";
    const auto space = load_space("touche20").value();
    for (const auto& category : space.dimensions) line += "\t" + category.label;
    return line + "\n";
  }
  static std::string cells(const std::set<int>& present, const std::string& one = "1") {
    std::string line;
    for (int c = 0; c < 20; ++c) line += "\t" + (present.contains(c) ? one : std::string("0"));
    return line;
  }

  Result<LabelledData> read() { return read_touche(scratch_.path(), names_, TouchePart::kTraining); }

  testing::Scratch scratch_;
  DimensionNames names_ = dimension_names(load_space("schwartz10").value()).value();
};

TEST_F(Touche, ArgumentsAreResponsesToTheirConclusion) {
  const auto data = read().value();
  ASSERT_EQ(data.rows.size(), 1u);
  EXPECT_EQ(data.rows[0].text.prompt, "Argue in favor of: We should ban \"cloning\"");
  EXPECT_EQ(data.rows[0].text.response, "it is risky");
  // Self-direction: thought, and Security: societal.
  EXPECT_THAT(data.rows[0].labels, ElementsAre(1, 0, 0, 0, 0, 1, 0, 0, 0, 0));
}

TEST_F(Touche, ValidationArgumentsHaveFilesOfTheirOwn) {
  const auto absent = read_touche(scratch_.path(), names_, TouchePart::kValidation);
  EXPECT_THAT(absent.error().message, HasSubstr("arguments-validation.tsv"));
  put("arguments-validation.tsv", "Argument ID\tConclusion\tStance\tPremise\nV1\tWe should sing\tagainst\tit is loud\n");
  put("labels-validation.tsv", header() + "V1" + cells({19}) + "\n");
  const auto data = read_touche(scratch_.path(), names_, TouchePart::kValidation).value();
  ASSERT_EQ(data.rows.size(), 1u);
  EXPECT_EQ(data.rows[0].text.prompt, "Argue against: We should sing");
  EXPECT_THAT(data.rows[0].labels, ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 1));
}

TEST_F(Touche, MistakesAreNamedByPlace) {
  put("labels-training.tsv", header() + "A2" + cells({0}) + "\n");
  EXPECT_THAT(read().error().message, HasSubstr("arguments-training.tsv:2: argument A1 has no labels"));
  put("labels-training.tsv", header() + "A1" + cells({0}, "x") + "\n");
  EXPECT_THAT(read().error().message, HasSubstr("labels-training.tsv:2: a label should be 0 or 1, got \"x\""));
  put("labels-training.tsv", "Argument ID\tCourage\nA1\t1\n");
  EXPECT_THAT(read().error().message, HasSubstr("\"Courage\" is no category of "));
  names_.space = "svo_ring";
  EXPECT_EQ(read().error().message, "Touché's arguments are labelled in schwartz10, not in svo_ring");
}

}  // namespace
}  // namespace valence
