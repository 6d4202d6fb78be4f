#include "llama_generate.h"

#include <algorithm>

#include "llama_score.h"
#include "valence/base/threads.h"

namespace valence {
namespace {

constexpr std::size_t kFewestApart = 16;  // sequences of a part, where a group is cut

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

/// By token of a batch: who draws from the logits that follow it.
using Waiting = std::vector<std::vector<Writer*>>;

/// Decodes; rows of logits are shared out to the threads whole, so their number changes no result.
Result<void> decode_and_write(EngineContext& context, const Vocabulary& vocabulary, const Batch& batch, const Waiting& waiting,
                              const std::stop_token& stop) {
  const auto take = [&](auto rows) {
    in_threads(static_cast<std::size_t>(context.shape().threads), rows.size(), [&](std::size_t i) {
      for (auto* writer : waiting[rows[i].first]) writer->write(vocabulary, std::span(rows[i].second, vocabulary.size()));
    });
  };
  return context.decode(batch, take, stop);
}

/// Prompts of equal beginnings are decoded once; each writer then has its prompt's last logits.
Result<void> read_prompts_together(EngineContext& context, const Vocabulary& vocabulary, std::vector<Writer>& writers,
                                   const std::stop_token& stop) {
  std::vector<std::vector<TokenId>> prompts;
  for (const auto& writer : writers) prompts.push_back(writer.request->context.tokens);
  Batch batch;
  Waiting waiting;
  for (const auto& shared : share_prompts(prompts)) {
    auto& ending = waiting.emplace_back();
    for (const auto id : shared.sequences) {
      const auto writer = static_cast<std::size_t>(id);
      if (prompts[writer].size() == shared.position + 1) ending.push_back(&writers[writer]);
    }
    batch.add(shared.token, shared.position, shared.sequences, !ending.empty());
  }
  return decode_and_write(context, vocabulary, batch, waiting, stop);
}

/// Writers whose prompts begin with the same `read` tokens, which the first writer's sequence holds.
struct Branch {
  std::size_t first, end, read;
};

/// What is read of all branches at once, and what follows from it.
struct Stretch {
  Batch batch;
  Waiting waiting;
  std::vector<std::pair<std::size_t, std::size_t>> copies;  // of the first writer's sequence, once it was read
  std::vector<Branch> next;
};

/// Reads a branch on to where its prompts part.
void add_to_fork(Stretch& stretch, std::vector<Writer>& writers, const Branch& branch) {
  const auto prompt = [&](std::size_t writer) -> const std::vector<TokenId>& { return writers[writer].request->context.tokens; };
  const auto& [first, end, read] = branch;
  const auto fork = common_prefix(prompt(first), prompt(end - 1));  // in order, so all between share it
  auto beyond = first;
  while (beyond < end && prompt(beyond).size() == fork) ++beyond;
  for (auto p = read; p < fork; ++p) {
    auto& ending = stretch.waiting.emplace_back();
    for (auto writer = first; p + 1 == fork && writer < beyond; ++writer) ending.push_back(&writers[writer]);
    stretch.batch.add(prompt(first)[p], p, std::span(&writers[first].sequence, 1), !ending.empty());
  }
  for (auto writer = first + 1; writer < beyond; ++writer) stretch.copies.emplace_back(first, writer);
  for (auto writer = beyond; writer < end;) {
    auto until = writer + 1;
    while (until < end && prompt(until)[fork] == prompt(writer)[fork]) ++until;
    if (writer != first && fork > 0) stretch.copies.emplace_back(first, writer);
    stretch.next.push_back({writer, until, fork});
    writer = until;
  }
}

/// Where a token belongs to one sequence: prompts are read from fork to fork, and what was read is copied at each.
Result<void> read_prompts_by_forks(EngineContext& context, const Vocabulary& vocabulary, std::vector<Writer>& writers,
                                   const std::stop_token& stop) {
  std::vector<Branch> branches{{0, writers.size(), 0}};
  while (!branches.empty()) {
    Stretch stretch;
    for (const auto& branch : branches) add_to_fork(stretch, writers, branch);
    VALENCE_CHECK(decode_and_write(context, vocabulary, stretch.batch, stretch.waiting, stop));
    for (const auto& [from, to] : stretch.copies) context.copy(writers[from].sequence, writers[to].sequence);
    branches = std::move(stretch.next);
  }
  return {};
}

/// Takes out who is finished. The last takes the sequence of one that is, so that those in use stay the first ones.
void drop_finished(EngineContext& context, std::vector<Writer*>& writing) {
  for (std::size_t i = 0; i < writing.size();) {
    if (!writing[i]->finished) {
      ++i;
      continue;
    }
    context.remove(writing[i]->sequence);
    auto* last = writing.back();
    writing.pop_back();
    if (i == writing.size()) continue;
    if (!last->finished) context.copy(last->sequence, writing[i]->sequence);
    context.remove(last->sequence);
    last->sequence = writing[i]->sequence;
    writing[i] = last;
  }
}

/// One more token for everyone.
Result<void> write_wave(EngineContext& context, const Vocabulary& vocabulary, std::span<Writer* const> writing,
                        const std::stop_token& stop) {
  Batch batch;
  Waiting waiting;
  for (auto* writer : writing) {
    const auto position = writer->request->context.tokens.size() + writer->completion.tokens.size() - 1;
    batch.add(writer->completion.tokens.back(), position, std::span(&writer->sequence, 1), true);
    waiting.push_back({writer});
  }
  return decode_and_write(context, vocabulary, batch, waiting, stop);
}

std::size_t length(const TokenGeneration& request) { return request.prompt.size() + request.max_tokens; }

/// `requests` in order of their prompts.
GenerationGroup group_of(std::span<const TokenGeneration> requests) {
  GenerationGroup group;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    group.requests.push_back(requests[i].request);
    group.cells += length(requests[i]) - (i == 0 ? 0 : common_prefix(requests[i - 1].prompt, requests[i].prompt));
    group.longest = std::max(group.longest, length(requests[i]));
  }
  return group;
}

/// The first requests, at least one, that fit one memory with shared beginnings once.
std::span<const TokenGeneration> as_many_as_fit(std::span<const TokenGeneration> requests, const GenerationRoom& room) {
  std::size_t count = 1, cells = length(requests.front());
  for (; count < std::min(requests.size(), room.sequences); ++count) {
    cells += length(requests[count]) - common_prefix(requests[count - 1].prompt, requests[count].prompt);
    if (cells > room.cells) break;
  }
  return requests.first(count);
}

/// Into how many parts a group is cut so that each fits with a memory for every sequence; 0 when it does not pay: weights
/// are read once for all that are written together.
std::size_t parts_apart(std::span<const TokenGeneration> group, std::size_t cells) {
  const auto fitting = cells / padded_cells(length(*std::ranges::max_element(group, {}, length)));
  if (fitting >= group.size()) return 1;
  if (fitting == 0) return 0;
  const auto parts = (group.size() + fitting - 1) / fitting;
  return group.size() / parts < kFewestApart ? 0 : parts;
}

}  // namespace

std::vector<GenerationGroup> group_generations(std::vector<TokenGeneration> requests, const GenerationRoom& room) {
  std::ranges::stable_sort(requests, [](const auto& a, const auto& b) { return a.prompt < b.prompt; });
  std::vector<GenerationGroup> groups;
  std::span<const TokenGeneration> rest = requests;
  while (!rest.empty()) {
    const auto together = as_many_as_fit(rest, room);
    const auto apart = parts_apart(together, room.apart);
    const auto parts = std::max<std::size_t>(apart, 1);
    for (std::size_t part = 0; part < parts; ++part) {
      const auto first = together.size() * part / parts, end = together.size() * (part + 1) / parts;
      groups.push_back(group_of(together.subspan(first, end - first)));
      groups.back().apart = apart > 0;
    }
    rest = rest.subspan(together.size());
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
                                   : read_prompts_by_forks(context, vocabulary, writers, stop));
  std::vector<Writer*> writing;
  for (auto& writer : writers) writing.push_back(&writer);
  for (drop_finished(context, writing); !writing.empty(); drop_finished(context, writing)) {
    VALENCE_CHECK(write_wave(context, vocabulary, writing, stop));
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
