#include "valence/model/gguf.h"

#include <ggml.h>
#include <gguf.h>
#include <gtest/gtest.h>

#include <memory>

#include "support/gguf_builder.h"
#include "support/scratch.h"
#include "valence/base/random.h"

namespace valence {
namespace {

using testing::GgufBuilder;
using testing::Scratch;
using testing::small_gguf;

Result<GgufInfo> parse(std::string_view bytes) {
  return parse_gguf_header(std::as_bytes(std::span(bytes)), bytes.size(), "m.gguf");
}

std::string error_of(std::string_view bytes) {
  const auto info = parse(bytes);
  return info ? "no error" : info.error().message;
}

std::string error_of(const GgufBuilder& builder) { return error_of(builder.bytes()); }

TEST(Gguf, ASoundFileIsReadWhole) {
  const auto bytes = small_gguf().bytes();
  const auto info = parse(bytes);
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->version, 3U);
  EXPECT_EQ(info->architecture(), "llama");
  EXPECT_EQ(info->chat_template(), "{{ messages }}");
  EXPECT_EQ(info->context_length(), 128U);
  EXPECT_EQ(info->vocabulary(), 4U);
  EXPECT_EQ(info->parameters(), 32U + 64U);
  EXPECT_EQ(info->data_bytes(), 128U + 68U);
  EXPECT_EQ(info->file_type(), "f32");
  EXPECT_FALSE(info->is_adapter());
  ASSERT_EQ(info->tensors.size(), 2U);
  EXPECT_EQ(info->tensors[1].name, "blk.0.attn_q.weight");
  EXPECT_EQ(info->tensors[1].dims, (std::vector<std::uint64_t>{32, 2}));
  EXPECT_EQ(info->tensors[1].bytes, 68U);
  EXPECT_EQ(info->tensors[1].offset, info->data_offset + 128);
  EXPECT_EQ(info->data_offset % 32, 0U);
  EXPECT_EQ(info->tensors[1].offset + info->tensors[1].bytes, bytes.size());
}

TEST(Gguf, TheSameComesFromAFile) {
  const Scratch scratch;
  small_gguf().write(scratch / "m.gguf");
  const auto info = read_gguf_header(scratch / "m.gguf");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->tensors.size(), 2U);
  EXPECT_EQ(info->file_bytes, std::filesystem::file_size(scratch / "m.gguf"));
}

TEST(Gguf, VersionTwoIsReadLikeThree) {
  auto builder = small_gguf();
  builder.version = 2;
  EXPECT_TRUE(parse(builder.bytes()));
}

