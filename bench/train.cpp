// Valence's side of bench/train.py: takes turns with another program, one line of standard input a turn.
//
//   bench_train train JOB.json              a turn is a step of the job; its store, held-out data and checkpoints are
//   left out bench_train generate MODEL.gguf EXAMPLES.jsonl PROMPTS SAMPLES TOKENS
//                                           a turn is SAMPLES answers of at most TOKENS to each of the first PROMPTS
//                                           prompts
//
// Answers are lines of JSON: first {"ready"}, with the examples of each step in their order; after a turn its seconds;
// after the end of input the most memory that was ever resident.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "machine.h"
#include "schedule.h"
#include "trainer.h"
#include "transformer_policy.h"
#include "valence/base/json.h"
#include "valence/model/open.h"
#include "valence/train/job.h"

namespace valence {
namespace {

using Clock = std::chrono::steady_clock;

void say(const Json& json) {
  fmt::print("{}\n", to_text(json));
  std::fflush(stdout);
}

bool await_turn() {
  std::string line;
  return static_cast<bool>(std::getline(std::cin, line));
}

double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024.0;
  }
  return 0.0;
}

Json order_of(const train::TrainerOptions& options, std::size_t examples) {
  train::Order order(options.seed, examples, options.batch);
  Json steps = Json::array();
  for (std::size_t step = 0; step < options.steps; ++step) steps.push_back(order.at(step));
  return steps;
}

Json to_json(const TrainingStep& row) {
  Json phases = Json::object();
  for (const auto& [name, seconds] : row.phases) phases[name] = seconds;
  return {{"seconds", row.seconds}, {"loss", row.loss}, {"computed", row.tokens}, {"phases", phases}};
}

Result<void> train_by_turns(const std::filesystem::path& path) {
  VALENCE_TRY(const auto job, read_job(path));
  VALENCE_TRY(const auto examples, read_examples(job.examples));
  VALENCE_TRY(const auto task, train::make_task(job.operation, job.settings));
  VALENCE_TRY(const auto machine, check_machine(job.threads));
  TransformerOptions options;
  options.bf16 = job.settings.text("products") == "auto" && machine.bf16;
  options.tuning.lora.rank = job.settings.integer("rank");
  options.tuning.lora.alpha = job.settings.number("alpha");
  options.tuning.seed = job.seed;
  VALENCE_TRY(auto transformer, Transformer::load(job.model, options));
  train::TransformerPolicy policy(std::move(transformer), job.model_name, train::LinearHead::kNone);
  auto settings = train::trainer_options(job.settings, job.seed);
  settings.checkpoint_every = settings.steps + 1;
  say({{"ready", machine.threads}, {"products", options.bf16 ? "bf16" : "f32"}, {"order", order_of(settings, examples.size())}});
  if (!await_turn()) return {};
  train::TrainerContext context{.output = job.output, .job = job.digest()};
  context.record = [&](const TrainingStep& row) -> Result<void> {
    say(to_json(row));
    if (await_turn()) return {};
    say({{"peak_mb", peak_megabytes()}});
    std::exit(0);
  };
  VALENCE_CHECK(train::train(policy, *task, examples, settings, context));
  return fail(ErrorCode::kUsage, "more turns were asked for than the job has steps");
}

struct CountTokens : Sink {
  std::size_t tokens = 0;
  Result<void> done(std::size_t, std::span<const Result<Response>> responses) override {
    for (const auto& response : responses) {
      if (!response) return tl::unexpected(response.error());
      tokens += std::get<Completion>(*response).tokens.size();
    }
    return {};
  }
};

Result<void> generate_by_turns(const std::string& model_path, const std::filesystem::path& path, std::size_t prompts,
                               std::size_t samples, int tokens) {
  VALENCE_TRY(const auto examples, read_examples(path));
  VALENCE_TRY(const auto model, open_model({model_path, {}, {}}));
  const auto requests = [&](std::uint64_t turn) {
    std::vector<Request> list;
    for (std::size_t i = 0; i < std::min(prompts, examples.size()); ++i) {
      const auto& answer = examples[i].paths.front();
      const Prompt prompt{
          {answer.tokens.begin(), answer.tokens.begin() + static_cast<std::ptrdiff_t>(answer.learned_from)}, ""};
      for (std::size_t k = 0; k < samples; ++k) {
        const auto seed = (turn * prompts + i) * samples + k;
        list.push_back(GenerateRequest{
            prompt, {.temperature = 1.0, .top_p = 1.0, .max_tokens = tokens, .seed = seed, .stop = {}}, {}});
      }
    }
    return list;
  };
  Json facts = Json::object();
  for (const auto& [name, value] : model->card().facts) facts[name] = value;
  say({{"ready", facts}});
  for (std::uint64_t turn = 0; await_turn(); ++turn) {
    const auto begin = Clock::now();
    VALENCE_TRY(const auto plan, model->plan(requests(turn)));
    std::vector<std::size_t> groups(plan.groups.size());
    std::iota(groups.begin(), groups.end(), std::size_t{0});
    CountTokens count;
    VALENCE_CHECK(model->run(plan, groups, count, {}));
    say({{"seconds", std::chrono::duration<double>(Clock::now() - begin).count()}, {"tokens", count.tokens}});
  }
  say({{"peak_mb", peak_megabytes()}});
  return {};
}

Result<void> run(const std::vector<std::string>& words) {
  if (words.size() == 2 && words[0] == "train") return train_by_turns(words[1]);
  if (words.size() == 6 && words[0] == "generate")
    return generate_by_turns(words[1], words[2], std::stoul(words[3]), std::stoul(words[4]), std::stoi(words[5]));
  return fail(ErrorCode::kUsage, "see the head of bench/train.cpp");
}

}  // namespace
}  // namespace valence

int main(int argc, char** argv) {
  if (const auto passive = valence::set_up_process(argv); !passive) return 1;
  const auto done = valence::run({argv + 1, argv + argc});
  if (!done) fmt::print(stderr, "bench_train: {}\n", done.error().message);
  return done ? 0 : 1;
}
