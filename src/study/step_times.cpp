#include "step_times.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "valence/base/files.h"
#include "valence/base/json.h"

namespace valence::study {
namespace {

constexpr std::size_t kKept = 5;

std::filesystem::path times_file() { return cache_folder() / "step_times.json"; }

std::string time_key(std::string_view kind, const std::string& what) { return fmt::format("{}: {}", kind, what); }

Json read_times() {
  const auto text = read_file(times_file());
  if (!text) return Json::object();
  auto times = parse_json(*text, "times of steps");
  return times && times->is_object() ? *std::move(times) : Json::object();
}

}  // namespace

std::vector<double> step_times(std::string_view kind, const std::string& what) {
  const auto times = read_times();
  const auto found = times.find(time_key(kind, what));
  std::vector<double> seconds;
  if (found == times.end() || !found->is_array()) return seconds;
  for (const auto& time : *found) {
    if (time.is_number()) seconds.push_back(time.get<double>());
  }
  return seconds;
}

void keep_step_time(std::string_view kind, const std::string& what, double seconds) {
  const auto lock = FileLock::acquire(times_file().string() + ".lock");
  if (!lock) return;
  auto times = read_times();
  auto& kept = times[time_key(kind, what)];
  if (!kept.is_array()) kept = Json::array();
  kept.push_back(seconds);
  if (kept.size() > kKept) kept.erase(kept.begin());
  static_cast<void>(write_file(times_file(), to_text(times, 1) + "\n"));
}

}  // namespace valence::study
