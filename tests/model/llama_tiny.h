#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "valence/model/llama.h"

namespace valence::test {

/// A random model of some hundred kilobytes with a byte-level vocabulary, written as a GGUF file of F32 tensors.
struct TinyModel {
  std::string architecture = "qwen2";  ///< llama, qwen2, qwen3, gemma3 (sliding window of 8) or mamba
  std::uint64_t seed = 1;
  std::string chat_template;                                        ///< none when empty
  std::vector<std::string> controls{"<|im_start|>", "<|im_end|>"};  ///< control tokens, after 256 byte tokens
  std::vector<std::string> user_defined;                            ///< tokens of type "user defined"
  std::string bos;                 ///< one of `controls`; the tokenizer adds it when it is set
  std::string eos = "<|im_end|>";  ///< one of `controls`
  bool sentencepiece = false;      ///< "llama" tokenizer: added space, byte fallback
  std::uint32_t trained_context = 4096;
  std::size_t embedding = 64;
  std::size_t head_width = 0;  ///< 0 = embedding / 4, the number of heads
  bool separate_head = false;  ///< an output matrix of its own
  bool fused = false;          ///< query, key and value in one matrix
  bool more_biases = false;    ///< llama: on all attention matrices
  bool rope_factors = false;   ///< llama: frequencies divided by factors of the file
  float rope_factor = 0;       ///< linear scaling; 0 = none
  float logit_cap = 0;         ///< gemma3
};

/// A folder for a test's files, removed with the object.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// While it lives, the cache is an empty folder of its own.
class ScratchCache {
 public:
  ScratchCache();
  ~ScratchCache();
  ScratchCache(const ScratchCache&) = delete;
  ScratchCache& operator=(const ScratchCache&) = delete;
  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  ScratchFolder folder_;
  std::string before_;
};

void write_tiny(const TinyModel& model, const std::filesystem::path& path);

/// A rank-2 adapter on the query projections of a tiny model.
void write_tiny_adapter(const std::string& architecture, const std::filesystem::path& path, std::size_t embedding = 64);

/// Options for exact comparison: one thread (the engine waits by spinning, which a busy machine makes slow), the file's
/// own format.
EngineOptions exact_options();

std::unique_ptr<LanguageModel> open_tiny(const std::filesystem::path& path,
                                         const EngineOptions& options = exact_options(),
                                         const std::vector<AdapterSpec>& adapters = {});

/// Collects responses by request; counts commits.
class Collector : public Sink {
 public:
  explicit Collector(const Plan& plan);
  Result<void> done(std::size_t group, std::span<const Result<Response>> responses) override;
  const ContinuationScores& scores(std::size_t request) const;
  const Completion& completion(std::size_t request) const;

  std::vector<Result<Response>> responses;
  std::vector<std::size_t> commits;  ///< groups in the order in which they came

 private:
  const Plan& plan_;
};

std::vector<std::size_t> all_groups(const Plan& plan);

/// Plans and runs everything; fails the test on an error.
Collector run_all(LanguageModel& model, const Plan& plan);
Plan plan_of(const LanguageModel& model, std::vector<Request> requests);

/// A prompt of `count` tokens drawn from the byte tokens with `seed`, after `prefix`.
Prompt random_prompt(std::uint64_t seed, std::size_t count, const std::vector<TokenId>& prefix = {});
std::string random_text(std::uint64_t seed, std::size_t bytes);

/// Largest difference of any token's or terminator's log-probability.
double largest_difference(const Collector& a, const Collector& b);

}  // namespace valence::test
