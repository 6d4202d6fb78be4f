#include "valence/net/download.h"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "head.h"
#include "part.h"
#include "valence/base/text.h"

namespace valence {
namespace {

namespace fs = std::filesystem;
using Milliseconds = std::chrono::milliseconds;

constexpr long kStallBytesPerSecond = 1024;
constexpr Milliseconds kStopPoll{50};

/// The state that curl's callbacks share during one attempt.
struct Transfer {
  CURL* curl = nullptr;
  int file = -1;
  const std::string* url = nullptr;
  const Part* part = nullptr;
  const DownloadOptions* options = nullptr;
  std::uint64_t asked_from = 0;  ///< first byte asked for
  std::uint64_t kept = 0;        ///< bytes in the partial file
  std::uint64_t shown = 0;       ///< bytes reported to the progress
  std::uint64_t total = 0;       ///< of the whole file; 0 = not known
  long status = 0;
  bool begun = false;            ///< the first bytes of a good answer were seen
  std::optional<Error> error{};  ///< ours, to be told instead of curl's
  Head head{};
};

void show(Transfer& transfer) {
  if (transfer.kept <= transfer.shown || !transfer.options->progress) return;
  transfer.options->progress->advance(static_cast<std::size_t>(transfer.kept - transfer.shown));
  transfer.shown = transfer.kept;
}

Error file_error(const Transfer& transfer, int reason) {
  if (reason == ENOSPC || reason == EDQUOT) {
    return {ErrorCode::kDiskFull,
            fmt::format("no space left on device. {} bytes are kept in {}; free space and run the same command to go on",
                        with_thousands(transfer.kept), transfer.part->data.string())};
  }
  return {ErrorCode::kIo, fmt::format("{}: {}", transfer.part->data.string(), std::strerror(reason))};
}

Error wrong_size(const Transfer& transfer, std::uint64_t size) {
  return {ErrorCode::kMismatch, fmt::format("{}: the file is {} bytes, expected {}; nothing was kept. Check the address",
                                            *transfer.url, with_thousands(size), with_thousands(*transfer.options->size))};
}

/// At the first bytes of a good answer: does it go on where we stopped, or is it the whole file again?
Result<void> begin(Transfer& transfer) {
  transfer.begun = true;
  const bool goes_on = transfer.status == 206 && transfer.head.range_start == transfer.asked_from;
  if (transfer.status == 206 && !goes_on) {
    return fail(ErrorCode::kNetwork, "{}: the server sent another part than was asked for", *transfer.url);
  }
  if (!goes_on) {
    if (::ftruncate(transfer.file, 0) != 0) return tl::unexpected(file_error(transfer, errno));
    transfer.kept = 0;
  }
  curl_off_t length = -1;
  curl_easy_getinfo(transfer.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  transfer.total = goes_on ? transfer.head.range_total.value_or(0) : length > 0 ? static_cast<std::uint64_t>(length) : 0;
  const auto expected = transfer.options->size;
  if (expected && transfer.total != 0 && transfer.total != *expected) {
    return tl::unexpected(wrong_size(transfer, transfer.total));
  }
  return write_record(*transfer.part, {*transfer.url, transfer.head.version(), transfer.total});
}

Result<void> append(Transfer& transfer, std::string_view bytes) {
  if (!transfer.begun) VALENCE_CHECK(begin(transfer));
  if (transfer.options->size && transfer.kept + bytes.size() > *transfer.options->size) {
    return tl::unexpected(wrong_size(transfer, transfer.kept + bytes.size()));
  }
  while (!bytes.empty()) {
    const auto count = ::pwrite(transfer.file, bytes.data(), bytes.size(), static_cast<off_t>(transfer.kept));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return tl::unexpected(file_error(transfer, errno));
    transfer.kept += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  show(transfer);
  return {};
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &transfer.status);
  if (transfer.status != 200 && transfer.status != 206) return size;  // an error page: not part of the file
  const auto done = append(transfer, {data, size});
  if (done) return size;
  transfer.error = done.error();
  return 0;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  read_header_line({data, size}, static_cast<Transfer*>(user)->head);
  return size;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(user)->options->stop.stop_requested() ? 1 : 0;
}

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, CurlDeleter>;
using CurlHeaders = std::unique_ptr<curl_slist, CurlDeleter>;

void set_limits(CURL* curl, const std::string& url, const DownloadOptions& options) {
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, static_cast<long>(options.redirects));
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, url.starts_with("https:") ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall.count()));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
}

