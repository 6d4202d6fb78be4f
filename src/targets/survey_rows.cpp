#include "survey_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "valence/base/text.h"

namespace valence {
namespace {

constexpr double kNoAnswer = std::numeric_limits<double>::quiet_NaN();

bool has_column(const CsvTable& table, const std::string& name) {
  return std::find(table.columns.begin(), table.columns.end(), name) != table.columns.end();
}

/// Columns of the items, all with the same suffix.
Result<std::vector<std::size_t>> item_columns(const CsvTable& table, const SurveyForm& form) {
  for (const auto& suffix : form.suffixes) {
    const bool all = std::all_of(form.items.begin(), form.items.end(),
                                 [&](const auto& item) { return has_column(table, item.column + suffix); });
    if (!all) continue;
    std::vector<std::size_t> columns;
    for (const auto& item : form.items) {
      VALENCE_TRY(const auto column, table.column(item.column + suffix));
      columns.push_back(column);
    }
    return columns;
  }
  const auto has = [&](const SurveyItem& item) {
    return std::any_of(form.suffixes.begin(), form.suffixes.end(),
                       [&](const auto& suffix) { return has_column(table, item.column + suffix); });
  };
  const auto missing = std::find_if_not(form.items.begin(), form.items.end(), has);
  if (missing == form.items.end()) {
    return fail(ErrorCode::kUsage, "{}:1: items of {} stand under mixed suffixes; expected all with the same",
                table.file, form.id);
  }
  return fail(ErrorCode::kUsage, "{}:1: no column \"{}\", an item of {}{}", table.file,
              missing->column + form.suffixes.front(), form.id,
              form.suffixes.size() > 1 ? fmt::format(" (nor \"{}\")", missing->column + form.suffixes.back()) : "");
}

bool is_system_missing(const std::string& cell) { return cell.empty() || cell == "NA" || cell == "."; }

/// An answer as given; NaN for the codes of none.
Result<double> answer_at(const CsvTable& table, std::size_t row, std::size_t column, const SurveyForm& form) {
  const auto cell = trim(table.rows[row][column]);
  if (is_system_missing(cell)) return kNoAnswer;
  VALENCE_TRY(const double answer,
              parse_number(cell, fmt::format("{}, column \"{}\"", table.where(row), table.columns[column])));
  const bool missing = std::any_of(form.missing.begin(), form.missing.end(), [&](int code) { return answer == code; });
  return missing ? kNoAnswer : answer;
}

Result<Ratings> ratings_at(const CsvTable& table, std::size_t row, const std::vector<std::size_t>& columns,
                           const SurveyForm& form) {
  std::vector<double> answers;
  for (const auto column : columns) {
    VALENCE_TRY(const double answer, answer_at(table, row, column, form));
    answers.push_back(answer);
  }
  auto ratings = oriented(form, answers);
  if (!ratings) {
    auto error = with_context(std::move(ratings).error(), table.where(row));
    error.code = ErrorCode::kUsage;
    return tl::unexpected(std::move(error));
  }
  return ratings;
}

/// The columns whose product is the weight: the form's first set that the file has.
Result<std::vector<std::size_t>> weight_columns(const CsvTable& table, const SurveyForm& form,
                                                const SurveyOptions& options) {
  std::vector<std::size_t> columns;
  if (options.unweighted || form.weights.empty()) return columns;
  for (const auto& set : form.weights) {
    if (!std::all_of(set.begin(), set.end(), [&](const auto& name) { return has_column(table, name); })) continue;
    for (const auto& name : set) {
      VALENCE_TRY(const auto column, table.column(name));
      columns.push_back(column);
    }
    return columns;
  }
  std::vector<std::string> sets;
  for (const auto& set : form.weights) sets.push_back(join(set, " and "));
  return fail(ErrorCode::kUsage,
              "{}:1: no weights; {} has them as {}. Add them, or say that respondents count alike (--unweighted)",
              table.file, form.id, join(sets, ", or "));
}

std::string weighting_of(const CsvTable& table, const std::vector<std::size_t>& columns) {
  std::vector<std::string> names;
  for (const auto column : columns) names.push_back(table.columns[column]);
  return names.empty() ? "none" : join(names, " × ");
}

Result<double> weight_at(const CsvTable& table, std::size_t row, const std::vector<std::size_t>& columns) {
  double product = 1.0;
  for (const auto column : columns) {
    const auto where = fmt::format("{}, column \"{}\"", table.where(row), table.columns[column]);
    VALENCE_TRY(const double weight, parse_number(table.rows[row][column], where));
    if (weight < 0.0) return fail(ErrorCode::kUsage, "{}: a weight should be at least 0, got {}", where, weight);
    product *= weight;
  }
  return product;
}

/// Clusters numbered in order of appearance; without a column, each row is its own.
class Clusters {
 public:
  static Result<Clusters> of(const CsvTable& table, const std::string& name) {
    Clusters clusters;
    if (name.empty()) return clusters;
    VALENCE_TRY(clusters.column_, table.column(name));
    return clusters;
  }
  std::size_t at(const CsvTable& table, std::size_t row) {
    if (!column_) return row;
    return numbers_.emplace(trim(table.rows[row][*column_]), numbers_.size()).first->second;
  }

 private:
  std::optional<std::size_t> column_;
  std::map<std::string, std::size_t> numbers_;
};

/// Counts a row that the filter does not take.
bool taken(Truth truth, SurveyCounts& counts) {
  counts.outside += truth == Truth::kNo ? 1u : 0u;
  counts.unknown += truth == Truth::kUnknown ? 1u : 0u;
  return truth == Truth::kYes;
}

bool kept(Exclusion exclusion, double weight, SurveyCounts& counts) {
  if (exclusion == Exclusion::kMissing)
    ++counts.missing;
  else if (exclusion == Exclusion::kStraightLining)
    ++counts.straight_lining;
  else if (weight == 0.0)
    ++counts.weightless;
  else
    ++counts.used;
  return exclusion == Exclusion::kNone && weight > 0.0;
}

}  // namespace

Result<SurveyRows> read_survey_rows(const CsvTable& table, const SurveyForm& form, const Space& space,
                                    const SurveyOptions& options) {
  VALENCE_TRY(const auto filter, Filter::parse(options.where));
  VALENCE_TRY(const auto truths, filter.test(table, form.unknown));
  VALENCE_TRY(const auto columns, item_columns(table, form));
  VALENCE_TRY(const auto weights, weight_columns(table, form, options));
  VALENCE_TRY(auto clusters, Clusters::of(table, options.cluster));
  SurveyRows rows{{}, {}, weighting_of(table, weights)};
  rows.counts.rows = table.rows.size();
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (!taken(truths[row], rows.counts)) continue;
    VALENCE_TRY(const auto ratings, ratings_at(table, row, columns, form));
    VALENCE_TRY(const double weight, weight_at(table, row, weights));
    if (!kept(exclusion_of(form, ratings), weight, rows.counts)) continue;
    rows.respondents.push_back({person_scores(form, space, ratings), weight, clusters.at(table, row)});
  }
  return rows;
}

}  // namespace valence
