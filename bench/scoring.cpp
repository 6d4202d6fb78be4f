// How much faster the prefix tree scores than what others do, on one machine, interleaved.
//
//   bench_scoring [MODEL] [--runs N] [--format F] [--threads N] [--micro-batch N] [--quick | --formats]
//
// MODEL is a name of the registry or a path (default smollm2). The workload: 12 items of 60 tokens with 4 options of 8
// tokens each, after an instruction of 200 tokens that all share. Compared are: the tree; prefixes shared inside each
// item only, by the same executor (micro-batches of 512 and of 1024 tokens, which hold one and three items); one full
// pass per option. Lines `ratio <name> <median> <low> <high>`: how many times faster the tree, or the first named, is;
// low and high are the quartiles of the paired runs. --quick: three runs, no full passes. --formats: only the compute
// formats, with micro-batches of N tokens.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "command_line.h"
#include "valence/base/random.h"
#include "valence/base/text.h"
#include "valence/model/llama.h"
#include "valence/model/registry.h"
#include "valence/model/tune.h"

namespace {

using namespace valence;

template <class T>
T must(Result<T> result) {
  if (result) return *std::move(result);
  fmt::print(stderr, "bench_scoring: {}\n", result.error().message);
  std::exit(1);
}

void must(const Result<void>& result) {
  if (result) return;
  fmt::print(stderr, "bench_scoring: {}\n", result.error().message);
  std::exit(1);
}

struct Settings {
  std::string model = "smollm2", format = "auto";
  int runs = 9, threads = 0, micro_batch = 512;
  bool quick = false, formats_only = false;
};

Settings parse(int argc, char** argv) {
  Settings settings;
  CLI::App app("How much faster the prefix tree scores than what others do, interleaved");
  app.add_option("model", settings.model, "name of the registry or path")->capture_default_str();
  app.add_option("--runs", settings.runs, "paired runs")->check(CLI::Range(1, 1'000'000))->capture_default_str();
  app.add_option("--format", settings.format, "compute format: auto, as_is, f32, f16, q8_0")->capture_default_str();
  app.add_option("--threads", settings.threads, "0: all cores")->check(CLI::Range(0, 1024))->capture_default_str();
  app.add_option("--micro-batch", settings.micro_batch, "tokens")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  auto* quick = app.add_flag("--quick", settings.quick, "three runs, no full passes");
  app.add_flag("--formats", settings.formats_only, "the compute formats only")->excludes(quick);
  parse_or_exit(app, argc, argv);
  if (settings.quick) settings.runs = 3;
  return settings;
}

// ---- workloads. Words are one token each in most vocabularies; tokens are counted, not assumed.

std::string words(std::uint64_t seed, std::size_t count) {
  static const char* const kWords[] = {" the", " people", " water", " house",  " think", " small", " right", " answer",
                                       " day", " power",  " might", " number", " hand",  " light", " story", " money"};
  RandomStream random(seed, "words");
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += kWords[random.below(std::size(kWords))];
  return text;
}

Prompt prompt_of(const LanguageModel& model, const std::string& text, std::size_t tokens) {
  auto prompt = must(model.render({{{Role::kUser, text}}, ""}, {}));
  prompt.tokens.resize(std::min(prompt.tokens.size(), tokens));
  return prompt;
}

std::vector<Request> shared_workload(const LanguageModel& model, std::size_t items = 12) {
  std::vector<Request> requests;
  const auto instruction = prompt_of(model, words(1, 400), 200);
  for (std::size_t i = 0; i < items; ++i) {
    auto context = instruction;
    const auto item = must(model.render({{{Role::kUser, words(100 + i, 200)}}, ""}, {}));
    context.tokens.insert(context.tokens.end(), item.tokens.end() - 100, item.tokens.end() - 40);
    ScoreRequest request{context, {}, ""};
    for (std::size_t k = 0; k < 4; ++k) request.continuations.push_back(words(1000 + 10 * i + k, 8));
    requests.push_back(request);
  }
  return requests;
}

/// Prompts that differ from their first token on, one option each.
std::vector<Request> unshared_workload(const LanguageModel& model) {
  std::vector<Request> requests;
  for (std::size_t i = 0; i < 12; ++i) {
    const auto item = must(model.render({{{Role::kUser, words(i, 200)}}, ""}, {}));
    Prompt context{{item.tokens.end() - 150, item.tokens.end() - 22}, {}};
    context.tokens.insert(context.tokens.begin(), static_cast<TokenId>(1000 + i));
    requests.push_back(ScoreRequest{context, {words(500 + i, 8)}, ""});
  }
  return requests;
}

// ---- running

struct Keep : Sink {
  std::vector<std::pair<std::size_t, double>> totals;  // request and sum of an option's tokens
  const Plan* plan = nullptr;
  Result<void> done(std::size_t group, std::span<const Result<Response>> responses) override {
    for (std::size_t i = 0; i < responses.size(); ++i) {
      for (const auto& option : std::get<ContinuationScores>(*responses[i]).continuations) {
        totals.emplace_back(plan->groups[group].requests[i], option.total());
      }
    }
    return {};
  }
};

struct Run {
  double seconds = 0;
  std::size_t decoded = 0;
  std::vector<std::pair<std::size_t, double>> totals;
};

Run run(LanguageModel& model, const Plan& plan) {
  std::vector<std::size_t> groups(plan.groups.size());
  std::iota(groups.begin(), groups.end(), std::size_t{0});
  Keep keep;
  keep.plan = &plan;
  const auto before = decoded_tokens();
  const auto begin = std::chrono::steady_clock::now();
  must(model.run(plan, groups, keep, {}));
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  std::ranges::stable_sort(keep.totals, {}, &std::pair<std::size_t, double>::first);
  return {passed.count(), decoded_tokens() - before, std::move(keep.totals)};
}

struct Way {
  std::string name;
  std::unique_ptr<LanguageModel> model;
  Plan plan;
  std::vector<double> seconds{};
  Run last{};
};

Way make_way(std::string name, const ModelFile& file, const EngineOptions& options,
             const std::function<std::vector<Request>(const LanguageModel&)>& workload) {
  auto model = must(open_llama(file.name, file.path, {}, options, file.sha256));
  auto plan = must(model->plan(workload(*model)));
  return {std::move(name), std::move(model), std::move(plan)};
}

void interleave(std::vector<Way*> ways, int runs) {
  for (int r = -1; r < runs; ++r) {  // the first round warms up
    for (auto* way : ways) {
      way->last = run(*way->model, way->plan);
      if (r >= 0) way->seconds.push_back(way->last.seconds);
    }
  }
}

double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  const auto at = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(at);
  const auto high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - static_cast<double>(low)) * (values[high] - values[low]);
}

