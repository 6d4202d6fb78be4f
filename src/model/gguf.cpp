#include "valence/model/gguf.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <deque>
#include <limits>
#include <optional>
#include <set>
#include <unordered_set>

#include "valence/base/text.h"

namespace valence {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read as it lies in memory: little endian");

// Smallest encodings, for judging counts before anything is allocated.
constexpr std::uint64_t kSmallestPair = 8 + 1 + 4 + 1;            // key length, key, type, value
constexpr std::uint64_t kSmallestTensor = 8 + 1 + 4 + 8 + 4 + 8;  // name, dimension count, dimension, format, offset
constexpr std::uint64_t kLongestKey = 65535;                      // GGUF specification
constexpr std::uint64_t kLongestTensorName = 63;                  // ggml keeps 64 bytes with the final zero
constexpr std::uint64_t kLongestText = std::uint64_t{16} << 20;   // of a metadata value; templates are some kilobytes
constexpr std::uint64_t kMostBlocks = 512;                        // llama.cpp's fixed arrays
constexpr std::uint64_t kMostElements = std::numeric_limits<std::int64_t>::max();

constexpr std::array<GgmlFormat, 35> kFormats{{
    {0, "f32", 1, 4},        {1, "f16", 1, 2},        {2, "q4_0", 32, 18},     {3, "q4_1", 32, 20},
    {6, "q5_0", 32, 22},     {7, "q5_1", 32, 24},     {8, "q8_0", 32, 34},     {9, "q8_1", 32, 36},
    {10, "q2_K", 256, 84},   {11, "q3_K", 256, 110},  {12, "q4_K", 256, 144},  {13, "q5_K", 256, 176},
    {14, "q6_K", 256, 210},  {15, "q8_K", 256, 292},  {16, "iq2_xxs", 256, 66}, {17, "iq2_xs", 256, 74},
    {18, "iq3_xxs", 256, 98}, {19, "iq1_s", 256, 50},  {20, "iq4_nl", 32, 18},  {21, "iq3_s", 256, 110},
    {22, "iq2_s", 256, 82},  {23, "iq4_xs", 256, 136}, {24, "i8", 1, 1},        {25, "i16", 1, 2},
    {26, "i32", 1, 4},       {27, "i64", 1, 8},       {28, "f64", 1, 8},       {29, "iq1_m", 256, 56},
    {30, "bf16", 1, 2},      {34, "tq1_0", 256, 54},  {35, "tq2_0", 256, 66},  {39, "mxfp4", 32, 17},
    {40, "nvfp4", 64, 36},   {41, "q1_0", 128, 18},   {42, "q2_0", 64, 18},
}};

constexpr std::array<std::string_view, 13> kTypeNames{"uint8", "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
                                                      "bool",  "string", "array",  "uint64", "int64",  "float64"};

std::uint64_t width(GgufType type) {
  constexpr std::array<std::uint64_t, 13> kWidths{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return kWidths[static_cast<std::size_t>(type)];
}

/// The bytes with a place in them. Every read is checked against the end.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, std::uint64_t file_bytes, std::string_view name)
      : bytes_(bytes), file_bytes_(file_bytes), name_(name) {}

  std::uint64_t at() const { return at_; }
  std::uint64_t left() const { return bytes_.size() - at_; }
  std::uint64_t file_bytes() const { return file_bytes_; }

  template <class... Args>
  tl::unexpected<Error> malformed(std::uint64_t offset, fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorCode::kCorrupt, "{}: byte {}: {}", name_, offset, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  tl::unexpected<Error> unsupported(fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorCode::kUnsupported, "{}: {}", name_, fmt::format(format, std::forward<Args>(args)...));
  }
  tl::unexpected<Error> cut() const {
    return fail(ErrorCode::kCorrupt, "{}: the file is {} bytes, its header is longer: truncated download", name_,
                with_thousands(file_bytes_));
  }
  tl::unexpected<Error> shorter_than(std::uint64_t promised) const {
    return fail(ErrorCode::kCorrupt, "{}: the file is {} bytes, its header promises {}: truncated download", name_,
                with_thousands(file_bytes_), with_thousands(promised));
  }

  template <class T>
  Result<T> read() {
    if (left() < sizeof(T)) return cut();
    T value;
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  /// `count` elements of `size` bytes.
  Result<std::span<const std::byte>> take(std::uint64_t count, std::uint64_t size = 1) {
    if (size != 0 && count > left() / size) return cut();
    const auto part = bytes_.subspan(at_, count * size);
    at_ += part.size();
    return part;
  }

  Result<std::string_view> text(std::string_view what, std::uint64_t longest) {
    const auto start = at_;
    VALENCE_TRY(const auto length, read<std::uint64_t>());
    if (length > longest) {
      return malformed(start, "{} is {} bytes long; at most {} are allowed", what, with_thousands(length),
                       with_thousands(longest));
    }
    VALENCE_TRY(const auto part, take(length));
    return std::string_view(reinterpret_cast<const char*>(part.data()), part.size());
  }

 private:
  std::span<const std::byte> bytes_;
  std::uint64_t file_bytes_;
  std::string_view name_;
  std::uint64_t at_ = 0;
};

Result<GgufType> read_type(Cursor& cursor, std::string_view what) {
  const auto start = cursor.at();
  VALENCE_TRY(const auto number, cursor.read<std::uint32_t>());
  if (number >= kTypeNames.size()) {
    return cursor.malformed(start, "{} has type {}; the types are 0 to {}", what, number, kTypeNames.size() - 1);
  }
  return static_cast<GgufType>(number);
}

template <class Wide, class Narrow>
Result<GgufValue> scalar(Cursor& cursor) {
  VALENCE_TRY(const auto value, cursor.read<Narrow>());
  return GgufValue(static_cast<Wide>(value));
}

Result<GgufValue> boolean(Cursor& cursor, std::string_view what) {
  const auto start = cursor.at();
  VALENCE_TRY(const auto value, cursor.read<std::uint8_t>());
  if (value > 1) return cursor.malformed(start, "{} is a bool with value {}; it should be 0 or 1", what, value);
  return GgufValue(value == 1);
}

/// llama.cpp ends the process when two tokens have the same text; it names an empty one "[EMPTY_n]".
Result<void> check_tokens(Cursor& cursor, std::uint64_t count, std::string_view what) {
  std::unordered_set<std::string_view> seen;
  std::deque<std::string> named;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto start = cursor.at();
    VALENCE_TRY(auto token, cursor.text(what, kLongestText));
    if (token.empty()) token = named.emplace_back(fmt::format("[EMPTY_{}]", i));
    if (!seen.insert(token).second) {
      return cursor.malformed(start, "token {} has the same text as an earlier one: \"{}\"", i, printable(token));
    }
  }
  return {};
}

Result<void> skip_texts(Cursor& cursor, std::uint64_t count, std::string_view what) {
  for (std::uint64_t i = 0; i < count; ++i) VALENCE_CHECK(cursor.text(what, kLongestText));
  return {};
}

Result<void> check_bools(Cursor& cursor, std::uint64_t count, std::string_view what) {
  const auto start = cursor.at();
  VALENCE_TRY(const auto part, cursor.take(count));
  const auto wrong = std::ranges::find_if(part, [](std::byte b) { return b > std::byte{1}; });
  if (wrong == part.end()) return {};
  return cursor.malformed(start + static_cast<std::uint64_t>(wrong - part.begin()),
                          "{} holds a bool that is neither 0 nor 1", what);
}

Result<GgufValue> read_array(Cursor& cursor, std::string_view key, std::string_view what) {
  const auto start = cursor.at();
  VALENCE_TRY(const auto element, read_type(cursor, what));
  VALENCE_TRY(const auto count, cursor.read<std::uint64_t>());
  if (element == GgufType::kArray) return cursor.malformed(start, "{} is an array of arrays, which is refused", what);
  const std::uint64_t smallest = element == GgufType::kString ? 8 : width(element);
  if (count > cursor.left() / smallest) {
    return cursor.malformed(start, "{} promises {} elements, but only {} bytes follow: truncated or damaged", what, with_thousands(count),
                            with_thousands(cursor.left()));
  }
  if (key == "tokenizer.ggml.tokens" && element == GgufType::kString) {
    VALENCE_CHECK(check_tokens(cursor, count, what));
  } else if (element == GgufType::kString) {
    VALENCE_CHECK(skip_texts(cursor, count, what));
  } else if (element == GgufType::kBool) {
    VALENCE_CHECK(check_bools(cursor, count, what));
  } else {
    VALENCE_CHECK(cursor.take(count, width(element)));
  }
  return GgufValue(GgufArray{element, count});
}

Result<GgufValue> read_value(Cursor& cursor, GgufType type, std::string_view key, std::string_view what) {
  switch (type) {
    case GgufType::kUint8: return scalar<std::uint64_t, std::uint8_t>(cursor);
    case GgufType::kUint16: return scalar<std::uint64_t, std::uint16_t>(cursor);
    case GgufType::kUint32: return scalar<std::uint64_t, std::uint32_t>(cursor);
    case GgufType::kUint64: return scalar<std::uint64_t, std::uint64_t>(cursor);
    case GgufType::kInt8: return scalar<std::int64_t, std::int8_t>(cursor);
    case GgufType::kInt16: return scalar<std::int64_t, std::int16_t>(cursor);
    case GgufType::kInt32: return scalar<std::int64_t, std::int32_t>(cursor);
    case GgufType::kInt64: return scalar<std::int64_t, std::int64_t>(cursor);
    case GgufType::kFloat32: return scalar<double, float>(cursor);
    case GgufType::kFloat64: return scalar<double, double>(cursor);
    case GgufType::kBool: return boolean(cursor, what);
    case GgufType::kString: {
      VALENCE_TRY(const auto text, cursor.text(what, kLongestText));
      return GgufValue(std::string(text));
    }
    case GgufType::kArray: break;
  }
  return read_array(cursor, key, what);
}

Result<void> check_version(Cursor& cursor, std::uint32_t version) {
  if (version == 2 || version == 3) return {};
  if ((version & 0xFFFFU) == 0 && version != 0) {
    return cursor.unsupported("a big-endian GGUF file; convert it to little-endian");
  }
  return cursor.unsupported("GGUF version {}; versions 2 and 3 can be read", version);
}

Result<std::uint64_t> read_count(Cursor& cursor, std::string_view what, std::uint64_t smallest) {
  const auto start = cursor.at();
  VALENCE_TRY(const auto count, cursor.read<std::uint64_t>());
  if (count > cursor.file_bytes() / smallest) {
    return cursor.malformed(start, "{} {} do not fit into a file of {} bytes: truncated or damaged", with_thousands(count), what,
                            with_thousands(cursor.file_bytes()));
  }
  return count;
}

/// general.alignment must be a uint32: any other type ends the process in some versions of ggml.
Result<void> check_alignment(Cursor& cursor, GgufInfo& info, GgufType type, std::uint64_t start) {
  if (type != GgufType::kUint32) {
    return cursor.malformed(start, "general.alignment is of type {}; it should be uint32",
                            kTypeNames[static_cast<std::size_t>(type)]);
  }
  info.alignment = info.number("general.alignment");
  if (!std::has_single_bit(info.alignment)) {
    return cursor.malformed(start, "general.alignment is {}; it should be a power of two", info.alignment);
  }
  return {};
}

Result<void> read_pair(Cursor& cursor, GgufInfo& info, std::uint64_t index) {
  const auto start = cursor.at();
  VALENCE_TRY(const auto key, cursor.text(fmt::format("key {}", index), kLongestKey));
  if (key.empty()) return cursor.malformed(start, "key {} is empty", index);
  const auto what = fmt::format("\"{}\"", printable(key));
  VALENCE_TRY(const auto type, read_type(cursor, what));
  VALENCE_TRY(auto value, read_value(cursor, type, key, what));
  if (!info.metadata.emplace(key, std::move(value)).second) {
    return cursor.malformed(start, "key {} appears twice", what);
  }
  if (key == "general.alignment") return check_alignment(cursor, info, type, start);
  return {};
}

/// a × b, or nothing when it exceeds what ggml can count.
std::optional<std::uint64_t> product(std::uint64_t a, std::uint64_t b) {
  if (a != 0 && b >= kMostElements / a) return std::nullopt;
  return a * b;
}

Result<void> read_shape(Cursor& cursor, GgufTensor& tensor, std::string_view what) {
  const auto start = cursor.at();
  VALENCE_TRY(const auto count, cursor.read<std::uint32_t>());
  if (count < 1 || count > 4) {
    return cursor.malformed(start, "{} has {} dimensions; 1 to 4 are allowed", what, count);
  }
  std::optional<std::uint64_t> elements = 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto place = cursor.at();
    VALENCE_TRY(const auto length, cursor.read<std::uint64_t>());
    elements = product(*elements, length);
    if (length == 0 || !elements) return cursor.malformed(place, "{} has the impossible dimension {}", what, length);
    tensor.dims.push_back(length);
  }
  return {};
}