TEST(Gguf, EveryKindOfValueIsKept) {
  GgufBuilder builder;
  builder.scalar<std::uint8_t>("u8", 0, 200).scalar<std::int8_t>("i8", 1, -3).scalar<std::uint16_t>("u16", 2, 60000);
  builder.scalar<std::int16_t>("i16", 3, -300).u32("u32", 4'000'000'000U).i32("i32", -5).f32("f32", 0.5F);
  builder.boolean("bool", 1).text("text", "x").scalar<std::uint64_t>("u64", 10, 1ULL << 60);
  builder.scalar<std::int64_t>("i64", 11, -(1LL << 60)).scalar<double>("f64", 12, 0.1);
  builder.numbers<std::uint8_t>("bools", GgufBuilder::kBool, {0, 1});
  const auto info = parse(builder.bytes());
  ASSERT_TRUE(info) << info.error().message;
  const auto& values = info->metadata;
  EXPECT_EQ(std::get<std::uint64_t>(values.at("u8")), 200U);
  EXPECT_EQ(std::get<std::int64_t>(values.at("i8")), -3);
  EXPECT_EQ(info->number("u16"), 60000U);
  EXPECT_EQ(std::get<std::int64_t>(values.at("i16")), -300);
  EXPECT_EQ(info->number("u32"), 4'000'000'000U);
  EXPECT_EQ(info->number("i32"), 0U);  // negative: no number
  EXPECT_EQ(std::get<double>(values.at("f32")), 0.5);
  EXPECT_TRUE(std::get<bool>(values.at("bool")));
  EXPECT_EQ(info->text("text"), "x");
  EXPECT_EQ(info->number("u64"), 1ULL << 60);
  EXPECT_EQ(std::get<std::int64_t>(values.at("i64")), -(1LL << 60));
  EXPECT_EQ(std::get<double>(values.at("f64")), 0.1);
  EXPECT_EQ(std::get<GgufArray>(values.at("bools")).element, GgufType::kBool);
  EXPECT_EQ(std::get<GgufArray>(values.at("bools")).count, 2U);
}

TEST(Gguf, BlockSizesAreThoseOfTheEngine) {
  for (std::uint32_t id = 0; id < GGML_TYPE_COUNT; ++id) {
    const auto type = static_cast<ggml_type>(id);
    const auto* ours = ggml_format(id);
    ASSERT_EQ(ours != nullptr, ggml_blck_size(type) > 0) << id;
    if (!ours) continue;
    EXPECT_EQ(ours->name, std::string_view(ggml_type_name(type)));
    EXPECT_EQ(ours->block, ggml_blck_size(type)) << ours->name;
    EXPECT_EQ(ours->bytes, ggml_type_size(type)) << ours->name;
  }
  EXPECT_EQ(ggml_format(GGML_TYPE_COUNT), nullptr);
}

TEST(Gguf, ATruncatedDownloadIsCalledOne) {
  const auto bytes = small_gguf().bytes();
  EXPECT_EQ(error_of(bytes.substr(0, bytes.size() - 1)),
            "m.gguf: the file is " + std::to_string(bytes.size() - 1) + " bytes, its header promises " +
                std::to_string(bytes.size()) + ": truncated download");
  EXPECT_EQ(error_of(bytes.substr(0, 200)), "m.gguf: the file is 200 bytes, its header is longer: truncated download");
  EXPECT_EQ(error_of(bytes.substr(0, 40)),
            "m.gguf: byte 8: 2 tensors do not fit into a file of 40 bytes: truncated or damaged");
  EXPECT_EQ(error_of(""), "m.gguf: the file is 0 bytes, its header is longer: truncated download");
}

TEST(Gguf, EveryTruncationIsFound) {
  const auto bytes = small_gguf().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto info = parse(std::string_view(bytes).substr(0, size));
    ASSERT_FALSE(info) << size;
    ASSERT_EQ(info.error().code, ErrorCode::kCorrupt) << size << info.error().message;
  }
}

TEST(Gguf, FilesThatAreNoGgufAreTold) {
  auto builder = small_gguf();
  builder.magic = 0x04034B50;
  EXPECT_EQ(error_of(builder), "m.gguf: byte 0: no GGUF file: it does not begin with \"GGUF\"");
  const Scratch scratch;
  testing::put_file(scratch / "empty.gguf", "");
  EXPECT_EQ(read_gguf_header(scratch / "empty.gguf").error().message,
            (scratch / "empty.gguf").string() + ": the file is empty");
  const auto missing = read_gguf_header(scratch / "missing.gguf");
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message, (scratch / "missing.gguf").string() + ": No such file or directory");
  EXPECT_EQ(read_gguf_header(scratch.path()).error().message, scratch.path().string() + ": not a regular file");
}

TEST(Gguf, OtherVersionsAreRefused) {
  auto builder = small_gguf();
  builder.version = 1;
  EXPECT_EQ(error_of(builder), "m.gguf: GGUF version 1; versions 2 and 3 can be read");
  builder.version = 4;
  EXPECT_EQ(error_of(builder), "m.gguf: GGUF version 4; versions 2 and 3 can be read");
  builder.version = 0x03000000;
  EXPECT_EQ(error_of(builder), "m.gguf: a big-endian GGUF file; convert it to little-endian");
  EXPECT_EQ(parse(builder.bytes()).error().code, ErrorCode::kUnsupported);
}

TEST(Gguf, CountsMustFitTheFile) {
  auto tensors = GgufBuilder();
  tensors.more_tensors = 1'000'000'000'000;
  EXPECT_EQ(error_of(tensors.head()), "m.gguf: byte 8: 1,000,000,000,000 tensors do not fit into a file of 24 bytes: truncated or damaged");
  auto pairs = GgufBuilder();
  pairs.more_pairs = ~std::uint64_t{0};
  EXPECT_EQ(error_of(pairs.head()),
            "m.gguf: byte 16: 18,446,744,073,709,551,615 keys do not fit into a file of 24 bytes: truncated or damaged");
}

