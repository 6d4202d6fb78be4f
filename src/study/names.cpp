#include <algorithm>

#include "valence/align/aligner.h"
#include "valence/base/text.h"
#include "valence/study/step.h"

namespace valence {

void StepNames::add(const Step& step) { steps_[step.full_name()] = &step; }

const Step* StepNames::find(std::string_view full_name) const {
  const auto found = steps_.find(full_name);
  return found == steps_.end() ? nullptr : found->second;
}

Result<std::string> StepNames::of(const Node& name, std::initializer_list<std::string_view> kinds) const {
  VALENCE_TRY(const auto text, name.as_string());
  for (const auto kind : kinds) {
    const auto full = fmt::format("{}.{}", kind, text);
    const auto* step = find(full);
    if (step != nullptr && step->rates()) {
      return tl::unexpected(name.error(fmt::format(
          "{} is a reward model: it rates answers and is no subject; method \"rlhf\" names it as its reward", full)));
    }
    if (step != nullptr) return full;
  }
  std::vector<std::string> there;
  for (const auto& [full, step] : steps_) {
    if (std::find(kinds.begin(), kinds.end(), step->kind()) != kinds.end()) there.push_back(step->name());
  }
  const auto near = nearest(text, there);
  const auto advice = !near.empty()   ? fmt::format("did you mean \"{}\"?", near)
                      : there.empty() ? fmt::format("the study has none; write [{}.{}]", *kinds.begin(), text)
                                      : fmt::format("there are: {}", join(there, ", "));
  return tl::unexpected(
      name.error(fmt::format("no {} is called \"{}\"; {}", fmt::join(kinds, " or "), printable(text), advice)));
}

Result<std::string> StepNames::at(const Node& table, std::string_view key,
                                  std::initializer_list<std::string_view> kinds) const {
  VALENCE_TRY(const auto name, table.at(key));
  return of(name, kinds);
}

Result<RunId> StepContext::run_of(const std::string& full_name) const {
  const auto found = runs.find(full_name);
  if (found != runs.end()) return found->second;
  return fail(ErrorCode::kInvalid, "step {} has no result yet", full_name);
}

Result<SubjectSpec> StepContext::subject(const std::string& full_name) const {
  if (const auto* spec = steps.at(full_name)->subject()) return *spec;
  VALENCE_TRY(const auto run, run_of(full_name));
  VALENCE_TRY(auto aligned, load_aligned(store, run));
  return std::move(aligned.subject);
}

Result<Target> StepContext::target(const std::string& full_name) const { return *steps.at(full_name)->target(); }

}  // namespace valence
