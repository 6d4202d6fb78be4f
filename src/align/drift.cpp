#include "drift.h"

#include <numeric>

#include "valence/base/text.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

std::vector<Passage> passages_of(std::span<const OpenPrompt> prompts, std::span<const Sample> samples) {
  std::vector<Passage> passages;
  for (const auto& sample : samples) {
    if (!sample.said() || trim(sample.text).empty()) continue;
    const auto& prompt = prompts[sample.prompt];
    passages.push_back({{prompt.id, "", "drift", prompt.text, fmt::format("response {}", sample.number + 1)},
                        prompt.text,
                        sample.text,
                        prompt.history});
  }
  return passages;
}

double total(const PassageScore& score) {
  return std::accumulate(score.token_logprobs.begin(), score.token_logprobs.end(), 0.0);
}

}  // namespace

Result<double> sampled_drift(Examiner& now, Examiner& before, std::span<const OpenPrompt> prompts,
                             std::span<const Sample> samples) {
  const auto passages = passages_of(prompts, samples);
  if (samples.empty()) return kUndefined;
  VALENCE_TRY(const auto ours, now.score(passages));
  VALENCE_TRY(const auto theirs, before.score(passages));
  double drift = 0.0;
  for (std::size_t i = 0; i < passages.size(); ++i) {
    if (ours[i].reason.empty() && theirs[i].reason.empty()) drift += total(ours[i]) - total(theirs[i]);
  }
  return drift / static_cast<double>(samples.size());
}

}  // namespace valence
