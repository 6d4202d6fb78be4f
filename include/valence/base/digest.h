#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "valence/base/result.h"

namespace valence {

/// A SHA-256.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  std::string hex() const;
  std::string brief() const;  ///< first 12 hexadecimal digits, for people
  static Result<Digest> from_hex(std::string_view hex);
  auto operator<=>(const Digest&) const = default;
};

/// Builds a digest from typed pieces. Each piece is prefixed with its length, so ("ab", "c") differs from ("a", "bc").
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  Hasher& add(std::string_view text);
  Hasher& add(std::uint64_t number);
  Hasher& add(double number);  ///< by its bits
  Hasher& add(std::span<const std::int32_t> numbers);
  Hasher& add(const Digest& digest);
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Plain SHA-256 of bytes or of a file's content (as `sha256sum` prints it).
Digest sha256(std::string_view bytes);
Result<Digest> sha256_file(const std::filesystem::path& path);

}  // namespace valence