/// How many times longer `slow` takes than `fast`, pair by pair.
void print_ratio(const std::string& name, const Way& slow, const Way& fast) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < fast.seconds.size(); ++i) ratios.push_back(slow.seconds[i] / fast.seconds[i]);
  fmt::print("ratio {} {:.2f} {:.2f} {:.2f}\n", name, quantile(ratios, 0.5), quantile(ratios, 0.25),
             quantile(ratios, 0.75));
  std::fflush(stdout);
}

void print_way(const Way& way) {
  const auto seconds = quantile(way.seconds, 0.5);
  fmt::print("way {} seconds {:.3f} tokens {} tokens_per_second {:.0f}\n", way.name, seconds, way.last.decoded,
             static_cast<double>(way.last.decoded) / seconds);
}

/// Distinct beginnings of all context + option[:-1], counted naively.
std::size_t distinct_prefixes(const LanguageModel& naive, const std::vector<Request>& requests) {
  std::set<std::vector<TokenId>> prefixes;
  for (const auto& request : requests) {
    const auto& score = std::get<ScoreRequest>(request);
    for (const auto& text : score.continuations) {
      auto path = score.context.tokens;
      // A plain prompt's last tokens are the option's: rendering ends with it as the answer's beginning.
      const auto bare = must(naive.render({{{Role::kUser, "x"}}, ""}, {})),
                 with = must(naive.render({{{Role::kUser, "x"}}, text}, {}));
      path.insert(path.end(), with.tokens.begin() + static_cast<std::ptrdiff_t>(bare.tokens.size()),
                  with.tokens.end() - 1);
      for (std::size_t i = 1; i <= path.size(); ++i)
        prefixes.emplace(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return prefixes.size();
}

double largest_gap(const Run& a, const Run& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.totals.size(); ++i)
    largest = std::max(largest, std::abs(a.totals[i].second - b.totals[i].second));
  return largest;
}

/// Largest difference of a sum over 8 tokens between the tree and reference mode, by format and cache.
void print_noise(const ModelFile& file, const Settings& settings) {
  for (const std::string format : {"as_is", "q8_0", "f16", "f32"}) {
    EngineOptions options;
    options.format = format;
    options.threads = settings.threads;
    options.reference = true;
    auto reference = make_way("reference", file, options, [](const auto& m) { return shared_workload(m, 3); });
    const auto exact = run(*reference.model, reference.plan);
    options.reference = false;
    for (const std::string cache : {"f16", "f32"}) {
      options.cache = cache;
      auto tree = make_way("tree", file, options, [](const auto& m) { return shared_workload(m, 3); });
      fmt::print("noise format {} cache {} sum_of_8 {:.6f}\n", format, cache,
                 largest_gap(exact, run(*tree.model, tree.plan)));
      std::fflush(stdout);
    }
  }
}

/// A process keeps the backend it began with, so each is measured by a child.
void print_backends(const std::string& program, const ModelFile& file) {
  std::vector<BackendMeasurement> measured;
  for (const std::string backend : {"native", "prebuilt"}) {
    const auto command =
        fmt::format("'{}' --measure-backend {} '{}' 2>/dev/null", program, backend, file.path.string());
    std::unique_ptr<FILE, int (*)(FILE*)> child(popen(command.c_str(), "r"), pclose);
    std::string text;
    for (char buffer[4096]; const auto count = std::fread(buffer, 1, sizeof(buffer), child.get());)
      text.append(buffer, count);
    if (auto measurement = backend_measurement_from_json(text)) measured.push_back(*std::move(measurement));
  }
  if (measured.size() != 2) return fmt::print("backends: only one is installed\n");
  const auto choice = choose_backend(measured[0], measured[1]);
  fmt::print("backend native {:.0f} prebuilt {:.0f} tokens_per_second largest_logit_difference {:.4f}: {}\n",
             choice.native_prefill, choice.prebuilt_prefill, choice.largest_difference, choice.reason);
}

void print_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM")) fmt::print("memory {}\n", trim(line.substr(6)));
  }
}

