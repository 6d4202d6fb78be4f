#include "valence/base/digest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <vector>

namespace valence {
namespace {

using DigestContext = std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)>;

/// OpenSSL without SHA-256 or memory is a broken machine, not an error of data.
void must(bool done) {
  if (!done) std::abort();
}

DigestContext begin_sha256() {
  DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  must(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1);
  return context;
}

void feed(EVP_MD_CTX* context, const void* data, std::size_t size) {
  must(EVP_DigestUpdate(context, data, size) == 1);
}

Digest end_sha256(EVP_MD_CTX* context) {
  Digest digest;
  must(EVP_DigestFinal_ex(context, digest.bytes.data(), nullptr) == 1);
  return digest;
}

template <class Number>
std::array<std::uint8_t, sizeof(Number)> little_endian(Number number) {
  std::array<std::uint8_t, sizeof(Number)> bytes{};
  for (auto& byte : bytes) {
    byte = static_cast<std::uint8_t>(number & 0xFFU);
    number = static_cast<Number>(number >> 8U);
  }
  return bytes;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

tl::unexpected<Error> unreadable(const std::filesystem::path& path, int error) {
  return fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "{}: cannot read: {}", path.string(),
              std::generic_category().message(error));
}

}  // namespace

std::string Digest::hex() const { return fmt::format("{:02x}", fmt::join(bytes, "")); }

std::string Digest::brief() const { return hex().substr(0, 12); }

Result<Digest> Digest::from_hex(std::string_view hex) {
  Digest digest;
  const bool digits = std::all_of(hex.begin(), hex.end(), [](char c) { return hex_value(c) >= 0; });
  if (hex.size() != 2 * digest.bytes.size() || !digits) {
    return fail(ErrorCode::kInvalid, "\"{}\" is not a SHA-256: expected 64 hexadecimal digits", hex);
  }
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    digest.bytes[i] = static_cast<std::uint8_t>(hex_value(hex[2 * i]) * 16 + hex_value(hex[2 * i + 1]));
  }
  return digest;
}

struct Hasher::State {
  DigestContext context = begin_sha256();

  void piece(char type, const void* data, std::size_t size) {
    const auto length = little_endian(static_cast<std::uint64_t>(size));
    feed(context.get(), &type, 1);
    feed(context.get(), length.data(), length.size());
    feed(context.get(), data, size);
  }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

Hasher& Hasher::add(std::string_view text) {
  state_->piece('t', text.data(), text.size());
  return *this;
}

Hasher& Hasher::add(std::uint64_t number) {
  const auto bytes = little_endian(number);
  state_->piece('n', bytes.data(), bytes.size());
  return *this;
}

Hasher& Hasher::add(double number) {
  const auto bytes = little_endian(std::bit_cast<std::uint64_t>(number));
  state_->piece('d', bytes.data(), bytes.size());
  return *this;
}

Hasher& Hasher::add(std::span<const std::int32_t> numbers) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(4 * numbers.size());
  for (const auto number : numbers) {
    const auto four = little_endian(static_cast<std::uint32_t>(number));
    bytes.insert(bytes.end(), four.begin(), four.end());
  }
  state_->piece('i', bytes.data(), bytes.size());
  return *this;
}

Hasher& Hasher::add(const Digest& digest) {
  state_->piece('h', digest.bytes.data(), digest.bytes.size());
  return *this;
}

Digest Hasher::finish() {
  const auto digest = end_sha256(state_->context.get());
  state_->context = begin_sha256();
  return digest;
}

Digest sha256(std::string_view bytes) {
  const auto context = begin_sha256();
  feed(context.get(), bytes.data(), bytes.size());
  return end_sha256(context.get());
}

Result<Digest> sha256_file(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return unreadable(path, errno);
  const auto context = begin_sha256();
  std::vector<char> block(std::size_t{1} << 20);  // model files have gigabytes: never read whole
  for (;;) {
    const auto count = ::read(descriptor, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    const int error = errno;
    if (count > 0) {
      feed(context.get(), block.data(), static_cast<std::size_t>(count));
      continue;
    }
    ::close(descriptor);
    if (count < 0) return unreadable(path, error);
    return end_sha256(context.get());
  }
}

}  // namespace valence
