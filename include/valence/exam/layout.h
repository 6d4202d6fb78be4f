#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/random.h"
#include "valence/base/result.h"

namespace valence {

enum class LabelSet { kLetters, kDigits, kWords };  ///< A–I, 1–9, "first"–"ninth"

/// Its labels in order.
std::span<const std::string_view> labels_of(LabelSet set);

enum class OrderDesign {
  kPaper,      ///< the item's own order only
  kReversed,   ///< the reverse only
  kBoth,       ///< the item's own order and its reverse
  kRotations,  ///< every cyclic shift (a stress test for ordered scales); the first is the paper's order
  kRandom,     ///< `count` seeded permutations, rows of random Latin squares: no option visits a place twice more than
               ///< another place (with a multiple of the options, exactly equally often)
};

/// In which arrangements a question is put.
struct LayoutDesign {
  OrderDesign orders = OrderDesign::kBoth;
  LabelSet labels = LabelSet::kLetters;
  std::size_t count = 1;  ///< permutations, for kRandom
};

/// One arrangement: option i stands at place[i] under labels[place[i]].
struct Layout {
  std::vector<std::size_t> place;
  std::vector<std::string> labels;  ///< by place
  std::string order_name;           ///< "paper", "reversed", "rotation 3", "random 2"

  std::size_t option_at(std::size_t shown) const;
  std::string name() const;  ///< "reversed, A–I"; the order alone where there are no labels
};

/// All layouts of a design for `options` options. `stream` is read by kRandom only.
/// kUsage when there are fewer than 2 options, more than the 9 labels, or no random order is asked for.
Result<std::vector<Layout>> layouts_of(const LayoutDesign& design, std::size_t options, RandomStream stream);
/// The same without labels, of any number of options.
Result<std::vector<Layout>> unlabelled_layouts(const LayoutDesign& design, std::size_t options, RandomStream stream);

Result<OrderDesign> order_design_from(std::string_view text);
Result<LabelSet> label_set_from(std::string_view text);
/// The label set of a layout by its `name()`; none for a layout without labels.
std::optional<LabelSet> label_set_of(std::string_view layout_name);
std::string_view to_string(OrderDesign design);
std::string_view to_string(LabelSet labels);

}  // namespace valence
