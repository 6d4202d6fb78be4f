#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace valence::study {

// How long steps took on this machine, whatever store they were filed in: a file of the cache folder (docs/formats.md,
// "Times of steps"). It only helps to estimate, so what cannot be read or written is passed over.

/// Of a step's last few runs, in seconds, the latest last; empty when it never ran here. `what`: Step::what.
std::vector<double> step_times(std::string_view kind, const std::string& what);
void keep_step_time(std::string_view kind, const std::string& what, double seconds);

}  // namespace valence::study
