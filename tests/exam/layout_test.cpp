#include "valence/exam/layout.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

namespace valence {
namespace {

std::vector<Layout> made(const LayoutDesign& design, std::size_t options) {
  return layouts_of(design, options, RandomStream(1, "layouts")).value();
}

std::vector<std::string> names(const std::vector<Layout>& layouts) {
  std::vector<std::string> out;
  for (const auto& layout : layouts) out.push_back(layout.name());
  return out;
}

using Places = std::vector<std::size_t>;

TEST(Layouts, PaperOrderIsTheItemsOwn) {
  const auto layouts = made({OrderDesign::kPaper, LabelSet::kLetters, 1}, 9);
  ASSERT_EQ(layouts.size(), 1U);
  EXPECT_EQ(layouts[0].name(), "paper, A–I");
  EXPECT_EQ(layouts[0].place, (Places{0, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(layouts[0].labels.back(), "I");
}

TEST(Layouts, BothAreThePaperOrderAndItsReverse) {
  const auto layouts = made({OrderDesign::kBoth, LabelSet::kDigits, 1}, 3);
  EXPECT_EQ(names(layouts), (std::vector<std::string>{"paper, 1–3", "reversed, 1–3"}));
  EXPECT_EQ(layouts[1].place, (Places{2, 1, 0}));
  EXPECT_EQ(layouts[1].option_at(0), 2U);
}

TEST(Layouts, RotationsAreEveryCyclicShift) {
  const auto layouts = made({OrderDesign::kRotations, LabelSet::kWords, 1}, 3);
  EXPECT_EQ(names(layouts),
            (std::vector<std::string>{"paper, first–third", "rotation 1, first–third", "rotation 2, first–third"}));
  EXPECT_EQ(layouts[1].place, (Places{1, 2, 0}));
}

TEST(Layouts, RandomOrdersAreNumbered) {
  EXPECT_EQ(names(made({OrderDesign::kRandom, LabelSet::kLetters, 2}, 4)),
            (std::vector<std::string>{"random 1, A–D", "random 2, A–D"}));
}

TEST(Layouts, RandomOrdersDependOnTheStreamOnly) {
  const LayoutDesign design{OrderDesign::kRandom, LabelSet::kLetters, 3};
  const auto of_seed = [&](std::uint64_t seed) { return layouts_of(design, 9, RandomStream(seed, "x")).value()[0].place; };
  EXPECT_EQ(of_seed(5), of_seed(5));
  EXPECT_NE(of_seed(5), of_seed(6));
}

RC_GTEST_PROP(Layouts, RandomOrdersShowEveryOptionEquallyOftenAtEveryPlace, ()) {
  const auto options = *rc::gen::inRange<std::size_t>(2, 10);
  const auto count = *rc::gen::inRange<std::size_t>(1, 40);
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  const LayoutDesign design{OrderDesign::kRandom, LabelSet::kLetters, count};
  const auto layouts = layouts_of(design, options, RandomStream(seed, "x")).value();
  RC_ASSERT(layouts.size() == count);
  std::map<std::pair<std::size_t, std::size_t>, std::size_t> visits;  // option, place
  for (const auto& layout : layouts) {
    auto sorted = layout.place;
    std::ranges::sort(sorted);
    for (std::size_t i = 0; i < options; ++i) {
      RC_ASSERT(sorted[i] == i);
      RC_ASSERT(layout.option_at(layout.place[i]) == i);
      ++visits[{i, layout.place[i]}];
    }
  }
  for (std::size_t i = 0; i < options; ++i) {
    for (std::size_t place = 0; place < options; ++place) {
      const auto times = visits[{i, place}];
      RC_ASSERT(times >= count / options);
      RC_ASSERT(times <= (count + options - 1) / options);
    }
  }
}

TEST(Layouts, MoreOptionsThanLabelsAreRefused) {
  const auto layouts = layouts_of({}, 10, RandomStream(1, "x"));
  ASSERT_FALSE(layouts);
  EXPECT_EQ(layouts.error().code, ErrorCode::kUsage);
  EXPECT_EQ(layouts.error().message, "10 options need 10 labels, but they go from A to I; use the text format");
}

TEST(Layouts, OneOptionIsNoChoice) {
  EXPECT_EQ(layouts_of({}, 1, RandomStream(1, "x")).error().message, "a choice needs at least 2 options, got 1");
}

TEST(Layouts, NoRandomOrderIsNoDesign) {
  EXPECT_EQ(layouts_of({OrderDesign::kRandom, LabelSet::kLetters, 0}, 3, RandomStream(1, "x")).error().message,
            "a random layout design needs at least 1 order, got 0");
}

TEST(Layouts, NamesAreReadBack) {
  for (const auto design : {OrderDesign::kPaper, OrderDesign::kReversed, OrderDesign::kBoth, OrderDesign::kRotations,
                            OrderDesign::kRandom}) {
    EXPECT_EQ(order_design_from(to_string(design)).value(), design);
  }
  for (const auto labels : {LabelSet::kLetters, LabelSet::kDigits, LabelSet::kWords}) {
    EXPECT_EQ(label_set_from(to_string(labels)).value(), labels);
    EXPECT_EQ(label_set_of(layouts_of({OrderDesign::kReversed, labels, 1}, 4, RandomStream(1, "x")).value().front().name()), labels);
  }
  EXPECT_EQ(order_design_from("shuffled").error().message,
            "unknown order design \"shuffled\"; it should be one of paper, reversed, both, rotations, random");
  EXPECT_EQ(label_set_from("roman").error().message,
            "unknown label set \"roman\"; it should be one of letters, digits, words");
}

}  // namespace
}  // namespace valence
