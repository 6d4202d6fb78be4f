#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "valence/base/node.h"
#include "valence/base/result.h"

namespace valence {

/// A published figure, and what our code makes of the same recorded data.
struct ReproducedFact {
  std::string id;
  std::string what;
  std::string unit;       ///< "degrees", "answer vectors"; may be empty
  double published = 0.0; ///< NaN: published as undefined (the entry has no `published`)
  double ours = 0.0;
  double tolerance = 0.0; ///< half a unit of the last printed digit, or what the publication's own error allows
  std::string source;
  std::string reason;     ///< known reason for a difference, from the data file; may be empty

  double difference() const { return ours - published; }
  bool agrees() const;    ///< |difference| ≤ tolerance; two NaNs agree
};

/// Computes a fact from its entry in the data file (whose `arguments` it reads).
using Computation = std::function<Result<double>(const Node& fact)>;
/// Computations by name, as the `compute` key of data/reproduce/<name>.toml names them.
using ComputationTable = std::vector<std::pair<std::string, Computation>>;

/// Every fact of data/reproduce/<name>.toml, computed. Unknown names and computations are kNotFound/kUsage with the
/// nearest suggested.
Result<std::vector<ReproducedFact>> reproduce(std::string_view name);
/// Names that can be reproduced, in the order they are listed.
std::vector<std::string> reproducible();

/// The same for a file already read: for tests and for new instruments.
Result<std::vector<ReproducedFact>> reproduce(const Node& file, const ComputationTable& computations);

/// Of the SVO Slider Measure.
const ComputationTable& svo_computations();

}  // namespace valence
