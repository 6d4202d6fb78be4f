#include "thrown.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <string_view>

namespace valence {
namespace {

/// Its first line: what follows in libtorch's messages is where, not what.
std::string reason_of(const std::exception& thrown) {
  const auto* torch = dynamic_cast<const c10::Error*>(&thrown);
  const std::string text = torch == nullptr ? thrown.what() : torch->what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

/// libtorch has no class of its own for it.
bool is_lack_of_memory(const std::exception& thrown, std::string_view reason) {
  constexpr std::array<std::string_view, 4> kWords{"DefaultCPUAllocator", "not enough memory", "can't allocate memory",
                                                   "out of memory"};
  const auto says = [&](std::string_view words) { return reason.find(words) != std::string_view::npos; };
  return dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr || std::ranges::any_of(kWords, says);
}

}  // namespace

Error error_of(const std::exception& thrown) {
  const auto reason = reason_of(thrown);
  if (is_lack_of_memory(thrown, reason)) {
    return {
        ErrorCode::kModel,
        fmt::format("memory ran out ({}); what was saved is kept. Free memory and run the same command to go on, or "
                    "lower --pass-tokens and name another output folder",
                    reason)};
  }
  return {ErrorCode::kModel,
          fmt::format("the trainer failed while computing ({}); what was saved is kept. Run the same "
                      "command to go on; if it fails again, report this with the job file",
                      reason)};
}

}  // namespace valence