void compare_sharing(const ModelFile& file, const Settings& settings) {
  EngineOptions options;
  options.threads = settings.threads;
  options.format = settings.format;
  const auto workload = [](const LanguageModel& model) { return shared_workload(model); };
  auto tree = make_way("tree", file, options, workload);
  for (const auto& [key, value] : tree.model->card().facts) fmt::print("# {}: {}\n", key, value);
  options.sharing = "request";
  auto request = make_way("request", file, options, workload);
  options.micro_batch = 1024;
  auto packed = make_way("request_1024", file, options, workload);
  options.micro_batch = 512;
  options.sharing = "none";
  auto none = make_way("none", file, options, workload);
  std::vector<Way*> ways{&tree, &request, &packed};
  if (!settings.quick) ways.push_back(&none);
  interleave(ways, settings.runs);
  for (const auto* way : ways) print_way(*way);
  const auto distinct = distinct_prefixes(*tree.model, tree.plan.requests);
  fmt::print("tokens decoded {} distinct_prefixes {} ratio {:.4f}\n", tree.last.decoded, distinct,
             static_cast<double>(tree.last.decoded) / static_cast<double>(distinct));
  print_ratio("tree_over_request", request, tree);
  print_ratio("tree_over_request_1024", packed, tree);
  if (!settings.quick) print_ratio("tree_over_none", none, tree);
}

void compare_unshared(const ModelFile& file, const Settings& settings) {
  EngineOptions options;
  options.threads = settings.threads;
  options.format = settings.format;
  auto tree = make_way("unshared_tree", file, options, unshared_workload);
  options.sharing = "request";
  auto request = make_way("unshared_request", file, options, unshared_workload);
  interleave({&tree, &request}, settings.runs);
  print_ratio("unshared_tree_over_request", request, tree);
}

void count_large_plan(const ModelFile& file, const Settings& settings) {
  EngineOptions options;
  options.threads = settings.threads;
  options.format = settings.format;
  options.context = 1024;
  auto large = make_way("large", file, options, [](const LanguageModel& m) { return shared_workload(m, 120); });
  const auto done = run(*large.model, large.plan);
  const auto distinct = distinct_prefixes(*large.model, large.plan.requests);
  fmt::print("tokens of a plan of {:.1f} caches: decoded {} distinct_prefixes {} ratio {:.4f}\n",
             static_cast<double>(distinct) / 1024.0, done.decoded, distinct,
             static_cast<double>(done.decoded) / static_cast<double>(distinct));
}

void compare_formats(const ModelFile& file, const Settings& settings) {
  const auto workload = [](const LanguageModel& model) { return shared_workload(model); };
  EngineOptions options;
  options.threads = settings.threads;
  options.micro_batch = static_cast<std::size_t>(settings.micro_batch);
  options.format = "as_is";
  auto as_is = make_way("as_is", file, options, workload);
  options.format = "auto";
  auto tuned = make_way("tuned", file, options, workload);
  options.format = "f16";
  auto half = make_way("f16", file, options, workload);
  interleave({&as_is, &tuned, &half}, settings.runs);
  for (const auto* way : {&as_is, &tuned, &half}) print_way(*way);
  print_ratio("tuned_over_as_is", as_is, tuned);
  print_ratio("f16_over_as_is", as_is, half);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 3 && arguments[0] == "--measure-backend") {
    fmt::print("{}\n", to_json(must(measure_backend(arguments[2], arguments[1]))));
    return 0;
  }
  const auto settings = parse(argc, argv);
  const auto registry = must(ModelRegistry::open());
  const auto file = must(registry.resolve(settings.model));
  if (settings.formats_only) return compare_formats(file, settings), 0;
  compare_sharing(file, settings);
  compare_unshared(file, settings);
  count_large_plan(file, settings);
  compare_formats(file, settings);
  print_backends(argv[0], file);
  if (!settings.quick) print_noise(file, settings);
  print_memory();
}
