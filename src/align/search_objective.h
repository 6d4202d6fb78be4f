#pragma once

#include "valence/base/result.h"
#include "valence/instruments/instrument.h"
#include "valence/values/target.h"

namespace valence {

/// How far answers to some of an instrument's items are from a target; only for choosing among candidates on the same
/// items, never a figure to report.
///
///  a space of scores  L2 between the target and the profile of these items, in the target's convention
///  the ring           1 − the mean share of what the items offer in the target's direction: the expected
///                     own · cos a + other · sin a of each item, a the direction's angle in the space, from the item's
///                     worst option (0) to its best (1)
///
/// kUsage when the ring's target holds more than one direction, or nothing was answered.
Result<double> search_loss(const Instrument& instrument, const Settings& settings, const AnswerTable& answers,
                           const Target& target);

}  // namespace valence
