// TOML and JSON as data files: parsed, and every node visited.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "valence/base/node.h"

namespace {

void visit(const valence::Node& node) {
  if (const auto table = node.as_table()) {
    for (const auto& [key, value] : *table) visit(value);
  } else if (const auto array = node.as_array()) {
    for (const auto& value : *array) visit(value);
  } else {
    static_cast<void>(node.as_string());
    static_cast<void>(node.as_number());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto root = valence::parse_toml(text, "fuzz.toml")) visit(*root);
  if (const auto root = valence::parse_json_node(text, "fuzz.json")) visit(*root);
  return 0;
}
