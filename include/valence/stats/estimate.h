#pragma once

#include <cstddef>
#include <limits>
#include <string>

namespace valence {

/// A number with what makes it worth printing.
struct Estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();   ///< NaN when n = 1: no interval
  double high = std::numeric_limits<double>::quiet_NaN();
  double level = 0.95;
  std::size_t count = 0;   ///< number of random units behind it
  std::string unit;        ///< the random unit, singular: "dialogue", "scenario"
  std::string method;      ///< "Wilson", "Student t", "cluster bootstrap (2000, …)", "single administration"

  bool has_interval() const;
};

/// The interval cut at a range that its quantity cannot leave: a share has no interval that ends above 1.
Estimate within(Estimate estimate, double low, double high);

/// "[21.8, 24.1]"; empty when there is no interval.
std::string interval_text(const Estimate& estimate);
/// "22.9 [21.8, 24.1]"; the value alone when there is no interval.
std::string figure_text(const Estimate& estimate);
/// "32 % [28, 36]" of a share; empty when it is undefined.
std::string percent_text(const Estimate& share);

}  // namespace valence
