#pragma once

#include <stop_token>
#include <string_view>

namespace valence {

/// A token that is asked to stop on the first SIGINT or SIGTERM; a second signal ends the process at once.
/// The first prints `notice` to standard error at once, since stopping may take as long as what is under way (a text
/// that outlives the program; empty prints nothing). Installed once by the command line.
std::stop_token stop_on_signal(std::string_view notice = {});

/// Has this process sent SIGTERM when the one that started it ends, however it ends (also by SIGKILL): what works for
/// another does not go on alone.
void stop_with_parent();

}  // namespace valence
