// What the fuzz targets say of their corpora, of every beginning of them, and of them with bytes changed.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "valence/base/files.h"
#include "valence/base/random.h"

extern "C" {
int fuzz_csv(const std::uint8_t* data, std::size_t size);
int fuzz_evaluator(const std::uint8_t* data, std::size_t size);
int fuzz_filter(const std::uint8_t* data, std::size_t size);
int fuzz_gguf(const std::uint8_t* data, std::size_t size);
int fuzz_jsonl(const std::uint8_t* data, std::size_t size);
int fuzz_safetensors(const std::uint8_t* data, std::size_t size);
int fuzz_toml(const std::uint8_t* data, std::size_t size);
int fuzz_wire(const std::uint8_t* data, std::size_t size);
}

namespace valence {
namespace {

namespace fs = std::filesystem;

struct Parser {
  std::string name;
  int (*read)(const std::uint8_t*, std::size_t);
};

void PrintTo(const Parser& parser, std::ostream* out) { *out << parser.name; }

constexpr std::size_t kBeginnings = 200, kChanges = 200;  // per file

class FuzzTarget : public ::testing::TestWithParam<Parser> {
 protected:
  /// A target traps on what must not be: the process then ends here.
  void read(const std::string& bytes) const {
    EXPECT_EQ(GetParam().read(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), 0);
  }

  std::vector<std::string> corpus() const {
    std::vector<std::string> contents = {"", "{}", std::string(64, '\xFF')};
    const auto folder = fs::path(VALENCE_FUZZ_CORPUS) / GetParam().name;
    if (!fs::exists(folder)) return contents;
    for (const auto& entry : fs::directory_iterator(folder)) contents.push_back(read_file(entry.path()).value());
    return contents;
  }
};

TEST_P(FuzzTarget, ReadsItsCorpusWholeAndCut) {
  for (const auto& bytes : corpus()) {
    read(bytes);
    const auto step = bytes.size() / kBeginnings + 1;
    for (std::size_t length = 0; length < bytes.size(); length += step) read(bytes.substr(0, length));
  }
}

TEST_P(FuzzTarget, ReadsItsCorpusWithBytesChanged) {
  RandomStream random(0, "changed bytes");
  for (const auto& bytes : corpus()) {
    for (std::size_t i = 0; i < kChanges && !bytes.empty(); ++i) {
      auto changed = bytes;
      for (std::size_t k = 0; k <= random.below(4); ++k)
        changed[random.below(changed.size())] = static_cast<char>(random.below(256));
      read(changed);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Parsers, FuzzTarget,
                         ::testing::Values(Parser{"csv", fuzz_csv}, Parser{"evaluator", fuzz_evaluator},
                                           Parser{"filter", fuzz_filter}, Parser{"gguf", fuzz_gguf},
                                           Parser{"jsonl", fuzz_jsonl}, Parser{"safetensors", fuzz_safetensors},
                                           Parser{"toml", fuzz_toml}, Parser{"wire", fuzz_wire}),
                         [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace valence
