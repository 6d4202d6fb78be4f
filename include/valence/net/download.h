#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "valence/base/digest.h"
#include "valence/base/progress.h"
#include "valence/base/result.h"

namespace valence {

struct DownloadOptions {
  std::optional<std::uint64_t> size;    ///< bytes that the file must have; unset = whatever the server says
  std::optional<Digest> sha256;         ///< that the content must have; unset = not checked
  int attempts = 5;                     ///< without a single new byte, before giving up; ≥ 1
  std::chrono::milliseconds first_wait{1000};  ///< before the second attempt; doubled for each further one
  std::chrono::milliseconds longest_wait{60000};  ///< also of what a server asks for with Retry-After
  std::chrono::seconds connect_timeout{20};
  std::chrono::seconds stall{30};       ///< a transfer slower than 1 KiB/s for this long is broken off and resumed
  int redirects = 5;                    ///< followed, to http and https only, never from https to http
  std::stop_token stop;                 ///< leaves the partial file for the next time
  Progress* progress = nullptr;         ///< bytes; start and finish are called here
};

struct Downloaded {
  Digest sha256;
  std::uint64_t size = 0;     ///< bytes
  std::uint64_t resumed = 0;  ///< bytes that an earlier call had left
};

/// Fetches an http or https address into `path`, which appears only whole, with the right size and hash.
///
/// What arrived is kept beside it in `path`.part, with the address and the server's version of the file (ETag or date)
/// in `path`.part.json; a later call goes on there if the version is still the same, else from the beginning. Attempts
/// that fail in passing (connection, stall, status 408, 425, 429, 500, 502, 503, 504) are repeated with growing waits,
/// or the server's Retry-After.
///
/// kNetwork: host, reason, bytes kept, what to do. kNotFound: status 404 or 410. kMismatch: size or hash, nothing is
/// kept. kDiskFull, kIo: of the file. kStopped. kUsage: no http or https address.
Result<Downloaded> download(const std::string& url, const std::filesystem::path& path, const DownloadOptions& options);

/// The host of an http or https address, or kUsage.
Result<std::string> host_of(std::string_view url);

}  // namespace valence
