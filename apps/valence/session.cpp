#include "session.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace valence {

Result<std::unique_ptr<Store>> Session::open_store(Store::Access access) const {
  if (access == Store::Access::kReadOnly && !std::filesystem::exists(store_path)) {
    return fail(ErrorCode::kNotFound, "{}: there is no store here yet. Measure something first (valence measure --help), "
                "or name another with --store", store_path.string());
  }
  return Store::open(store_path, access);
}

std::unique_ptr<Progress> Session::progress() const { return quiet ? silent_progress() : terminal_progress(); }

void Session::print(const Json& document) const { fmt::print("{}\n", to_text(document, 2)); }

void Session::finish(const Result<void>& result) {
  if (result) return;
  fmt::print(stderr, "valence: {}\n", result.error().message);
  status = exit_status(result.error().code);
}

std::string examples(std::initializer_list<std::string_view> lines) {
  std::string text = "\nExamples:";
  for (const auto line : lines) text += fmt::format("\n  {}", line);
  return text;
}

}  // namespace valence
