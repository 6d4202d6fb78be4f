#include "valence/base/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "valence/base/files.h"
#include "valence/base/text.h"

namespace valence {
namespace {

/// POSIX: the first of these that is set and not empty decides.
bool locale_is_utf8() {
  for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = fold(environment(name));
    if (value.empty()) continue;
    return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

std::size_t columns_of_terminal(int file_descriptor) {
  struct winsize size {};
  const bool known = ::ioctl(file_descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : Terminal{}.width;
}

std::string_view sgr(Style style) {
  switch (style) {
    case Style::kBold: return "\x1b[1m";
    case Style::kDim: return "\x1b[2m";
    case Style::kGood: return "\x1b[32m";
    case Style::kBad: return "\x1b[31m";
    case Style::kPlain: break;
  }
  return {};
}

}  // namespace

Terminal terminal_of(int file_descriptor) {
  Terminal terminal;
  const auto type = environment("TERM");
  terminal.interactive = ::isatty(file_descriptor) == 1 && type != "dumb";
  terminal.colour = terminal.interactive && environment("NO_COLOR").empty();
  terminal.unicode = locale_is_utf8();
  terminal.width = columns_of_terminal(file_descriptor);
  return terminal;
}

std::string styled(std::string_view text, Style style, const Terminal& terminal) {
  if (!terminal.colour || style == Style::kPlain) return std::string(text);
  return fmt::format("{}{}\x1b[0m", sgr(style), text);
}

}  // namespace valence
