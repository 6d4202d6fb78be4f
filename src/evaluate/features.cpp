#include "valence/evaluate/features.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "dictionary_features.h"
#include "tfidf.h"
#include "valence/base/text.h"

namespace valence {

void FeatureMatrix::add_row(std::span<const std::uint32_t> columns_of_row, std::span<const float> values_of_row) {
  assert(columns_of_row.size() == values_of_row.size());
  column.insert(column.end(), columns_of_row.begin(), columns_of_row.end());
  value.insert(value.end(), values_of_row.begin(), values_of_row.end());
  starts.push_back(value.size());
  ++rows;
}

FeatureMatrix FeatureMatrix::rows_of(std::span<const std::size_t> which) const {
  FeatureMatrix part;
  part.columns = columns;
  for (const auto row : which) {
    const auto count = starts[row + 1] - starts[row];
    part.add_row(std::span(column).subspan(starts[row], count), std::span(value).subspan(starts[row], count));
  }
  return part;
}

Result<FeatureMatrix> dense_features(std::size_t rows, std::size_t columns, std::span<const float> values) {
  if (values.size() != rows * columns) {
    return fail(ErrorCode::kWrongCount, "{} rows of {} features are {} numbers, got {}", rows, columns, rows * columns,
                values.size());
  }
  const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
  if (bad != values.end()) {
    return fail(ErrorCode::kInvalid, "feature {} of text {} is not a number",
                static_cast<std::size_t>(bad - values.begin()) % columns,
                static_cast<std::size_t>(bad - values.begin()) / columns);
  }
  std::vector<std::uint32_t> all(columns);
  for (std::size_t c = 0; c < columns; ++c) all[c] = static_cast<std::uint32_t>(c);
  FeatureMatrix matrix;
  matrix.columns = columns;
  for (std::size_t row = 0; row < rows; ++row) matrix.add_row(all, values.subspan(row * columns, columns));
  return matrix;
}

FeatureMatrix beside(std::span<const FeatureMatrix> blocks) {
  FeatureMatrix joined;
  if (blocks.empty()) return joined;
  for (std::size_t row = 0; row < blocks.front().rows; ++row) {
    std::size_t offset = 0;
    for (const auto& block : blocks) {
      assert(block.rows == blocks.front().rows);
      for (auto i = block.starts[row]; i < block.starts[row + 1]; ++i) {
        joined.column.push_back(block.column[i] + static_cast<std::uint32_t>(offset));
        joined.value.push_back(block.value[i]);
      }
      offset += block.columns;
    }
    joined.starts.push_back(joined.value.size());
    joined.columns = offset;
  }
  joined.rows = blocks.front().rows;
  return joined;
}

Result<FeatureFamilies> text_feature_families() {
  VALENCE_TRY(auto dictionary, dictionary_family());
  return FeatureFamilies{tfidf_family(TfidfText::kDialogue), tfidf_family(TfidfText::kPrompt),
                         tfidf_family(TfidfText::kResponse), std::move(dictionary)};
}

Result<std::shared_ptr<const FeatureFamily>> find_family(const FeatureFamilies& families, std::string_view id) {
  std::vector<std::string> ids;
  for (const auto& family : families) {
    if (family->id() == id) return family;
    ids.push_back(family->id());
  }
  const auto near = nearest(id, ids);
  return fail(
      ErrorCode::kNotFound, "no features are called \"{}\"{}", id,
      near.empty() ? fmt::format("; there are {}", join(ids, ", ")) : fmt::format("; did you mean \"{}\"?", near));
}

}  // namespace valence
