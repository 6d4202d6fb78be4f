#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/csv.h"
#include "valence/base/result.h"

namespace valence {

/// Whether a row belongs to a subgroup. What a missing answer would have said is unknown, and stays so under "not".
enum class Truth { kNo, kUnknown, kYes };

/// Codes that mean "no answer" in a column: "999" in a column of ages. An empty cell always does.
using UnknownCodes = std::map<std::string, std::vector<std::string>>;

struct FilterNode;

/// Which rows of a survey's table make up a subgroup: `cntry == "GB" and agea >= 18 and agea < 30`.
///
///   expression:  comparisons joined by `and`, `or`, `not` and parentheses (`not` binds tightest, `or` least)
///   comparison:  COLUMN == | != | < | <= | > | >= VALUE, or COLUMN in (VALUE, VALUE, …)
///   VALUE:       a number, or text in double or single quotes (== , != and `in` only)
class Filter {
 public:
  /// Takes every row.
  Filter() = default;
  /// Fails with kUsage, the character (from 1) and what was expected there. An empty text takes every row.
  static Result<Filter> parse(std::string_view text);

  /// One truth value per row. Fails with kUsage on a column that the table lacks, and on a cell that is no number where
  /// one is compared, naming file, line and column.
  Result<std::vector<Truth>> test(const CsvTable& table, const UnknownCodes& unknown = {}) const;

 private:
  std::shared_ptr<const FilterNode> root_;
};

}  // namespace valence