void set_callbacks(CURL* curl, Transfer& transfer) {
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

/// Range and If-Range: the rest if the file is still the same, else all of it.
CurlHeaders resume_headers(const Transfer& transfer, const std::string& version) {
  if (transfer.kept == 0) return nullptr;
  curl_slist* list = curl_slist_append(nullptr, fmt::format("Range: bytes={}-", transfer.kept).c_str());
  if (!version.empty()) list = curl_slist_append(list, ("If-Range: " + version).c_str());
  return CurlHeaders(list);
}

/// What one attempt came to.
struct Attempt {
  CURLcode code = CURLE_OK;
  long status = 0;
  std::optional<Milliseconds> retry_after{};
  std::string reason{};          ///< in words
  std::optional<Error> error{};  ///< final, whatever the code
  bool finished = false;
};

bool transient(const Attempt& attempt) {
  constexpr std::array kStatuses{408L, 425L, 429L, 500L, 502L, 503L, 504L};
  constexpr std::array kCodes{CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT,
                              CURLE_PARTIAL_FILE,          CURLE_OPERATION_TIMEDOUT,   CURLE_GOT_NOTHING,
                              CURLE_SEND_ERROR,            CURLE_RECV_ERROR,           CURLE_HTTP2,
                              CURLE_HTTP2_STREAM,          CURLE_SSL_CONNECT_ERROR};
  if (attempt.code == CURLE_OK) return std::ranges::find(kStatuses, attempt.status) != kStatuses.end();
  return std::ranges::find(kCodes, attempt.code) != kCodes.end();
}

std::string in_words(const Attempt& attempt, const char* detail) {
  if (attempt.code == CURLE_OK) return fmt::format("status {}", attempt.status);
  if (attempt.code == CURLE_PARTIAL_FILE) return "the connection ended early";
  return *detail ? detail : curl_easy_strerror(attempt.code);
}

std::optional<Milliseconds> retry_after(CURL* curl) {
  curl_off_t seconds = 0;
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
  if (seconds <= 0) return std::nullopt;
  return std::chrono::seconds(std::min<curl_off_t>(seconds, 1'000'000));
}

/// A complete partial file is answered with status 416: the range asked for is empty.
bool was_complete(const Transfer& transfer, const Attempt& attempt) {
  return attempt.status == 416 && transfer.total != 0 && transfer.kept == transfer.total;
}

Attempt try_once(Transfer& transfer, const std::string& version) {
  const CurlHandle curl(curl_easy_init());
  if (!curl) return {.code = CURLE_FAILED_INIT, .reason = "no memory for a connection"};
  std::array<char, CURL_ERROR_SIZE> detail{};
  transfer.curl = curl.get();
  transfer.asked_from = transfer.kept;
  transfer.begun = false;
  transfer.error.reset();
  transfer.head = {};
  const auto headers = resume_headers(transfer, version);
  curl_easy_setopt(curl.get(), CURLOPT_URL, transfer.url->c_str());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "valence");
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, detail.data());
  set_limits(curl.get(), *transfer.url, *transfer.options);
  set_callbacks(curl.get(), transfer);

  Attempt attempt{.code = curl_easy_perform(curl.get())};
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &attempt.status);
  attempt.retry_after = retry_after(curl.get());
  attempt.reason = in_words(attempt, detail.data());
  attempt.error = transfer.error;
  attempt.finished = attempt.code == CURLE_OK && (attempt.status == 200 || attempt.status == 206);
  attempt.finished = attempt.finished || was_complete(transfer, attempt);
  // An empty file has no first bytes: begin() was not called.
  if (attempt.finished && !transfer.begun && attempt.status == 200) {
    if (const auto begun = begin(transfer); !begun) attempt.error = begun.error();
  }
  return attempt;
}

std::string kept_text(const Transfer& transfer) {
  if (transfer.kept == 0) return "nothing was kept";
  const auto of = transfer.total ? fmt::format(" of {}", with_thousands(transfer.total)) : std::string();
  return fmt::format("{}{} bytes are kept in {}", with_thousands(transfer.kept), of, transfer.part->data.string());
}

tl::unexpected<Error> refused(const Transfer& transfer, const Attempt& attempt) {
  const auto& url = *transfer.url;
  if (attempt.status == 404 || attempt.status == 410) {
    return fail(ErrorCode::kNotFound, "{}: status {}: there is no such file. Check the address", url, attempt.status);
  }
  if (attempt.status == 401 || attempt.status == 403) {
    return fail(ErrorCode::kNetwork,
                "{}: status {}: access is refused. Fetch the file with a browser and name its path instead", url,
                attempt.status);
  }
  return fail(ErrorCode::kNetwork, "{}: {}; {}. Check the address", url, attempt.reason, kept_text(transfer));
}

tl::unexpected<Error> gave_up(const Transfer& transfer, const Attempt& attempt, std::string_view why) {
  const auto host = host_of(*transfer.url).value_or(*transfer.url);
  return fail(ErrorCode::kNetwork, "{}: {} {}; {}. Run the same command to go on", host, attempt.reason, why,
              kept_text(transfer));
}

tl::unexpected<Error> stopped(const Transfer& transfer) {
  return fail(ErrorCode::kStopped, "the download was stopped; {}. Run the same command to go on", kept_text(transfer));
}

/// False when asked to stop meanwhile.
bool wait(Milliseconds time, const std::stop_token& stop) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
    if (stop.stop_requested()) return false;
    std::this_thread::sleep_for(std::min(kStopPoll, time));
  }
  return !stop.stop_requested();
}

