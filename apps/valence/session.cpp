#include "session.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "valence/base/text.h"

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

namespace {

/// A whole number of at least `least`, short enough for 64 bits.
CLI::Validator whole_number(const char* name, int least) {
  return CLI::Validator(
      [name, least](std::string& text) {
        const bool digits = !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
        if (digits && std::stoull(text) >= static_cast<unsigned long long>(least)) return std::string();
        return fmt::format("a {} is a whole number, {} or more, not \"{}\"", name, least, printable(text));
      },
      "");
}

}  // namespace

CLI::Validator run_number() { return whole_number("run", 1); }
CLI::Validator seed_number() { return whole_number("seed", 0); }

std::string examples(std::initializer_list<std::string_view> lines) {
  std::string text = "\nExamples:";
  for (const auto line : lines) text += fmt::format("\n  {}", line);
  return text;
}

}  // namespace valence