TEST(Gguf, KeysAreChecked) {
  EXPECT_EQ(error_of(GgufBuilder().u32("", 1)), "m.gguf: byte 24: key 0 is empty");
  EXPECT_EQ(error_of(GgufBuilder().u32("a", 1).u32("a", 2)), "m.gguf: byte 41: key \"a\" appears twice");
  EXPECT_EQ(error_of(GgufBuilder().u32(std::string(70'000, 'k'), 1)),
            "m.gguf: byte 24: key 0 is 70,000 bytes long; at most 65,535 are allowed");
  EXPECT_EQ(error_of(GgufBuilder().raw("a", 13, "")), "m.gguf: byte 33: \"a\" has type 13; the types are 0 to 12");
  EXPECT_EQ(error_of(GgufBuilder().boolean("a", 2)), "m.gguf: byte 37: \"a\" is a bool with value 2; it should be 0 or 1");
}

TEST(Gguf, StringsAreBounded) {
  std::string length;
  GgufBuilder::append(length, std::uint64_t{1} << 40);
  EXPECT_EQ(error_of(GgufBuilder().raw("a", GgufBuilder::kString, length)),
            "m.gguf: byte 37: \"a\" is 1,099,511,627,776 bytes long; at most 16,777,216 are allowed");
}

TEST(Gguf, ArraysAreChecked) {
  std::string head;
  GgufBuilder::append(head, std::uint32_t{GgufBuilder::kU32});
  GgufBuilder::append(head, std::uint64_t{1} << 62);
  EXPECT_EQ(error_of(GgufBuilder().raw("a", GgufBuilder::kArray, head)),
            "m.gguf: byte 37: \"a\" promises 4,611,686,018,427,387,904 elements, but only 15 bytes follow: truncated or "
            "damaged");
  EXPECT_EQ(error_of(GgufBuilder().numbers<std::uint32_t>("a", GgufBuilder::kArray, {1})),
            "m.gguf: byte 37: \"a\" is an array of arrays, which is refused");
  EXPECT_EQ(error_of(GgufBuilder().numbers<std::uint32_t>("a", 99, {1})),
            "m.gguf: byte 37: \"a\" has type 99; the types are 0 to 12");
  EXPECT_EQ(error_of(GgufBuilder().numbers<std::uint8_t>("a", GgufBuilder::kBool, {1, 0, 7})),
            "m.gguf: byte 51: \"a\" holds a bool that is neither 0 nor 1");
}

TEST(Gguf, TheAlignmentIsAPowerOfTwo) {
  EXPECT_EQ(error_of(GgufBuilder().u32("general.alignment", 0)),
            "m.gguf: byte 24: general.alignment is 0; it should be a power of two");
  EXPECT_EQ(error_of(GgufBuilder().u32("general.alignment", 48)),
            "m.gguf: byte 24: general.alignment is 48; it should be a power of two");
  EXPECT_EQ(error_of(GgufBuilder().scalar<std::uint64_t>("general.alignment", 10, 32)),
            "m.gguf: byte 24: general.alignment is of type uint64; it should be uint32");
}

TEST(Gguf, AnotherAlignmentIsFollowed) {
  GgufBuilder builder;
  builder.alignment = 128;
  builder.u32("general.alignment", 128);
  const std::array<float, 4> values{};
  builder.f32_tensor("a", {4}, values).f32_tensor("b", {4}, values);
  const auto info = parse(builder.bytes());
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->tensors[1].offset, info->data_offset + 128);
}

TEST(Gguf, TensorNamesAreChecked) {
  const auto with_name = [](std::string_view name) { return GgufBuilder().tensor(name, {4}, 0, std::string(16, '\0')); };
  EXPECT_EQ(error_of(with_name("")), "m.gguf: byte 24: tensor 0 has no proper name");
  EXPECT_EQ(error_of(with_name(std::string_view("a\0b", 3))), "m.gguf: byte 24: tensor 0 has no proper name");
  EXPECT_EQ(error_of(with_name(std::string(64, 'n'))),
            "m.gguf: byte 24: the name of tensor 0 is 64 bytes long; at most 63 are allowed");
  EXPECT_EQ(error_of(with_name("a").tensor("a", {4}, 0, std::string(16, '\0'))),
            "m.gguf: byte 57: tensor \"a\" appears twice");
}

TEST(Gguf, ShapesAreChecked) {
  const auto with_dims = [](const std::vector<std::uint64_t>& dims) { return GgufBuilder().tensor("a", dims, 0, "data"); };
  EXPECT_EQ(error_of(with_dims({})), "m.gguf: byte 33: tensor \"a\" has 0 dimensions; 1 to 4 are allowed");
  EXPECT_EQ(error_of(with_dims({1, 1, 1, 1, 1})), "m.gguf: byte 33: tensor \"a\" has 5 dimensions; 1 to 4 are allowed");
  EXPECT_EQ(error_of(with_dims({4, 0})), "m.gguf: byte 45: tensor \"a\" has the impossible dimension 0");
  EXPECT_EQ(error_of(with_dims({1ULL << 32, 1ULL << 32})),
            "m.gguf: byte 45: tensor \"a\" has the impossible dimension 4294967296");
  EXPECT_EQ(error_of(with_dims({1ULL << 62})), "m.gguf: byte 45: tensor \"a\" is larger than can be addressed");
}

TEST(Gguf, FormatsAreChecked) {
  EXPECT_EQ(error_of(GgufBuilder().tensor("a", {32}, 4, "")), "m.gguf: tensor \"a\" is in the unknown format 4");
  EXPECT_EQ(error_of(GgufBuilder().tensor("a", {33}, 8, "")),
            "m.gguf: byte 45: tensor \"a\" has rows of 33 elements; q8_0 packs 32 into a block");
}

TEST(Gguf, OffsetsAreAlignedAndInOrder) {
  const auto second_at = [](std::uint64_t offset) {
    auto builder = GgufBuilder().tensor("a", {16}, 0, std::string(512, '\0'));
    return builder.tensor_info("b", {4}, 0, offset);
  };
  EXPECT_EQ(error_of(second_at(64)), "no error");
  EXPECT_EQ(error_of(second_at(65)), "m.gguf: byte 90: tensor \"b\" starts at 65 of the data, which is no multiple of 32");
  EXPECT_EQ(error_of(second_at(32)), "m.gguf: byte 90: tensor \"b\" starts at 32 of the data; 64 was expected: it overlaps "
                                     "another");
  EXPECT_EQ(error_of(second_at(96)), "m.gguf: byte 90: tensor \"b\" starts at 96 of the data; 64 was expected: it leaves a "
                                     "gap");
}

TEST(Gguf, TheTokenizersArraysMustMatch) {
  const auto tokens = std::vector<std::string>{"a", "b"};
  EXPECT_EQ(error_of(GgufBuilder().texts("tokenizer.ggml.tokens", tokens).numbers<float>("tokenizer.ggml.scores", 6, {1})),
            "m.gguf: byte 136: \"tokenizer.ggml.scores\" has 1 elements for 2 tokens");
  EXPECT_EQ(error_of(GgufBuilder()
                         .texts("tokenizer.ggml.tokens", tokens)
                         .numbers<std::int32_t>("tokenizer.ggml.token_type", 5, {1, 1, 1})),
            "m.gguf: byte 148: \"tokenizer.ggml.token_type\" has 3 elements for 2 tokens");
  EXPECT_EQ(error_of(GgufBuilder().texts("tokenizer.ggml.tokens", {"a", "b", "a"})),
            "m.gguf: byte 87: token 2 has the same text as an earlier one: \"a\"");
  EXPECT_EQ(error_of(GgufBuilder().texts("tokenizer.ggml.tokens", {"[EMPTY_1]", ""})),
            "m.gguf: byte 86: token 1 has the same text as an earlier one: \"[EMPTY_1]\"");
}

TEST(Gguf, TheNumberOfBlocksIsSupported) {
  for (const std::uint32_t count : {0U, 513U}) {
    EXPECT_EQ(error_of(GgufBuilder().text("general.architecture", "llama").u32("llama.block_count", count)),
              "m.gguf: byte 102: \"llama.block_count\" is " + std::to_string(count) + "; 1 to 512 blocks are supported");
  }
}

TEST(Gguf, ControlCharactersInNamesDoNotReachTheTerminal) {
  EXPECT_EQ(error_of(GgufBuilder().boolean("a\x1b[2J", 2)),
            "m.gguf: byte 41: \"a[2J\" is a bool with value 2; it should be 0 or 1");
}

/// Does the engine's own reader take these bytes?
bool engine_reads(std::string_view bytes) {
  const gguf_init_params only_the_head{.no_alloc = true, .ctx = nullptr};
  const std::unique_ptr<gguf_context, decltype(&gguf_free)> context(
      gguf_init_from_buffer(bytes.data(), bytes.size(), only_the_head), gguf_free);
  return context != nullptr;
}

// The claim of this file: whatever the bytes, the reader answers; what it passes lies within the file and is good
// enough for the engine.
TEST(Gguf, DamagedBytesNeverCrashNorPassOutOfBounds) {
  const auto sound = small_gguf().bytes();
  const std::array<std::string, 4> extremes{std::string(1, '\0'), std::string(1, '\xFF'), std::string(8, '\xFF'),
                                            std::string("\0\0\0\0\0\0\0\x7F", 8)};
  std::size_t refused = 0;
  for (std::uint64_t round = 0; round < 20'000; ++round) {
    RandomStream random(7, "gguf damage", round);
    auto bytes = sound;
    for (std::size_t hits = 1 + random.below(3); hits > 0; --hits) {
      const auto at = random.below(bytes.size() - 8);
      if (random.below(2) == 0) {
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      } else {
        const auto& extreme = extremes[random.below(extremes.size())];
        bytes.replace(at, extreme.size(), extreme);
      }
    }
    if (random.below(4) == 0) bytes.resize(random.below(bytes.size()));
    const auto info = parse(bytes);
    if (!info) {
      ++refused;
      ASSERT_FALSE(info.error().message.empty());
      continue;
    }
    ASSERT_TRUE(engine_reads(bytes)) << round;
    for (const auto& tensor : info->tensors) {
      ASSERT_LE(tensor.offset, bytes.size());
      ASSERT_LE(tensor.bytes, bytes.size() - tensor.offset);
    }
  }
  EXPECT_GT(refused, 5'000U);
  EXPECT_LT(refused, 20'000U);
}

}  // namespace
}  // namespace valence
