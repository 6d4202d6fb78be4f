// Whether an evaluator costs more than its models' forward passes: texts per second of the whole evaluator (reading,
// features, heads) over those of the same forward passes alone.
//
//   build/bench/bench/bench_evaluate [CHUNKS [TEXTS]]        default 9 24
//
// For each of two evaluators (MiniLM of prompt and response; states of SmolLM2 over the response), fitted beforehand on
// 160 of FULCRA's dialogues: CHUNKS chunks of TEXTS dialogues that it has not seen, each evaluated and embedded once,
// in alternating order. Prints `ratio <name> <median> <low> <high>`; low and high are the quartiles over chunks. The
// bar is 0.9. Needs: valence model pull minilm, valence model pull smollm2.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "command_line.h"
#include "valence/evaluate/evaluator.h"
#include "valence/evaluate/vector_features.h"
#include "valence/stats/distribution.h"

namespace {

using namespace valence;

constexpr std::size_t kTrainingRows = 160;

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  fmt::print(stderr, "bench_evaluate: {}\n", result.error().message);
  std::exit(1);
}

template <class Work>
double seconds(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// An evaluator, and what reads the same tokens without it.
struct Contest {
  std::string name, features;
  EmbedderSpec embedder;
  std::vector<EmbedRequest> (*requests)(std::span<const PromptedText>);
};

std::vector<EmbedRequest> prompts_and_responses(std::span<const PromptedText> texts) {
  std::vector<EmbedRequest> requests;
  for (const auto& text : texts) {
    requests.push_back({text.prompt, {}, {}});
    requests.push_back({text.response, {}, {}});
  }
  return requests;
}

std::vector<EmbedRequest> dialogues(std::span<const PromptedText> texts) {
  std::vector<EmbedRequest> requests;
  for (const auto& text : texts)
    requests.push_back({fmt::format("Human: {}\nBob: {}", text.prompt, text.response), {}, {}});
  return requests;
}

EmbedderSpec embedder_of(std::string name, std::size_t layer) {
  EmbedderSpec spec;
  spec.name = std::move(name);
  spec.layer = layer;
  return spec;
}

LabelledData dialogues_of_fulcra() {
  const auto names = must(dimension_names(must(load_space("schwartz10"))));
  return must(read_labelled(must(fulcra_path()), names));
}

std::vector<std::size_t> range(std::size_t first, std::size_t count) {
  std::vector<std::size_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = first + i;
  return rows;
}

Evaluator evaluator_of(const LabelledData& data, const std::string& features) {
  EvaluatorRecipe recipe;
  auto& part = recipe.parts.front();
  part.features = {features};
  part.head.kind = HeadKind::kMlp;
  part.head.epochs = 5;  // what it says does not matter here
  recipe.thresholds.goal = TuningGoal::kNone;
  const auto families = must(open_feature_families(part.features, data.names.space));
  return must(train_evaluator(data.subset(range(0, kTrainingRows)), families, recipe, *silent_progress()));
}

void compete(const Contest& contest, const LabelledData& data, std::size_t chunks, std::size_t size) {
  const auto evaluator = evaluator_of(data, contest.features);
  const auto embedder = must(open_embedder(contest.embedder));
  std::vector<double> ratios;
  for (std::size_t chunk = 0; chunk < chunks; ++chunk) {
    const auto texts = texts_of(data.subset(range(kTrainingRows + chunk * size, size)).rows);
    const auto requests = contest.requests(texts);
    double evaluated = 0.0, alone = 0.0;
    const auto evaluate = [&] { evaluated = seconds([&] { must(evaluator.evaluate(texts)); }); };
    const auto pass = [&] { alone = seconds([&] { must(embed(*embedder, requests)); }); };
    if (chunk % 2 == 0) evaluate();
    pass();
    if (chunk % 2 == 1) evaluate();
    ratios.push_back(alone / evaluated);
  }
  fmt::print("ratio evaluator_over_forward_passes_{} {:.3f} {:.3f} {:.3f}\n", contest.name,
             stats::quantile(ratios, 0.5), stats::quantile(ratios, 0.25), stats::quantile(ratios, 0.75));
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t chunks = 9, size = 24;
  CLI::App app("Whether an evaluator costs more than its models' forward passes");
  app.add_option("chunks", chunks, "paired runs")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("texts", size, "texts of each chunk")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  parse_or_exit(app, argc, argv);
  const auto data = dialogues_of_fulcra();
  if (kTrainingRows + chunks * size > data.rows.size()) {
    fmt::print(stderr, "bench_evaluate: {} chunks of {} texts are more than there are\n", chunks, size);
    return 2;
  }
  compete({"minilm", "minilm", embedder_of("minilm", 0), prompts_and_responses}, data, chunks, size);
  compete({"states", "states:smollm2@15", embedder_of("smollm2", 15), dialogues}, data, chunks, size);
  return 0;
}
