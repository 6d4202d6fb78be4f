#include "valence/instruments/published.h"

#include <filesystem>
#include <limits>

#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/values/catalogue.h"

namespace valence {
namespace {

Result<PublishedFigures> read_published_head(const Node& root) {
  PublishedFigures figures;
  VALENCE_TRY(figures.title, root.string_at("title"));
  VALENCE_TRY(figures.caption, root.string_at("caption"));
  VALENCE_TRY(const auto axis, root.at("axis"));
  VALENCE_TRY(figures.axis, axis.string_at("label"));
  VALENCE_TRY(figures.axis_low, axis.number_at("low"));
  VALENCE_TRY(figures.axis_high, axis.number_at("high"));
  VALENCE_TRY(const auto columns, root.at("columns"));
  VALENCE_TRY(figures.columns, columns.as_strings());
  VALENCE_TRY(figures.source, source_at(root, "source"));
  return figures;
}

Result<std::vector<std::size_t>> columns_of(const CsvTable& table, const std::vector<std::string>& names) {
  std::vector<std::size_t> columns;
  for (const auto& name : names) {
    VALENCE_TRY(const auto column, table.column(name));
    columns.push_back(column);
  }
  return columns;
}

Result<std::vector<PublishedSeries>> read_published_series(const Node& root, const CsvTable& table,
                                                           const std::vector<std::string>& names) {
  VALENCE_TRY(const auto label, root.string_at("label"));
  VALENCE_TRY(const auto label_column, table.column(label));
  VALENCE_TRY(const auto arm, root.string_or("arm", ""));
  VALENCE_TRY(const auto columns, columns_of(table, names));
  std::vector<PublishedSeries> all;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto& cells = table.rows[row];
    PublishedSeries series{cells[label_column], "", {}};
    if (!arm.empty()) {
      VALENCE_TRY(const auto arm_column, table.column(arm));
      series.arm = cells[arm_column];
    }
    for (const auto column : columns) {
      series.values.push_back(std::numeric_limits<double>::quiet_NaN());
      if (cells[column].empty()) continue;
      VALENCE_TRY(series.values.back(), parse_number(cells[column], table.where(row)));
    }
    all.push_back(std::move(series));
  }
  return all;
}

}  // namespace

Result<PublishedFigures> published_figures(std::string_view instrument) {
  VALENCE_TRY(const auto data, data_folder());
  const auto folder = data / "instruments" / instrument;
  if (!std::filesystem::exists(folder / "published.toml")) {
    return fail(ErrorCode::kNotFound, "no published figures are recorded for {}", instrument);
  }
  VALENCE_TRY(const auto root, read_toml(folder / "published.toml"));
  VALENCE_TRY(auto figures, read_published_head(root));
  figures.instrument = instrument;
  VALENCE_TRY(const auto values, root.string_at("values"));
  VALENCE_TRY(const auto table, read_csv(folder / values));
  VALENCE_TRY(figures.series, read_published_series(root, table, figures.columns));
  return figures;
}

}  // namespace valence
