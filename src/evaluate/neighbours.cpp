#include "valence/evaluate/neighbours.h"

#include <cmath>

#include "unit_rows.h"

namespace valence {

Result<std::vector<float>> unit_rows(std::span<const float> values, std::size_t dimensions, std::string_view what) {
  if (dimensions == 0 || values.empty() || values.size() % dimensions != 0) {
    return fail(ErrorCode::kWrongCount, "{} numbers make no whole {} of {} dimensions", values.size(), what, dimensions);
  }
  std::vector<float> rows(values.begin(), values.end());
  for (std::size_t first = 0; first < rows.size(); first += dimensions) {
    const auto row = std::span(rows).subspan(first, dimensions);
    double sum = 0;
    for (const float value : row) sum += static_cast<double>(value) * static_cast<double>(value);
    if (!(sum > 0) || !std::isfinite(sum)) {
      return fail(ErrorCode::kInvalid, "{} {} is {}: it has no direction", what, first / dimensions + 1,
                  sum == 0 ? "zero" : "not finite");
    }
    const double scale = 1.0 / std::sqrt(sum);
    for (float& value : row) value = static_cast<float>(static_cast<double>(value) * scale);
  }
  return rows;
}

Result<std::unique_ptr<NeighbourIndex>> make_neighbour_index(std::span<const float> vectors, std::size_t dimensions,
                                                             const NeighbourOptions& options) {
  VALENCE_TRY(auto rows, unit_rows(vectors, dimensions, "vector"));
  if (rows.size() / dimensions >= options.exact_below) return make_graph_index(rows, dimensions, options);
  return make_exact_index(std::move(rows), dimensions);
}

}  // namespace valence
