#include "valence/align/training_prompts.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "valence/base/node.h"
#include "valence/base/random.h"
#include "valence/base/text.h"

namespace valence {
namespace {

/// Keys that only SafeRLHF's files (and BeaverTails', which they are made of) have.
constexpr std::string_view kEvaluationOnlyKeys[] = {"safety_issues", "is_response_0_safe", "is_response_1_safe"};
constexpr std::string_view kEvaluationOnlySource = "saferlhf";

Error evaluation_only(const Node& line, std::string_view sign) {
  return line.error(
      fmt::format("{} marks a prompt of SafeRLHF, which is for evaluation only (its licence forbids more, and what is "
                  "measured on must "
                  "not be trained on); train on others, and measure with --prompts",
                  sign));
}

Result<void> check_trainable(const std::string& file) {
  VALENCE_TRY(const auto lines, read_jsonl(file));
  for (const auto& line : lines) {
    for (const auto key : kEvaluationOnlyKeys) {
      if (line.find(key) != nullptr) return tl::unexpected(evaluation_only(line, fmt::format("\"{}\"", key)));
    }
    const auto* source = line.find("query_source");
    if (source == nullptr) continue;
    VALENCE_TRY(const auto name, source->as_string());
    if (fold(name) == kEvaluationOnlySource)
      return tl::unexpected(evaluation_only(line, fmt::format("the source \"{}\"", printable(name))));
  }
  return {};
}

Result<std::vector<OpenPrompt>> load_source(const std::string& source, const Space& space) {
  if (source.ends_with(".jsonl")) VALENCE_CHECK(check_trainable(source));
  return load_prompts(source, space);
}

}  // namespace

Result<TrainingPrompts> load_training_prompts(const std::string& sources, const Space& space) {
  TrainingPrompts all;
  std::set<std::string> ids;
  for (const auto& source : split(sources, ",")) {
    VALENCE_TRY(auto prompts, load_source(trim(source), space));
    for (auto& prompt : prompts) {
      if (!ids.insert(prompt.id).second) continue;
      ++all.read;
      if (side_of(opening_of(prompt)) == PromptSide::kTraining) {
        all.prompts.push_back(std::move(prompt));
      } else {
        ++all.held_out;
      }
    }
  }
  if (!all.prompts.empty()) return all;
  return fail(ErrorCode::kUsage, "{}: none of its {} prompts is on the training side of the split ({})", sources,
              all.read, prompt_split_rule());
}

PromptDraw draw_prompts(const std::vector<OpenPrompt>& prompts, std::size_t count, std::uint64_t seed,
                        const std::string& purpose) {
  if (count >= prompts.size()) return {prompts, {}};
  PromptDraw draw;
  const auto places = RandomStream(seed, purpose).sample(prompts.size(), count);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    (std::ranges::binary_search(places, i) ? draw.drawn : draw.others).push_back(prompts[i]);
  }
  return draw;
}

}  // namespace valence