/// Without the server's version of a file, only a hash can tell afterwards whether its two halves belong together.
bool resumable(std::string_view version, const DownloadOptions& options) {
  return !version.empty() || options.sha256.has_value();
}

/// Attempts until the partial file is whole. Only attempts that bring nothing new are counted.
Result<void> fetch(Transfer& transfer, std::string version) {
  const auto& options = *transfer.options;
  auto pause = options.first_wait;
  auto furthest = transfer.kept;
  for (int idle = 0;;) {
    if (!resumable(version, options)) transfer.kept = 0;
    const auto attempt = try_once(transfer, version);
    if (attempt.error) {
      if (attempt.error->code == ErrorCode::kMismatch) discard(*transfer.part);
      return tl::unexpected(*attempt.error);
    }
    if (attempt.finished) return {};
    if (attempt.code == CURLE_ABORTED_BY_CALLBACK) return stopped(transfer);
    if (attempt.status == 416 && transfer.kept > 0) {  // what we have is no part of that file
      transfer.kept = 0;
    } else if (!transient(attempt)) {
      return refused(transfer, attempt);
    }
    if (transfer.begun) version = transfer.head.version();
    const bool progressed = transfer.kept > furthest;
    furthest = std::max(furthest, transfer.kept);
    idle = progressed ? 0 : idle + 1;
    if (idle >= options.attempts) return gave_up(transfer, attempt, fmt::format("after {} attempts", idle));
    if (progressed) pause = options.first_wait;
    const auto time = attempt.retry_after.value_or(pause);
    if (time > options.longest_wait) {
      return gave_up(transfer, attempt, fmt::format("and asks to come back in {}", duration_text(time)));
    }
    if (!wait(time, options.stop)) return stopped(transfer);
    pause = std::min(pause * 2, options.longest_wait);
  }
}

/// How much of an earlier call's file can be gone on with.
std::uint64_t usable(const Part& part, const PartRecord& record, const std::string& url, const DownloadOptions& options) {
  if (record.url != url || !resumable(record.version, options)) return 0;
  const auto kept = size_of(part.data);
  const auto limit = options.size ? *options.size : record.total;
  return limit != 0 && kept > limit ? 0 : kept;
}

Result<Digest> check(const Transfer& transfer) {
  const auto& options = *transfer.options;
  if (options.size && transfer.kept != *options.size) {
    discard(*transfer.part);
    return tl::unexpected(wrong_size(transfer, transfer.kept));
  }
  VALENCE_TRY(const auto digest, sha256_file(transfer.part->data));
  if (options.sha256 && digest != *options.sha256) {
    discard(*transfer.part);
    return fail(ErrorCode::kMismatch, "{}: the content's SHA-256 is {}, expected {}; nothing was kept. Check the address",
                *transfer.url, digest.hex(), options.sha256->hex());
  }
  return digest;
}

Result<void> make_folder(const fs::path& path) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", path.parent_path().string(), error.message());
  return {};
}

void initialise_curl() {
  static const auto code = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(code);
}

}  // namespace

Result<std::string> host_of(std::string_view url) {
  initialise_curl();
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), curl_url_cleanup);
  const auto usage = [&] { return fail(ErrorCode::kUsage, "{}: should be an http:// or https:// address", url); };
  if (!url.starts_with("http://") && !url.starts_with("https://")) return usage();
  if (curl_url_set(parts.get(), CURLUPART_URL, std::string(url).c_str(), 0) != CURLUE_OK) return usage();
  char* host = nullptr;
  if (curl_url_get(parts.get(), CURLUPART_HOST, &host, 0) != CURLUE_OK) return usage();
  const std::unique_ptr<char, decltype(&curl_free)> owned(host, curl_free);
  return std::string(host);
}

Result<Downloaded> download(const std::string& url, const fs::path& path, const DownloadOptions& options) {
  VALENCE_CHECK(host_of(url));
  VALENCE_CHECK(make_folder(path));
  const auto part = part_of(path);
  const auto record = read_record(part);
  const auto resumed = usable(part, record, url, options);
  const PartFile file(part.data);
  Transfer transfer{.file = file.number(), .url = &url, .part = &part, .options = &options, .kept = resumed};
  transfer.total = resumed ? record.total : 0;
  if (file.number() < 0) return tl::unexpected(file_error(transfer, errno));
  if (options.progress) {
    options.progress->start("downloading " + path.filename().string(), options.size.value_or(record.total), "bytes");
  }
  show(transfer);
  if (const auto fetched = fetch(transfer, record.version); !fetched) {
    if (transfer.kept == 0) discard(part);
    return tl::unexpected(fetched.error());
  }
  if (::fsync(file.number()) != 0) return tl::unexpected(file_error(transfer, errno));
  VALENCE_TRY(const auto digest, check(transfer));
  VALENCE_CHECK(put_in_place(part, path));
  if (options.progress) options.progress->finish();
  return Downloaded{digest, transfer.kept, resumed};
}

}  // namespace valence
