#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace valence {

/// What went wrong, coarse enough that a caller can act on it. One meaning each.
enum class ErrorCode {
  kUsage,        ///< the command line, a setting or a file written by the user is wrong; exit status 2
  kNotFound,     ///< a named thing (model, run, instrument, file) does not exist
  kWrongCount,   ///< a formula got the wrong number of values
  kInvalid,      ///< a value outside its domain
  kIo,           ///< the operating system refused a read or write
  kDiskFull,     ///< no space left on device
  kCorrupt,      ///< a file or database is truncated or damaged
  kUnsupported,  ///< valid, but this backend, version or machine cannot do it
  kMismatch,     ///< two things that must agree do not (hash, architecture, schema, versions)
  kNetwork,      ///< a transfer failed or was refused
  kModel,        ///< the engine failed while computing
  kStopped,      ///< the user asked to stop; what was computed is kept
};

struct Error {
  ErrorCode code;
  std::string message;  ///< what happened, where, what was expected, what to do
};

/// A value or the reason why there is none. Exceptions are caught at the edge and turned into this.
template <class T>
using Result = tl::expected<T, Error>;

template <class... Args>
tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>({code, fmt::format(format, std::forward<Args>(args)...)});
}

/// The same error with "`context`: " put before its message.
inline Error with_context(Error error, std::string_view context) {
  error.message = fmt::format("{}: {}", context, error.message);
  return error;
}

/// Exit status of the command line for an error: 2 for what the user wrote, 1 for a run that failed.
int exit_status(ErrorCode code);

}  // namespace valence

#define VALENCE_JOIN_INNER(a, b) a##b
#define VALENCE_JOIN(a, b) VALENCE_JOIN_INNER(a, b)

/// Declares or assigns `lhs` from a Result, or returns its error: VALENCE_TRY(auto text, read_file(path));
#define VALENCE_TRY(lhs, expression) VALENCE_TRY_INNER(VALENCE_JOIN(valence_try_, __LINE__), lhs, expression)
#define VALENCE_TRY_INNER(temporary, lhs, expression)                               \
  auto temporary = (expression);                                                    \
  if (!temporary) return tl::unexpected<::valence::Error>(std::move(temporary).error()); \
  lhs = *std::move(temporary)

/// Returns the error of a Result<void> (or of any Result whose value is not needed).
#define VALENCE_CHECK(expression)                                                               \
  if (auto valence_check = (expression); !valence_check)                                        \
  return tl::unexpected<::valence::Error>(std::move(valence_check).error())
