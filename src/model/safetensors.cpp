#include "valence/model/safetensors.h"

#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are read as they lie in memory: little endian");

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHead = 100'000'000;  // the format's own limit

struct SafeFormat {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<SafeFormat, 7> kSafeFormats{{{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I64", 8}, {"I32", 4}, {"U8", 1}}};

std::uint64_t element_bytes(std::string_view format) {
  for (const auto& known : kSafeFormats) {
    if (known.name == format) return known.bytes;
  }
  return 0;
}

Result<std::uint64_t> whole(const Node& node) {
  VALENCE_TRY(const auto number, node.as_integer());
  if (number < 0) return tl::unexpected(node.error("a shape or offset should not be negative"));
  return static_cast<std::uint64_t>(number);
}

/// Elements, or nothing when they cannot be counted.
std::optional<std::uint64_t> count(const std::vector<std::uint64_t>& shape) {
  std::uint64_t product = 1;
  for (const auto length : shape) {
    if (__builtin_mul_overflow(product, length, &product)) return std::nullopt;
  }
  return product;
}

Result<SafeTensor> read_tensor(const Node& node, std::uint64_t data, std::uint64_t size) {
  SafeTensor tensor;
  VALENCE_TRY(tensor.format, node.string_at("dtype"));
  VALENCE_TRY(const auto shape, node.at("shape"));
  VALENCE_TRY(const auto lengths, shape.as_array());
  for (const auto& length : lengths) {
    VALENCE_TRY(const auto value, whole(length));
    tensor.shape.push_back(value);
  }
  VALENCE_TRY(const auto offsets, node.at("data_offsets"));
  VALENCE_TRY(const auto ends, offsets.as_array());
  if (ends.size() != 2) return tl::unexpected(offsets.error("\"data_offsets\" should be two offsets"));
  VALENCE_TRY(const auto begin, whole(ends[0]));
  VALENCE_TRY(const auto end, whole(ends[1]));
  if (begin > end || end > size - data) return tl::unexpected(offsets.error("\"data_offsets\" lie beyond the end of the file: truncated download"));
  tensor.begin = data + begin;
  tensor.end = data + end;
  const auto bytes = element_bytes(tensor.format);
  const auto elements = count(tensor.shape);
  if (!elements || (bytes > 0 && (*elements > size || *elements * bytes != end - begin))) {
    return tl::unexpected(node.error("the shape does not fit the data_offsets"));
  }
  return tensor;
}

tl::unexpected<Error> corrupt(Error error) {
  error.code = ErrorCode::kCorrupt;  // not written by the user
  return tl::unexpected(std::move(error));
}

}  // namespace

std::uint64_t SafeTensor::elements() const { return count(shape).value_or(0); }

Result<SafeTensors> SafeTensors::read(const std::filesystem::path& path) {
  VALENCE_TRY(auto content, read_file(path));
  return parse(std::move(content), path.string());
}

Result<SafeTensors> SafeTensors::parse(std::string content, std::string name) {
  std::uint64_t length = 0;
  if (content.size() < kLengthBytes) return fail(ErrorCode::kCorrupt, "{}: {} bytes are no safetensors file", name, content.size());
  std::memcpy(&length, content.data(), kLengthBytes);
  if (length > kLongestHead || length > content.size() - kLengthBytes) {
    return fail(ErrorCode::kCorrupt, "{}: the file is {} bytes, its header claims {}: truncated, or no safetensors file", name,
                with_thousands(content.size()), with_thousands(length));
  }
  const auto root = parse_json_node(std::string_view(content).substr(kLengthBytes, length), name);
  if (!root) return corrupt(root.error());
  const auto entries = root->as_table();
  if (!entries) return corrupt(entries.error());
  SafeTensors file;
  for (const auto& [key, node] : *entries) {
    if (key == "__metadata__") continue;
    auto tensor = read_tensor(node, kLengthBytes + length, content.size());
    if (!tensor) return corrupt(with_context(tensor.error(), fmt::format("\"{}\"", printable(key))));
    file.tensors_.emplace(key, *std::move(tensor));
  }
  file.name_ = std::move(name);
  file.content_ = std::move(content);
  return file;
}

Result<void> write_safetensors(const std::filesystem::path& path, const std::vector<SafeFloats>& tensors,
                               const std::map<std::string, std::string>& texts) {
  Json head = {{"__metadata__", texts}};
  std::string content;
  for (const auto& tensor : tensors) {
    const auto begin = content.size();
    content.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * sizeof(float));
    head[tensor.name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, content.size()}}};
  }
  auto text = to_text(head);
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');  // the content begins aligned
  const std::uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), kLengthBytes);
  return write_file(path, bytes + text + content);
}

}  // namespace valence
