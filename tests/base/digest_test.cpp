#include "valence/base/digest.h"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

namespace valence {
namespace {

// Known answers of FIPS 180-4.
constexpr auto kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr auto kOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Sha256, MatchesTheStandard) {
  EXPECT_EQ(sha256("abc").hex(), kOfAbc);
  EXPECT_EQ(sha256("").hex(), kOfNothing);
  EXPECT_EQ(sha256("abc").brief(), "ba7816bf8f01");
}

TEST(Sha256, ReadsFilesInBlocks) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "valence-digest-test";
  std::ofstream(path) << std::string(1'000'000, 'a');
  // FIPS 180-4: a million times the letter a.
  EXPECT_EQ(sha256_file(path)->hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  std::filesystem::remove(path);
  const auto missing = sha256_file(path);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message, path.string() + ": cannot read: No such file or directory");
  EXPECT_EQ(sha256_file(::testing::TempDir()).error().code, ErrorCode::kIo);
}

TEST(Digest, ComesBackFromItsText) {
  EXPECT_EQ(Digest::from_hex(kOfAbc), sha256("abc"));
  EXPECT_EQ(Digest::from_hex("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015AD"), sha256("abc"));
}

TEST(Digest, RefusesOtherTexts) {
  EXPECT_EQ(Digest::from_hex("ba78").error().message,
            "\"ba78\" is not a SHA-256: expected 64 hexadecimal digits");
  EXPECT_FALSE(Digest::from_hex(std::string(64, 'g')));
}

TEST(Hasher, KeepsPiecesApart) {
  EXPECT_NE(Hasher().add("ab").add("c").finish(), Hasher().add("a").add("bc").finish());
  EXPECT_NE(Hasher().add("").finish(), Hasher().finish());
  EXPECT_NE(Hasher().add(std::uint64_t{1}).finish(), Hasher().add(1.0).finish());
  EXPECT_NE(Hasher().add(0.0).finish(), Hasher().add(-0.0).finish());
  EXPECT_NE(Hasher().add(std::uint64_t{0x61}).finish(),
            Hasher().add(std::string_view("a\0\0\0\0\0\0\0", 8)).finish());
}

TEST(Hasher, WritesTypeLengthAndBytes) {
  const std::string piece = std::string("t") + std::string("\x02\0\0\0\0\0\0\0", 8) + "ab";
  EXPECT_EQ(Hasher().add("ab").finish(), sha256(piece));
  const std::vector<std::int32_t> tokens = {1, -2};
  const std::string numbers = std::string("i") + std::string("\x08\0\0\0\0\0\0\0", 8) +
                              std::string("\x01\0\0\0\xFE\xFF\xFF\xFF", 8);
  EXPECT_EQ(Hasher().add(std::span<const std::int32_t>(tokens)).finish(), sha256(numbers));
}

TEST(Hasher, BeginsAnewAfterFinish) {
  Hasher hasher;
  const auto first = hasher.add("x").finish();
  EXPECT_EQ(hasher.add("x").finish(), first);
  EXPECT_EQ(Hasher().add(first).finish(), Hasher().add(first).finish());
}

}  // namespace
}  // namespace valence
