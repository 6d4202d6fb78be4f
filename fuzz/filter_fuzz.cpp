// The filter that chooses a subgroup of a survey, on cells that are unknown, numbers or texts; and labels of label
// files.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "valence/targets/filter.h"
#include "valence/values/space_map.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto table = valence::parse_csv("a,b,cntry,agea,gndr\n1,x,GB,17,2\n,2.5,FR,999,1\n", "fuzz.csv").value();
  static const valence::UnknownCodes unknown = {{"agea", {"999"}}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto filter = valence::Filter::parse(text)) {
    const auto truths = filter->test(table, unknown);
    if (truths && truths->size() != table.rows.size()) __builtin_trap();
  }
  if (const auto label = valence::parse_named_label(text)) {
    if (label->name.empty() || label->sign < -1 || label->sign > 1) __builtin_trap();
  }
  return 0;
}
