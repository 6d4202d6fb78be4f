#include "valence/targets/filter.h"

#include <algorithm>

#include "filter_tree.h"
#include "valence/base/text.h"

namespace valence {
namespace {

bool holds(Comparison comparison, double cell, double value) {
  switch (comparison) {
    case Comparison::kEqual:
      return cell == value;
    case Comparison::kUnequal:
      return cell != value;
    case Comparison::kBelow:
      return cell < value;
    case Comparison::kAtMost:
      return cell <= value;
    case Comparison::kAbove:
      return cell > value;
    case Comparison::kAtLeast:
      return cell >= value;
  }
  return false;
}

Truth truth_of(bool holds) { return holds ? Truth::kYes : Truth::kNo; }

Truth negated(Truth truth) { return truth == Truth::kUnknown ? Truth::kUnknown : truth_of(truth == Truth::kNo); }

/// A table as a filter sees it.
struct Rows {
  const CsvTable& table;
  const UnknownCodes& unknown;

  bool is_unknown(const std::string& column, const std::string& cell) const {
    const auto codes = unknown.find(column);
    return cell.empty() || (codes != unknown.end() &&
                            std::find(codes->second.begin(), codes->second.end(), cell) != codes->second.end());
  }
};

Result<bool> matches(const Rows& rows, std::size_t row, const FilterNode& node, const std::string& cell,
                     const FilterValue& value) {
  if (const auto* text = std::get_if<std::string>(&value))
    return (cell == *text) == (node.comparison == Comparison::kEqual);
  VALENCE_TRY(const double number,
              parse_number(cell, fmt::format("{}, column \"{}\"", rows.table.where(row), node.column)));
  return holds(node.comparison, number, std::get<double>(value));
}

Result<Truth> compared(const Rows& rows, std::size_t row, const FilterNode& node) {
  VALENCE_TRY(const auto column, rows.table.column(node.column));
  const auto cell = trim(rows.table.rows[row][column]);
  if (rows.is_unknown(node.column, cell)) return Truth::kUnknown;
  for (const auto& value : node.values) {  // one for a comparison; `in` is equality with any
    VALENCE_TRY(const bool match, matches(rows, row, node, cell, value));
    if (match) return Truth::kYes;
  }
  return Truth::kNo;
}

/// Kleene's three-valued logic: Truth is ordered no < unknown < yes, so `and` is the least and `or` the greatest.
Result<Truth> evaluate(const Rows& rows, std::size_t row, const FilterNode& node) {
  if (node.children.empty()) return compared(rows, row, node);
  VALENCE_TRY(const auto first, evaluate(rows, row, node.children.front()));
  if (node.kind == FilterNode::Kind::kNot) return negated(first);
  VALENCE_TRY(const auto second, evaluate(rows, row, node.children.back()));
  return node.kind == FilterNode::Kind::kAnd ? std::min(first, second) : std::max(first, second);
}

}  // namespace

Result<Filter> Filter::parse(std::string_view text) {
  Filter filter;
  if (trim(text).empty()) return filter;
  VALENCE_TRY(auto root, parse_filter(text));
  filter.root_ = std::make_shared<const FilterNode>(std::move(root));
  return filter;
}

Result<std::vector<Truth>> Filter::test(const CsvTable& table, const UnknownCodes& unknown) const {
  std::vector<Truth> truths(table.rows.size(), Truth::kYes);
  if (root_ == nullptr) return truths;
  const Rows rows{table, unknown};
  for (std::size_t row = 0; row < truths.size(); ++row) {
    VALENCE_TRY(truths[row], evaluate(rows, row, *root_));
  }
  return truths;
}

}  // namespace valence
