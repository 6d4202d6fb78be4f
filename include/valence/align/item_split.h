#pragma once

#include <set>
#include <string>

#include "valence/base/result.h"
#include "valence/instruments/instrument.h"

namespace valence {

/// Two halves of an instrument's items: what is chosen on one is shown on the other.
struct ItemSplit {
  std::set<std::string> searched;
  std::set<std::string> held_out;
  std::string rule;  ///< how it was split, for the record
};

/// Whether an instrument's items can be halved.
bool has_halves(const Instrument& instrument);

/// The same halves for everybody: a pure function of the items.
///
///  questionnaire  within each dimension the items in the order of the hash of their text, one to each side in turn, so
///                 that both sides measure every dimension that has two items
///  svo            the nine secondary sliders are searched, the six primary ones held out: an angle needs all six
///
/// kUsage for an instrument whose items cannot be halved.
Result<ItemSplit> split_items(const Instrument& instrument, const Settings& settings);

}  // namespace valence
