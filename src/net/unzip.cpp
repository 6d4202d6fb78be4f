#include "valence/net/unzip.h"

#include "valence/base/files.h"
#include "valence/base/process.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::string_view kUnpack = R"(
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    archive.extractall(sys.argv[2])
)";

std::string last_words(const std::filesystem::path& output) {
  const auto text = read_file(output);
  return text ? printable(split(trim(*text), "\n").back()) : std::string();
}

}  // namespace

Result<void> unpack_zip(const std::filesystem::path& archive, const std::filesystem::path& folder, const std::stop_token& stop) {
  VALENCE_TRY(const auto scratch, TemporaryFolder::inside(folder.parent_path()));
  const auto output = scratch.path() / "output.txt";
  const Program program{{"python3", "-c", std::string(kUnpack), archive.string(), folder.string()}, {}, output};
  const auto status = run_program(program, stop, {});
  if (!status && status.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kUnsupported, "python3 was not found: archives are unpacked with it. Install it and run the same command again");
  }
  VALENCE_CHECK(status);
  if (*status == 0) return {};
  const auto words = last_words(output);
  const bool full = words.find("No space left on device") != std::string::npos;
  return fail(full ? ErrorCode::kDiskFull : ErrorCode::kCorrupt, "{}: cannot be unpacked: {}", archive.string(), words);
}

}  // namespace valence
