// Writes what peft_folder.py compares: an adapter that is not zero, in both formats, and the trainer's
// log-probabilities.
//
//   bench/peft_folder MODEL.gguf FOLDER && python3 bench/peft_folder.py MODEL-f32.gguf FOLDER
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "export.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/random.h"
#include "valence/model/token_scorer.h"

namespace valence {
namespace {

constexpr std::string_view kText = "Return the wallet to its owner; the money in it was never yours to keep.";

/// B as training would leave it.
void stir(const Transformer& model) {
  const torch::NoGradGuard no_grad;
  for (const auto& pair : model.adapters()) {
    RandomStream random(1, pair.tensor);
    auto b = pair.b;
    auto* values = b.data_ptr<float>();
    for (std::int64_t i = 0; i < b.numel(); ++i) values[i] = static_cast<float>(0.01 * random.normal());
  }
}

Result<std::vector<double>> logprobs(const Transformer& model, const std::vector<TokenId>& tokens) {
  TrainingPath path{tokens, {}, false};
  for (std::size_t i = 1; i < tokens.size(); ++i) path.targets.push_back(i);
  const PathGroup group{{std::move(path)}};
  VALENCE_TRY(const auto packs, pack_trees(std::span(&group, 1), {}));
  const torch::NoGradGuard no_grad;
  const auto values = model.score(packs.front()).logprob.to(torch::kFloat64).contiguous();
  return std::vector<double>(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
}

Result<void> run(const std::filesystem::path& gguf, const std::filesystem::path& folder) {
  VALENCE_TRY(const auto engine, TokenScorer::open(gguf, "as_is", {}));
  VALENCE_TRY(const auto tokens, engine.tokenize(kText));
  VALENCE_TRY(const auto model, Transformer::load(gguf, {}));
  Json json{{"tokens", tokens}};
  model->set_adapter_scale(0);
  VALENCE_TRY(json["base"], logprobs(*model, tokens));
  model->set_adapter_scale(1);
  stir(*model);
  VALENCE_TRY(json["adapted"], logprobs(*model, tokens));
  VALENCE_CHECK(export_peft(*model, folder, {{}, {}, "the base model"}));
  VALENCE_CHECK(export_lora_gguf(*model, folder / "adapter.gguf", {}));
  return write_file(folder / "trainer.json", to_text(json, 2));
}

}  // namespace
}  // namespace valence

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: peft_folder MODEL.gguf FOLDER\n");
    return 2;
  }
  const auto done = valence::run(argv[1], argv[2]);
  if (!done) fmt::print(stderr, "peft_folder: {}\n", done.error().message);
  return done ? 0 : 1;
}