Result<void> read_format(Cursor& cursor, GgufTensor& tensor, std::string_view what) {
  const auto start = cursor.at();
  VALENCE_TRY(tensor.type, cursor.read<std::uint32_t>());
  const auto* format = ggml_format(tensor.type);
  if (!format) return cursor.unsupported("{} is in the unknown format {}", what, tensor.type);
  if (tensor.dims.front() % format->block != 0) {
    return cursor.malformed(start, "{} has rows of {} elements; {} packs {} into a block", what, tensor.dims.front(),
                            format->name, format->block);
  }
  const auto bytes = product(tensor.elements() / format->block, format->bytes);
  if (!bytes) return cursor.malformed(start, "{} is larger than can be addressed", what);
  tensor.bytes = *bytes;
  return {};
}

Result<void> read_tensor(Cursor& cursor, GgufInfo& info, std::uint64_t index, std::set<std::string>& names) {
  const auto start = cursor.at();
  GgufTensor tensor;
  VALENCE_TRY(tensor.name, cursor.text(fmt::format("the name of tensor {}", index), kLongestTensorName));
  const auto what = fmt::format("tensor \"{}\"", printable(tensor.name));
  // A zero byte would end the name early in ggml, and hide a duplicate.
  if (tensor.name.empty() || tensor.name.find('\0') != std::string::npos) {
    return cursor.malformed(start, "tensor {} has no proper name", index);
  }
  if (!names.insert(tensor.name).second) return cursor.malformed(start, "{} appears twice", what);
  VALENCE_CHECK(read_shape(cursor, tensor, what));
  VALENCE_CHECK(read_format(cursor, tensor, what));
  VALENCE_TRY(tensor.offset, cursor.read<std::uint64_t>());
  info.tensors.push_back(std::move(tensor));
  return {};
}

