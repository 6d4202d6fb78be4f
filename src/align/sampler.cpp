#include "valence/align/sampler.h"

#include <nlohmann/json.hpp>
#include <numeric>

namespace valence {
namespace {

OpenQuestion question_of(const OpenPrompt& prompt, std::size_t number, const SamplerOptions& options) {
  OpenQuestion question;
  question.tag = {prompt.id, "", options.phase, prompt.text, fmt::format("response {}", number + 1)};
  question.history = prompt.history;
  question.text = prompt.text;
  question.sampling.temperature = 1.0;  // what is drawn is the policy itself: a policy gradient takes it for that
  question.sampling.top_p = 1.0;
  question.sampling.max_tokens = options.max_tokens;
  return question;
}

Sample sample_of(const OpenAnswer& answer, std::size_t prompt, std::size_t number) {
  const auto& drawn = answer.completion;
  Sample sample{.prompt = prompt,
                .number = number,
                .status = answer.status,
                .text = answer.row.text,
                .tokens = drawn.tokens,
                .logprobs = drawn.logprobs,
                .logprob = 0.0,
                .cut = false,
                .digest = answer.row.digest};
  sample.logprob = std::accumulate(drawn.logprobs.begin(), drawn.logprobs.end(), 0.0);
  sample.cut = answer.status != Status::kError && drawn.finish == FinishReason::kLength;
  return sample;
}

}  // namespace

SampleCounts count_of(std::span<const Sample> samples) {
  SampleCounts counts;
  for (const auto& sample : samples) {
    ++counts.asked;
    counts.refused += sample.status == Status::kRefused ? 1 : 0;
    counts.empty += sample.status == Status::kUnparseable ? 1 : 0;
    counts.failed += sample.status == Status::kError ? 1 : 0;
    counts.cut += sample.cut ? 1 : 0;
  }
  return counts;
}

Json to_json(const SampleCounts& counts) {
  return {{"asked", counts.asked},
          {"refused", counts.refused},
          {"empty", counts.empty},
          {"failed", counts.failed},
          {"cut", counts.cut}};
}

Result<std::vector<Sample>> sample_responses(Examiner& examiner, std::span<const OpenPrompt> prompts,
                                             const SamplerOptions& options) {
  std::vector<Question> questions;
  for (const auto& prompt : prompts) {
    for (std::size_t k = 0; k < options.samples; ++k) questions.emplace_back(question_of(prompt, k, options));
  }
  VALENCE_TRY(const auto answers, examiner.ask(questions));
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    samples.push_back(sample_of(std::get<OpenAnswer>(answers[i]), i / options.samples, i % options.samples));
  }
  return samples;
}

}  // namespace valence
