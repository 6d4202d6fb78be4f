#pragma once

#include <string>
#include <string_view>

namespace valence {

/// What a stream can show. Colour never without a terminal, never with NO_COLOR; Unicode when the locale is UTF-8.
struct Terminal {
  bool interactive = false;
  bool colour = false;
  bool unicode = true;
  std::size_t width = 80;
};

Terminal terminal_of(int file_descriptor);

enum class Style { kPlain, kBold, kDim, kGood, kBad };
std::string styled(std::string_view text, Style style, const Terminal& terminal);

}  // namespace valence
