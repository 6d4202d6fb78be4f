#pragma once

#include <string>

#include "session.h"
#include "valence/instruments/instrument.h"
#include "valence/instruments/measure.h"
#include "valence/values/profile.h"

namespace valence {

/// The profile as lines for the terminal: headline figures with intervals on a common axis, or all of them.
std::string profile_text(const Profile& profile, const Instrument& instrument, const Terminal& terminal, bool all);

/// The gate's checks as a table.
std::string validity_text(const Validity& validity, const Terminal& terminal);

}  // namespace valence
