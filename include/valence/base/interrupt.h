#pragma once

#include <stop_token>

namespace valence {

/// A token that is asked to stop on the first SIGINT or SIGTERM; a second signal ends the process at once.
/// Installed once by the command line.
std::stop_token stop_on_signal();

}  // namespace valence