/// The next multiple of the (power of two) alignment, or nothing on overflow.
std::optional<std::uint64_t> aligned(std::uint64_t value, std::uint64_t alignment) {
  if (value > kMostElements - alignment) return std::nullopt;
  return (value + alignment - 1) & ~(alignment - 1);
}

/// Tensors lie one right after another, each padded to the alignment; offsets become absolute.
Result<void> place_tensors(const Cursor& cursor, GgufInfo& info) {
  info.data_offset = *aligned(cursor.at(), info.alignment);
  std::uint64_t expected = 0;
  std::uint64_t end = info.data_offset;
  for (auto& tensor : info.tensors) {
    if (tensor.offset % info.alignment != 0) {
      return cursor.malformed(cursor.at(), "tensor \"{}\" starts at {} of the data, which is no multiple of {}",
                              printable(tensor.name), tensor.offset, info.alignment);
    }
    if (tensor.offset != expected) {
      return cursor.malformed(cursor.at(), "tensor \"{}\" starts at {} of the data; {} was expected: it {}",
                              printable(tensor.name), tensor.offset, expected,
                              tensor.offset < expected ? "overlaps another" : "leaves a gap");
    }
    const auto next = aligned(tensor.bytes, info.alignment);
    if (!next || *next > kMostElements - info.data_offset - expected) {
      return cursor.malformed(cursor.at(), "tensor \"{}\" ends beyond what can be addressed", printable(tensor.name));
    }
    tensor.offset += info.data_offset;
    end = tensor.offset + tensor.bytes;
    expected += *next;
  }
  if (!info.tensors.empty() && end > info.file_bytes) return cursor.shorter_than(end);
  return {};
}

