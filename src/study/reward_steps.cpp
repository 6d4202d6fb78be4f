#include "reward_steps.h"

#include <algorithm>
#include <filesystem>

#include "valence/align/file_training.h"
#include "valence/base/text.h"

namespace valence::study {
namespace {

constexpr std::string_view kNamingMethod = "rlhf";
constexpr std::string_view kNamingSettings[] = {"reward", "watch"};  // folders, separated by commas

std::string step_called(const std::string& entry) { return fmt::format("align.{}", trim(entry)); }

Result<std::string> filled(const std::string& entries, const std::vector<std::string>& steps,
                           const FolderOf& folder_of) {
  std::vector<std::string> folders;
  for (const auto& entry : split(entries, ",")) {
    auto folder = trim(entry);
    if (std::ranges::find(steps, step_called(entry)) != steps.end()) {
      VALENCE_TRY(folder, folder_of(step_called(entry)));
    }
    if (!folder.empty()) folders.push_back(std::move(folder));
  }
  return join(folders, ",");
}

}  // namespace

Result<std::vector<std::string>> reward_steps(const Node& table, const Aligner& aligner, const Settings& settings,
                                              const StepNames& names) {
  std::vector<std::string> steps;
  if (aligner.card().id != kNamingMethod) return steps;
  for (const auto key : kNamingSettings) {
    for (const auto& entry : split(settings.text(key), ",")) {
      const auto* step = names.find(step_called(entry));
      if (step == nullptr || std::ranges::find(steps, step->full_name()) != steps.end()) continue;
      if (!step->rates()) {
        return tl::unexpected(
            table.find("settings")
                ->error(fmt::format(
                    "\"{}\": {} leaves a subject, not a reward model; name an alignment of method \"reward\", or a "
                    "folder of valence align reward",
                    key, step->full_name())));
      }
      steps.push_back(step->full_name());
    }
  }
  return steps;
}

Result<Settings> with_folders(const Aligner& aligner, const Settings& settings, const std::vector<std::string>& steps,
                              const FolderOf& folder_of) {
  if (steps.empty()) return settings;
  auto given = settings.values();
  for (auto& [name, value] : given) {
    if (std::ranges::find(kNamingSettings, name) == std::ranges::end(kNamingSettings)) continue;
    VALENCE_TRY(value, filled(value, steps, folder_of));
  }
  return Settings::resolve(aligner.settings(), given);
}

Result<std::string> made_before(const std::string&) { return std::string(); }
Result<std::string> named_by_step(const std::string&) { return std::string(":step"); }

FolderOf folders_of(const StepContext& context) {
  return [&context](const std::string& step) -> Result<std::string> {
    VALENCE_TRY(const auto run, context.run_of(step));
    VALENCE_TRY(const auto folder, reward_model_of(context.store, run));
    std::error_code error;
    const auto near = std::filesystem::proximate(folder, error);
    return (error ? folder : near).string();
  };
}

}  // namespace valence::study
