#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "valence/base/result.h"

namespace valence {

/// Value types of a GGUF key, with their numbers in the file.
enum class GgufType : std::uint32_t {
  kUint8 = 0, kInt8, kUint16, kInt16, kUint32, kInt32, kFloat32, kBool, kString, kArray, kUint64, kInt64, kFloat64
};
std::string_view to_string(GgufType type);

/// An array is checked element by element, and only its shape is kept.
struct GgufArray {
  GgufType element;
  std::uint64_t count;
};

using GgufValue = std::variant<std::uint64_t, std::int64_t, double, bool, std::string, GgufArray>;

struct GgufTensor {
  std::string name;
  std::vector<std::uint64_t> dims;  ///< dims[0] is the row length (fastest)
  std::uint32_t type = 0;           ///< ggml's number of the element format
  std::uint64_t offset = 0;         ///< bytes from the start of the file
  std::uint64_t bytes = 0;

  std::uint64_t elements() const;
};

/// Element formats: ggml's number, its name, and how many elements are packed into a block of how many bytes.
struct GgmlFormat {
  std::uint32_t id;
  std::string_view name;
  std::uint32_t block;
  std::uint32_t bytes;
};
std::span<const GgmlFormat> ggml_formats();
const GgmlFormat* ggml_format(std::uint32_t id);  ///< null for an unknown or removed format

/// What the head of a GGUF file says, after every bound was checked.
struct GgufInfo {
  std::uint32_t version = 0;
  std::map<std::string, GgufValue> metadata;
  std::vector<GgufTensor> tensors;  ///< in file order, one right after another
  std::uint64_t alignment = 32;
  std::uint64_t data_offset = 0;    ///< bytes from the start of the file to the first tensor
  std::uint64_t file_bytes = 0;

  std::string text(std::string_view key) const;             ///< empty when absent or no string
  std::uint64_t number(std::string_view key) const;         ///< 0 when absent or no whole number
  std::string architecture() const { return text("general.architecture"); }
  std::string chat_template() const { return text("tokenizer.chat_template"); }
  bool is_adapter() const { return text("general.type") == "adapter"; }
  std::uint64_t parameters() const;                         ///< elements of all tensors
  std::uint64_t context_length() const;                     ///< tokens the model was trained for; 0 = not said
  std::uint64_t vocabulary() const;                         ///< number of tokens; 0 = none in the file
  std::uint64_t data_bytes() const;                         ///< of all tensors
  std::string file_type() const;                            ///< the format that holds most bytes: "q4_1"
};

/// Reads and checks the head of a GGUF file, version 2 or 3: the bytes are foreign, and llama.cpp, which ends the
/// process on some malformed files, is given only what passed here. Checked: magic, version, counts against the file's
/// size, keys and strings, array elements, alignment, tensor shapes, formats and block sizes, offsets, the tokenizer's
/// arrays against each other, number of blocks.
///
/// kCorrupt with file and byte offset for malformed content; a file shorter than its head promises is called a
/// truncated download. kUnsupported for other versions, byte orders and unknown element formats.
/// Source of the layout: the GGUF specification, version 3.
Result<GgufInfo> read_gguf_header(const std::filesystem::path& path);

/// The same for bytes in memory. `bytes` is the beginning of a file of `file_bytes`; `name` is for messages.
Result<GgufInfo> parse_gguf_header(std::span<const std::byte> bytes, std::uint64_t file_bytes, std::string_view name);

}  // namespace valence
