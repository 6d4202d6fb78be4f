// What comes back from the store: a response, a conversation. Both read again what they wrote.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "valence/model/conversation.h"
#include "valence/model/request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto response = valence::decode_response(bytes)) {
    const auto written = valence::encode(*response);
    const auto again = valence::decode_response(written);
    if (!again || valence::encode(*again) != written) __builtin_trap();
  }
  if (const auto conversation = valence::from_wire(bytes)) {
    const auto written = valence::to_wire(*conversation);
    const auto again = valence::from_wire(written);
    if (!again || valence::to_wire(*again) != written) __builtin_trap();
  }
  return 0;
}
