#include "llama_generate.h"

#include <algorithm>

#include "llama_score.h"

namespace valence {
namespace {

std::size_t common_prefix(std::span<const TokenId> a, std::span<const TokenId> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

/// One text under way.
struct Writer {
  const GenerateRequest* request;
  llama_seq_id sequence;
  TokenSampler sampler;
  GrowingText text;
  Completion completion;
  Result<void> status{};
  bool finished = false;

  void write(const Vocabulary& vocabulary, std::span<const float> logits);
};

void Writer::write(const Vocabulary& vocabulary, std::span<const float> logits) {
  auto drawn = sampler.draw(logits, completion.tokens.size());
  if (!drawn) {
    status = tl::unexpected<Error>(std::move(drawn).error());
    finished = true;
    return;
  }
  completion.tokens.push_back(*drawn);
  completion.logprobs.push_back(static_cast<double>(logits[static_cast<std::size_t>(*drawn)]) - log_sum_exp(logits));
  const auto finish = [this](FinishReason reason) {
    completion.finish = reason;
    finished = true;
  };
  if (vocabulary.ends(*drawn)) return finish(FinishReason::kEndOfTurn);
  if (text.append(vocabulary.piece(*drawn))) return finish(FinishReason::kStopString);
  if (completion.tokens.size() >= static_cast<std::size_t>(request->sampling.max_tokens)) finish(FinishReason::kLength);
}

/// Prompts of equal beginnings are decoded once; each writer then has its prompt's last logits.
Result<void> read_prompts_together(EngineContext& context, const Vocabulary& vocabulary, std::vector<Writer>& writers,
                                   const std::stop_token& stop) {
  std::vector<std::vector<TokenId>> prompts;
  for (const auto& writer : writers) prompts.push_back(writer.request->context.tokens);
  Batch batch;
  std::vector<std::vector<std::size_t>> ends;  // by token of the batch: the writers whose prompt ends there
  for (const auto& shared : share_prompts(prompts)) {
    auto& ending = ends.emplace_back();
    for (const auto id : shared.sequences) {
      const auto writer = static_cast<std::size_t>(id);
      if (prompts[writer].size() == shared.position + 1) ending.push_back(writer);
    }
    batch.add(shared.token, shared.position, shared.sequences, !ending.empty());
  }
  const auto take = [&](auto rows) {
    for (const auto& [token, logits] : rows) {
      for (const auto writer : ends[token]) writers[writer].write(vocabulary, std::span(logits, vocabulary.size()));
    }
  };
  return context.decode(batch, take, stop);
}

/// For memories that cannot branch inside a call: each prompt for itself, equal prompts copied.
Result<void> read_prompts_apart(EngineContext& context, const Vocabulary& vocabulary, std::vector<Writer>& writers,
                                const std::stop_token& stop) {
  for (std::size_t first = 0; first < writers.size();) {
    const auto& prompt = writers[first].request->context.tokens;
    std::size_t end = first;
    while (end < writers.size() && writers[end].request->context.tokens == prompt) ++end;
    Batch batch;
    const auto id = writers[first].sequence;
    for (std::size_t i = 0; i < prompt.size(); ++i) batch.add(prompt[i], i, std::span(&id, 1), i + 1 == prompt.size());
    const auto take = [&](auto rows) {
      for (auto w = first; w < end; ++w) writers[w].write(vocabulary, std::span(rows.front().second, vocabulary.size()));
    };
    VALENCE_CHECK(context.decode(batch, take, stop));
    for (auto w = first + 1; w < end; ++w) context.copy(id, writers[w].sequence);
    first = end;
  }
  return {};
}

/// One more token for everyone who is not finished. False when all are.
Result<bool> write_wave(EngineContext& context, const Vocabulary& vocabulary, std::vector<Writer>& writers,
                        const std::stop_token& stop) {
  Batch batch;
  std::vector<Writer*> writing;
  for (auto& writer : writers) {
    if (writer.finished) continue;
    const auto position = writer.request->context.tokens.size() + writer.completion.tokens.size() - 1;
    batch.add(writer.completion.tokens.back(), position, std::span(&writer.sequence, 1), true);
    writing.push_back(&writer);
  }
  if (writing.empty()) return false;
  const auto take = [&](auto rows) {
    for (const auto& [token, logits] : rows) writing[token]->write(vocabulary, std::span(logits, vocabulary.size()));
  };
  VALENCE_CHECK(context.decode(batch, take, stop));
  return true;
}

}  // namespace

std::vector<GenerationGroup> group_generations(std::vector<TokenGeneration> requests, std::size_t sequences,
                                               std::size_t cells) {
  std::ranges::stable_sort(requests, [](const auto& a, const auto& b) { return a.prompt < b.prompt; });
  std::vector<GenerationGroup> groups;
  const TokenGeneration* before = nullptr;
  for (const auto& request : requests) {
    auto prompt = request.prompt.size();
    const bool joins = before != nullptr && groups.back().requests.size() < sequences;
    if (joins) prompt -= common_prefix(before->prompt, request.prompt);
    before = &request;
    if (joins && groups.back().cells + prompt + request.max_tokens <= cells) {
      groups.back().requests.push_back(request.request);
      groups.back().prompt_tokens += prompt;
      groups.back().cells += prompt + request.max_tokens;
    } else {
      groups.push_back({{request.request}, request.prompt.size(), request.prompt.size() + request.max_tokens});
    }
  }
  return groups;
}

std::vector<SharedToken> share_prompts(std::span<const std::vector<TokenId>> prompts) {
  std::vector<SharedToken> tokens;
  std::vector<std::size_t> place;  // of each token of the prompt before, in `tokens`
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const auto shared = i == 0 ? 0 : common_prefix(prompts[i - 1], prompts[i]);
    place.resize(shared);
    for (std::size_t p = shared; p < prompts[i].size(); ++p) {
      place.push_back(tokens.size());
      tokens.push_back({prompts[i][p], p, {}});
    }
    for (const auto token : place) tokens[token].sequences.push_back(static_cast<llama_seq_id>(i));
  }
  return tokens;
}

Result<std::vector<Result<Completion>>> generate(EngineContext& context, const Vocabulary& vocabulary,
                                                 std::span<const GenerateRequest* const> requests,
                                                 const std::stop_token& stop) {
  std::vector<Writer> writers;
  for (const auto* request : requests) {
    VALENCE_TRY(auto sampler, TokenSampler::make(vocabulary, request->sampling, request->constraint));
    const auto sequence = static_cast<llama_seq_id>(writers.size());
    writers.push_back({request, sequence, std::move(sampler), GrowingText(request->sampling.stop), {}});
  }
  context.clear();
  VALENCE_CHECK(context.branches() ? read_prompts_together(context, vocabulary, writers, stop)
                                   : read_prompts_apart(context, vocabulary, writers, stop));
  for (bool more = true; more;) {
    VALENCE_TRY(more, write_wave(context, vocabulary, writers, stop));
  }
  std::vector<Result<Completion>> results;
  for (auto& writer : writers) {
    if (!writer.status) {
      results.emplace_back(tl::unexpected<Error>(writer.status.error()));
      continue;
    }
    writer.completion.text = writer.text.finish();
    results.emplace_back(std::move(writer.completion));
  }
  return results;
}

}  // namespace valence
