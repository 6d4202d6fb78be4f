#include "valence/exam/layout.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "valence/base/names.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::size_t kMostLabels = 9;

using Labels = std::array<std::string_view, kMostLabels>;
constexpr Labels kLetters{"A", "B", "C", "D", "E", "F", "G", "H", "I"};
constexpr Labels kDigits{"1", "2", "3", "4", "5", "6", "7", "8", "9"};
constexpr Labels kWords{"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"};

std::vector<std::size_t> identity(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

std::vector<std::size_t> reversal(std::size_t count) {
  auto order = identity(count);
  std::ranges::reverse(order);
  return order;
}

std::vector<std::size_t> rotation(std::size_t count, std::size_t by) {
  auto order = identity(count);
  for (auto& place : order) place = (place + by) % count;
  return order;
}

using Order = std::pair<std::string, std::vector<std::size_t>>;  // name, place of each option

/// Rows of random Latin squares: option i of row s stands at places[(options[i] + s) mod n], so n rows in a row show
/// every option once at every place. Options and places are permuted, else neighbours would stay neighbours.
std::vector<Order> random_orders(std::size_t options, std::size_t count, const RandomStream& stream) {
  std::vector<Order> orders;
  for (std::size_t square = 0; orders.size() < count; ++square) {
    auto draw = stream.substream("latin square", square);
    const auto row_of = draw.permutation(options);
    const auto place_of = draw.permutation(options);
    const auto shifts = draw.permutation(options);
    for (std::size_t k = 0; k < options && orders.size() < count; ++k) {
      std::vector<std::size_t> place;
      for (const auto row : row_of) place.push_back(place_of[(row + shifts[k]) % options]);
      orders.emplace_back(fmt::format("random {}", orders.size() + 1), std::move(place));
    }
  }
  return orders;
}

std::vector<Order> rotated_orders(std::size_t options) {
  std::vector<Order> orders{{"paper", identity(options)}};
  for (std::size_t by = 1; by < options; ++by)
    orders.emplace_back(fmt::format("rotation {}", by), rotation(options, by));
  return orders;
}

std::vector<Order> orders_of(const LayoutDesign& design, std::size_t options, const RandomStream& stream) {
  switch (design.orders) {
    case OrderDesign::kReversed:
      return {{"reversed", reversal(options)}};
    case OrderDesign::kBoth:
      return {{"paper", identity(options)}, {"reversed", reversal(options)}};
    case OrderDesign::kRotations:
      return rotated_orders(options);
    case OrderDesign::kRandom:
      return random_orders(options, design.count, stream);
    case OrderDesign::kPaper:
      break;
  }
  return {{"paper", identity(options)}};
}

constexpr Names<OrderDesign, 5> kOrderNames{{{OrderDesign::kPaper, "paper"},
                                             {OrderDesign::kReversed, "reversed"},
                                             {OrderDesign::kBoth, "both"},
                                             {OrderDesign::kRotations, "rotations"},
                                             {OrderDesign::kRandom, "random"}}};
constexpr Names<LabelSet, 3> kLabelNames{
    {{LabelSet::kLetters, "letters"}, {LabelSet::kDigits, "digits"}, {LabelSet::kWords, "words"}}};

Result<void> check(const LayoutDesign& design, std::size_t options) {
  if (options < 2) return fail(ErrorCode::kUsage, "a choice needs at least 2 options, got {}", options);
  if (design.orders == OrderDesign::kRandom && design.count == 0) {
    return fail(ErrorCode::kUsage, "a random layout design needs at least 1 order, got 0");
  }
  return {};
}

}  // namespace

std::span<const std::string_view> labels_of(LabelSet set) {
  switch (set) {
    case LabelSet::kDigits:
      return kDigits;
    case LabelSet::kWords:
      return kWords;
    case LabelSet::kLetters:
      break;
  }
  return kLetters;
}

std::size_t Layout::option_at(std::size_t shown) const {
  return static_cast<std::size_t>(std::ranges::find(place, shown) - place.begin());
}

std::string Layout::name() const {
  if (labels.empty()) return order_name;
  return fmt::format("{}, {}–{}", order_name, labels.front(), labels.back());
}

Result<std::vector<Layout>> unlabelled_layouts(const LayoutDesign& design, std::size_t options, RandomStream stream) {
  VALENCE_CHECK(check(design, options));
  std::vector<Layout> layouts;
  for (auto& [name, place] : orders_of(design, options, stream)) layouts.push_back({std::move(place), {}, name});
  return layouts;
}

Result<std::vector<Layout>> layouts_of(const LayoutDesign& design, std::size_t options, RandomStream stream) {
  const auto all = labels_of(design.labels);
  if (options > all.size()) {
    return fail(ErrorCode::kUsage, "{} options need {} labels, but they go from {} to {}; use the text format", options,
                options, all.front(), all.back());
  }
  VALENCE_TRY(auto layouts, unlabelled_layouts(design, options, std::move(stream)));
  for (auto& layout : layouts) layout.labels.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(options));
  return layouts;
}

Result<OrderDesign> order_design_from(std::string_view text) { return value_of(kOrderNames, "order design", text); }
Result<LabelSet> label_set_from(std::string_view text) { return value_of(kLabelNames, "label set", text); }

std::optional<LabelSet> label_set_of(std::string_view layout_name) {
  const auto comma = layout_name.rfind(", ");
  if (comma == std::string_view::npos) return std::nullopt;
  for (const auto set : {LabelSet::kLetters, LabelSet::kDigits, LabelSet::kWords}) {
    if (layout_name.substr(comma + 2).starts_with(fmt::format("{}–", labels_of(set).front()))) return set;
  }
  return std::nullopt;
}

std::string_view to_string(OrderDesign design) { return name_of(kOrderNames, design); }
std::string_view to_string(LabelSet labels) { return name_of(kLabelNames, labels); }

}  // namespace valence
