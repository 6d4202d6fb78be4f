#include "valence/base/files.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "valence/base/text.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

std::string reason_of(int error) { return std::generic_category().message(error); }

ErrorCode code_of(int error) {
  if (error == ENOENT || error == ENOTDIR) return ErrorCode::kNotFound;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) return ErrorCode::kDiskFull;
  return ErrorCode::kIo;
}

tl::unexpected<Error> refused(const fs::path& path, std::string_view deed, int error) {
  return fail(code_of(error), "{}: cannot {}: {}", path.string(), deed, reason_of(error));
}

tl::unexpected<Error> write_refused(const fs::path& path, int error) {
  auto code = code_of(error);
  if (code == ErrorCode::kNotFound) code = ErrorCode::kIo;  // nothing was looked for
  return fail(code, "{}: cannot write: {}", path.string(), reason_of(error));
}

class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  int close() { return ::close(std::exchange(descriptor_, -1)); }

 private:
  int descriptor_;
};

int open_file(const fs::path& path, int flags) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

/// 0, or errno.
int write_all(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

int write_and_sync(const fs::path& path, int flags, std::string_view content) {
  OpenFile file(open_file(path, O_WRONLY | flags));
  if (file.get() < 0) return errno;
  if (const int error = write_all(file.get(), content); error != 0) return error;
  if (::fsync(file.get()) != 0 && errno != EINVAL && errno != EROFS) return errno;  // pipes and devices cannot sync
  return file.close() == 0 ? 0 : errno;
}

fs::path temporary_beside(const fs::path& path) {
  static std::atomic<unsigned> count{0};
  return fmt::format("{}.{}-{}.part", path.string(), ::getpid(), count++);
}

/// Makes the rename itself survive a power cut. Some file systems cannot sync a folder: then there is nothing to do.
void sync_folder(const fs::path& folder) {
  OpenFile file(open_file(folder, O_RDONLY | O_DIRECTORY));
  if (file.get() >= 0) ::fsync(file.get());
}

fs::path home_folder() {
  if (const auto home = environment("HOME"); !home.empty()) return home;
  const auto* entry = ::getpwuid(::getuid());
  return entry == nullptr ? fs::current_path() : fs::path(entry->pw_dir);
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::vector<fs::path> data_candidates() {
  std::vector<fs::path> places;
  std::error_code error;
  const auto program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const auto folder = program.parent_path();
    places.push_back((folder / "../share/valence/data").lexically_normal());
    places.push_back((folder / "../data").lexically_normal());
  }
  places.emplace_back(VALENCE_SOURCE_DATA);
  return places;
}

}  // namespace

Result<std::string> read_file(const fs::path& path) {
  OpenFile file(open_file(path, O_RDONLY));
  if (file.get() < 0) return refused(path, "read", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return refused(path, "read", errno);
  std::string content;
  content.reserve(status.st_size > 0 ? static_cast<std::size_t>(status.st_size) + 1 : 0);
  std::string block(std::size_t{1} << 16, '\0');
  for (;;) {
    const auto count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refused(path, "read", errno);
    if (count == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(count));
  }
}

Result<void> write_file(const fs::path& path, std::string_view content) {
  std::error_code error;
  auto target = path;
  if (fs::exists(path, error)) {
    if (is_folder(path)) return write_refused(path, EISDIR);
    if (!fs::is_regular_file(path, error)) {  // a pipe or device cannot be replaced, only written to
      const int refusal = write_and_sync(path, O_TRUNC, content);
      return refusal == 0 ? Result<void>() : write_refused(path, refusal);
    }
    target = fs::canonical(path, error);  // a link stays, what it points to is replaced
    if (error) return write_refused(path, error.value());
  } else if (path.has_parent_path()) {
    fs::create_directories(path.parent_path(), error);
    if (error) return write_refused(path, error.value());
  }
  const auto temporary = temporary_beside(target);
  int refusal = write_and_sync(temporary, O_CREAT | O_EXCL, content);
  if (refusal == 0 && std::rename(temporary.c_str(), target.c_str()) != 0) refusal = errno;
  if (refusal != 0) {
    fs::remove(temporary, error);
    return write_refused(path, refusal);
  }
  sync_folder(target.has_parent_path() ? target.parent_path() : fs::path("."));
  return {};
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

fs::path cache_folder() {
  if (const auto own = environment("VALENCE_CACHE"); !own.empty()) return own;
  if (const fs::path shared = environment("XDG_CACHE_HOME"); shared.is_absolute()) return shared / "valence";
  return home_folder() / ".cache" / "valence";
}

Result<fs::path> data_folder() {
  if (const auto own = environment("VALENCE_DATA"); !own.empty()) {
    if (is_folder(own)) return fs::path(own);
    return fail(ErrorCode::kNotFound, "the folder of data files that VALENCE_DATA names does not exist: {}", own);
  }
  std::vector<std::string> tried;
  for (const auto& place : data_candidates()) {
    if (is_folder(place)) return place;
    tried.push_back(place.string());
  }
  return fail(ErrorCode::kNotFound, "found no folder of data files; looked in {}. Set VALENCE_DATA to it",
              join(tried, ", "));
}

FileLock::FileLock(int descriptor) : descriptor_(descriptor) {}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<TemporaryFolder> TemporaryFolder::inside(const fs::path& parent) {
  std::error_code error;
  fs::create_directories(parent, error);
  auto pattern = (parent / ".valence-XXXXXX").string();
  if (error || !::mkdtemp(pattern.data())) {
    return fail(ErrorCode::kIo, "{}: cannot make a folder there: {}", parent.string(),
                error ? error.message() : std::error_code(errno, std::generic_category()).message());
  }
  return TemporaryFolder(fs::path(pattern));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<std::optional<FileLock>> FileLock::try_acquire(const fs::path& path, std::uint64_t place) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  FileLock lock(open_file(path, O_RDWR | O_CREAT));
  if (lock.descriptor_ < 0) return refused(path, "lock", errno);
  struct flock range {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(place >> 2U);  // with its one byte below the largest offset
  range.l_len = 1;
  if (::fcntl(lock.descriptor_, F_OFD_SETLK, &range) == 0) return std::optional<FileLock>(std::move(lock));
  if (errno != EAGAIN && errno != EACCES) return refused(path, "lock", errno);
  return std::optional<FileLock>();
}

Result<FileLock> FileLock::acquire(const fs::path& path, const std::function<void()>& waiting) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  FileLock lock(open_file(path, O_RDWR | O_CREAT));
  if (lock.descriptor_ < 0) return refused(path, "lock", errno);
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return refused(path, "lock", errno);
  if (waiting) waiting();
  while (::flock(lock.descriptor_, LOCK_EX) != 0) {
    if (errno != EINTR) return refused(path, "lock", errno);
  }
  return lock;
}

}  // namespace valence