const GgufArray* array_of(const GgufInfo& info, std::string_view key) {
  const auto found = info.metadata.find(std::string(key));
  return found == info.metadata.end() ? nullptr : std::get_if<GgufArray>(&found->second);
}

/// Arrays that run parallel to the tokens are indexed by token without another look at their length.
Result<void> check_tokenizer(const Cursor& cursor, const GgufInfo& info) {
  const auto* tokens = array_of(info, "tokenizer.ggml.tokens");
  for (const auto* key : {"tokenizer.ggml.scores", "tokenizer.ggml.token_type"}) {
    const auto* parallel = array_of(info, key);
    if (!tokens || !parallel || parallel->count == tokens->count) continue;
    return cursor.malformed(cursor.at(), "\"{}\" has {} elements for {} tokens", key, with_thousands(parallel->count),
                            with_thousands(tokens->count));
  }
  return {};
}

Result<void> check_blocks(const Cursor& cursor, const GgufInfo& info) {
  const auto key = info.architecture() + ".block_count";
  if (info.architecture().empty() || !info.metadata.contains(key)) return {};
  const auto blocks = info.number(key);
  if (blocks >= 1 && blocks <= kMostBlocks) return {};
  return cursor.malformed(cursor.at(), "\"{}\" is {}; 1 to {} blocks are supported", printable(key), blocks, kMostBlocks);
}

