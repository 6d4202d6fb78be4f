#include "valence/stats/estimate.h"

#include <cmath>

namespace valence {

bool Estimate::has_interval() const { return std::isfinite(low) && std::isfinite(high); }

}  // namespace valence
