#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace valence {

/// Header lines of one HTTP response that matter to a download.
struct Head {
  std::string etag, modified;
  std::optional<std::uint64_t> range_start, range_total;  ///< of Content-Range

  /// What tells one version of a file from another: a strong ETag, else the date, else nothing. A weak ETag does not
  /// promise the same bytes.
  std::string version() const;
};

/// Takes in one line; a status line begins a new response (after a redirect's).
void read_header_line(std::string_view line, Head& head);

}  // namespace valence