/// A file mapped for reading.
class Mapping {
 public:
  Mapping(void* start, std::size_t size) : start_(start), size_(size) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (start_) ::munmap(start_, size_);
  }
  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(start_), size_}; }

 private:
  void* start_;
  std::size_t size_;
};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }

 private:
  int number_;
};

tl::unexpected<Error> system_failure(const std::filesystem::path& path) {
  const int reason = errno;
  return fail(reason == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "{}: {}", path.string(), std::strerror(reason));
}

}  // namespace

std::string_view to_string(GgufType type) { return kTypeNames[static_cast<std::size_t>(type)]; }

std::span<const GgmlFormat> ggml_formats() { return kFormats; }

const GgmlFormat* ggml_format(std::uint32_t id) {
  const auto found = std::ranges::find(kFormats, id, &GgmlFormat::id);
  return found == kFormats.end() ? nullptr : &*found;
}

std::uint64_t GgufTensor::elements() const {
  std::uint64_t count = 1;
  for (const auto length : dims) count *= length;
  return count;
}

std::string GgufInfo::text(std::string_view key) const {
  const auto found = metadata.find(std::string(key));
  if (found == metadata.end()) return {};
  const auto* value = std::get_if<std::string>(&found->second);
  return value ? *value : std::string();
}

std::uint64_t GgufInfo::number(std::string_view key) const {
  const auto found = metadata.find(std::string(key));
  if (found == metadata.end()) return 0;
  if (const auto* value = std::get_if<std::uint64_t>(&found->second)) return *value;
  const auto* value = std::get_if<std::int64_t>(&found->second);
  return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
}

std::uint64_t GgufInfo::parameters() const {
  std::uint64_t sum = 0;
  for (const auto& tensor : tensors) sum += tensor.elements();
  return sum;
}

std::uint64_t GgufInfo::context_length() const { return number(architecture() + ".context_length"); }

std::uint64_t GgufInfo::vocabulary() const {
  const auto* tokens = array_of(*this, "tokenizer.ggml.tokens");
  return tokens ? tokens->count : 0;
}

std::uint64_t GgufInfo::data_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& tensor : tensors) sum += tensor.bytes;
  return sum;
}

std::string GgufInfo::file_type() const {
  std::map<std::uint32_t, std::uint64_t> bytes;
  for (const auto& tensor : tensors) bytes[tensor.type] += tensor.bytes;
  const auto most = std::ranges::max_element(bytes, {}, [](const auto& entry) { return entry.second; });
  return most == bytes.end() ? std::string() : std::string(ggml_format(most->first)->name);
}

Result<GgufInfo> parse_gguf_header(std::span<const std::byte> bytes, std::uint64_t file_bytes, std::string_view name) {
  Cursor cursor(bytes, file_bytes, name);
  VALENCE_TRY(const auto magic, cursor.read<std::uint32_t>());
  if (magic != 0x46554747U) return cursor.malformed(0, "no GGUF file: it does not begin with \"GGUF\"");
  GgufInfo info;
  info.file_bytes = file_bytes;
  VALENCE_TRY(info.version, cursor.read<std::uint32_t>());
  VALENCE_CHECK(check_version(cursor, info.version));
  VALENCE_TRY(const auto tensors, read_count(cursor, "tensors", kSmallestTensor));
  VALENCE_TRY(const auto pairs, read_count(cursor, "keys", kSmallestPair));
  for (std::uint64_t i = 0; i < pairs; ++i) VALENCE_CHECK(read_pair(cursor, info, i));
  std::set<std::string> names;
  for (std::uint64_t i = 0; i < tensors; ++i) VALENCE_CHECK(read_tensor(cursor, info, i, names));
  VALENCE_CHECK(check_tokenizer(cursor, info));
  VALENCE_CHECK(check_blocks(cursor, info));
  VALENCE_CHECK(place_tensors(cursor, info));
  return info;
}

Result<GgufInfo> read_gguf_header(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return system_failure(path);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::kIo, "{}: not a regular file", path.string());
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) return fail(ErrorCode::kCorrupt, "{}: the file is empty", path.string());
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.number(), 0);
  if (start == MAP_FAILED) return system_failure(path);
  const Mapping mapping(start, size);
  return parse_gguf_header(mapping.bytes(), size, path.string());
}

}  // namespace valence
