#include "attained.h"

#include <cmath>

#include "valence/instruments/unit_means.h"
#include "valence/values/space.h"

namespace valence {
namespace {

void declare_share(UnitMeans& means, const Dimension& direction, const std::string& id, const std::string& label,
                   bool headline) {
  means.declare({.id = fmt::format("{}.{}", id, direction.id),
                 .dimension = direction.id,
                 .condition = "",
                 .label = fmt::format("{} {} direction", label, direction.id),
                 .unit = "share",
                 .low = 0.0,
                 .high = 1.0,
                 .headline = headline});
}

double on_best(const std::vector<Allocation>& options, const std::vector<double>& probability, double degrees) {
  const auto best = best_allocations(options, degrees);
  double sum = 0.0;
  for (std::size_t i = 0; i < best.size(); ++i) sum += best[i] > 0.0 ? probability[i] : 0.0;
  return sum;
}

void add_shares(UnitMeans& means, const AnswerRow& row, const std::vector<Allocation>& options, const Space& ring) {
  for (const auto& direction : ring.dimensions) {
    const double degrees = direction.angle.value_or(0.0);
    const double share = share_attained(options, row.probability, degrees);
    means.add(row.unit, "", "attained." + direction.id, share);
    means.add(row.unit, "", "chosen." + direction.id,
              std::isnan(share) ? share : on_best(options, row.probability, degrees));
  }
}

}  // namespace

Result<std::unique_ptr<Estimator>> attained_estimator(const AnswerTable& table, const AllocationItems& items) {
  VALENCE_TRY(const auto ring, load_space("svo_ring"));
  auto means = std::make_unique<UnitMeans>();
  for (const auto& direction : ring.dimensions)
    declare_share(*means, direction, "attained", "share attained in the", true);
  for (const auto& direction : ring.dimensions)
    declare_share(*means, direction, "chosen", "options that are best in the", false);
  for (const auto& row : table.rows) {
    const auto item = items.find(row.item);
    if (item == items.end())
      return fail(ErrorCode::kUsage, "answers: there is no item \"{}\" under these settings", row.item);
    if (row.status == Status::kScored && row.probability.size() == item->second.size())
      add_shares(*means, row, item->second, ring);
  }
  return means;
}

}  // namespace valence
