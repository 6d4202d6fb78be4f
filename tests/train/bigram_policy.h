#pragma once

#include <filesystem>

#include "policy.h"
#include "task.h"
#include "valence/base/files.h"
#include "valence/train/operations.h"

namespace valence::train::testing {

constexpr std::int64_t kVocabulary = 12;

using Given = std::vector<std::pair<std::string, std::string>>;

inline Settings settings_of(const std::string& operation, const Given& given = {}) {
  return Settings::resolve((*find_operation(operation))->settings, given).value();
}

inline std::unique_ptr<Task> task_of(const std::string& operation, const Given& given = {}) {
  return make_task(operation, settings_of(operation, given)).value();
}

/// A policy small enough to reason about: the next token depends on the last one only, logits are a table.
class BigramPolicy final : public Policy {
 public:
  explicit BigramPolicy(std::int64_t vocabulary, std::uint64_t seed = 1, bool with_values = false) {
    torch::manual_seed(seed);
    reference_ = torch::randn({vocabulary, vocabulary});
    table_ = reference_.clone().requires_grad_(true);
    if (with_values) values_ = torch::zeros({vocabulary}).requires_grad_(true);
  }

  Result<torch::Tensor> logprobs(std::span<const AnswerPath* const> paths) override {
    ++calls;
    return look_up(table_, paths);
  }
  Result<PolicyReading> read(std::span<const AnswerPath* const> paths, bool with_entropy) override {
    VALENCE_TRY(auto found, logprobs(paths));
    PolicyReading reading{std::move(found), {}, {}};
    const auto before = torch::tensor(places_of(paths).first);
    if (with_entropy) {
      const auto log_p = torch::log_softmax(table_.detach(), 1);
      reading.entropy = -(log_p.exp() * log_p).sum(1).index_select(0, before);
    }
    if (values_.defined()) reading.values = values_.index_select(0, before);
    return reading;
  }
  Result<torch::Tensor> reference_logprobs(std::span<const AnswerPath* const> paths) override {
    ++reference_calls;
    const torch::NoGradGuard no_gradient;
    return look_up(reference_, paths);
  }
  /// A reward per last token: its row's first logit.
  Result<torch::Tensor> rewards(std::span<const AnswerPath* const> paths) override {
    std::vector<std::int64_t> last;
    for (const auto* path : paths) last.push_back(path->tokens.back());
    return table_.select(1, 0).index_select(0, torch::tensor(last));
  }
  std::size_t cost(std::span<const AnswerPath* const> paths) const override {
    std::size_t tokens = 0;
    for (const auto* path : paths) tokens += path->tokens.size();
    return tokens;
  }
  std::vector<std::pair<std::string, torch::Tensor>> parameters() override {
    std::vector<std::pair<std::string, torch::Tensor>> named{{"table", table_}};
    if (values_.defined()) named.emplace_back("values", values_);
    return named;
  }
  void set_training(bool on, std::size_t step) override {
    training = on;
    if (on && step == break_at) table_.data().fill_(std::numeric_limits<float>::quiet_NaN());
  }
  Result<std::filesystem::path> save(const std::filesystem::path& folder) override {
    const auto path = folder / "adapter.bin";
    VALENCE_CHECK(write_file(path, bytes()));
    return path;
  }

  std::string bytes() const { return {static_cast<const char*>(table_.data_ptr()), table_.nbytes()}; }
  double probability(TokenId after, TokenId token) const {
    return torch::softmax(table_.detach()[after], 0)[token].item<double>();
  }

  std::size_t calls = 0, reference_calls = 0;
  std::size_t break_at = static_cast<std::size_t>(-1);  ///< step before which the weights become NaN
  bool training = false;

 private:
  /// The token before each learned token, and the learned token.
  static std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>> places_of(
      std::span<const AnswerPath* const> paths) {
    std::vector<std::int64_t> before, token;
    for (const auto* path : paths) {
      for (std::size_t i = path->learned_from; i < path->tokens.size(); ++i) {
        before.push_back(path->tokens[i - 1]);
        token.push_back(path->tokens[i]);
      }
    }
    return {before, token};
  }
  static torch::Tensor look_up(const torch::Tensor& table, std::span<const AnswerPath* const> paths) {
    const auto [before, token] = places_of(paths);
    return torch::log_softmax(table, 1).index({torch::tensor(before), torch::tensor(token)});
  }

  torch::Tensor reference_, table_, values_;
};

}  // namespace valence::train::testing
