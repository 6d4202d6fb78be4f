#include "head.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "valence/base/text.h"

namespace valence {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// "bytes 100-199/1000"
void read_content_range(std::string_view value, Head& head) {
  if (!value.starts_with("bytes ")) return;
  value.remove_prefix(6);
  const auto dash = value.find('-');
  const auto slash = value.find('/');
  if (dash != std::string_view::npos) head.range_start = whole_number(value.substr(0, dash));
  if (slash != std::string_view::npos) head.range_total = whole_number(value.substr(slash + 1));
}

}  // namespace

std::string Head::version() const { return !etag.empty() && !etag.starts_with("W/") ? etag : modified; }

void read_header_line(std::string_view line, Head& head) {
  if (line.starts_with("HTTP/")) head = {};  // a redirect's answer came before
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto value = trim(line.substr(colon + 1));
  if (name == "etag") head.etag = value;
  if (name == "last-modified") head.modified = value;
  if (name == "content-range") read_content_range(value, head);
}

}  // namespace valence
