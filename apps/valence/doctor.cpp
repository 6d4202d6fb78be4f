#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "session.h"
#include "valence/base/files.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/model/llama.h"
#include "valence/model/open.h"
#include "valence/model/registry.h"
#include "valence/model/tune.h"

namespace valence {
namespace {

enum class Finding { kGood, kHint, kBad };

/// One self-check: what was looked at, what was seen, what to do about it.
struct Check {
  std::string name;
  Finding finding;
  std::string seen;
  std::string remedy;
};

Check good(std::string name, std::string seen) { return {std::move(name), Finding::kGood, std::move(seen), ""}; }

Check failed(std::string name, const Error& error, std::string remedy) {
  return {std::move(name), Finding::kBad, error.message, std::move(remedy)};
}

Check check_data() {
  const auto folder = data_folder();
  if (!folder) return failed("data files", folder.error(), "set VALENCE_DATA to the product's data folder");
  return good("data files", folder->string());
}

Check check_cache() {
  const auto probe = cache_folder() / ".doctor";
  if (const auto written = write_file(probe, "ok"); !written) {
    return failed("cache folder", written.error(), "make the folder writable, or name another with VALENCE_CACHE");
  }
  std::error_code none;
  std::filesystem::remove(probe, none);
  const auto space = std::filesystem::space(cache_folder(), none);
  const auto seen = fmt::format("{} ({:.1f} GB free)", cache_folder().string(), static_cast<double>(space.available) / 1e9);
  if (space.available < 2'000'000'000) return {"cache folder", Finding::kHint, seen, "tuned copies of a model need a few times its size: free some space"};
  return good("cache folder", seen);
}

/// Also catches libraries whose version is not that of the headers.
Check check_engine() {
  const auto facts = start_engine("auto", "cpu");
  if (!facts) return failed("llama.cpp", facts.error(), "run scripts/setup, then build again");
  return good("llama.cpp", fmt::format("{}, {} backend ({}), {}", facts->version, facts->backend, facts->variant, facts->features));
}

Check check_backend() {
  const auto folder = engine_folder();
  if (folder.empty() || !std::filesystem::exists(folder / "native")) {
    return {"CPU backend", Finding::kHint, "none was compiled for this machine", "run scripts/setup: it is about twice as fast"};
  }
  if (native_is_chosen()) return good("CPU backend", "the one compiled for this machine: faster, and it agrees with the prebuilt one");
  if (!std::filesystem::exists(folder / "native" / "chosen.json")) {
    return {"CPU backend", Finding::kHint, "not compared yet", "valence model backend --choose"};
  }
  return good("CPU backend", "prebuilt: the one compiled for this machine was not faster, or did not agree");
}

/// Double BOS is the most frequent template mistake of the field: count control tokens at the start of a rendering.
Check check_template(const LanguageModel& model) {
  const auto prompt = model.render({{{Role::kUser, "<|im_end|> <s> </s>"}}, ""}, {});
  if (!prompt) return failed("chat template", prompt.error(), "valence model check --model smollm2");
  const auto tokens = model.view(*prompt);
  if (!tokens) return failed("chat template", tokens.error(), "valence model check --model smollm2");
  if (tokens->size() > 1 && (*tokens)[0].control && (*tokens)[0].id == (*tokens)[1].id) {
    return {"chat template", Finding::kBad, "the rendering begins with the same control token twice", "report this with the output of: valence model check"};
  }
  return good("chat template", fmt::format("{} tokens, no doubled start", tokens->size()));
}

std::vector<Check> check_model() {
  const auto registry = ModelRegistry::open();
  if (!registry) return {failed("model registry", registry.error(), "")};
  const auto file = registry->resolve("smollm2");
  if (!file) return {{"default model", Finding::kHint, file.error().message, "valence model pull smollm2"}};
  std::vector<Check> checks = {good("default model", fmt::format("{} (sha256 {})", file->path.string(), file->sha256.brief()))};
  const auto model = open_model({.name = "smollm2", .adapters = {}, .engine = {}});
  if (!model) {
    checks.push_back(failed("loading it", model.error(), "valence model pull smollm2 --again"));
    return checks;
  }
  checks.push_back(good("loading it", (*model)->card().description));
  checks.push_back(check_template(**model));
  return checks;
}

Check check_tuning() {
  const auto registry = ModelRegistry::open();
  const auto file = registry ? registry->resolve("smollm2") : Result<ModelFile>(fail(ErrorCode::kNotFound, "no registry"));
  if (!file) return {"compute format", Finding::kHint, "no model to tune", "valence model pull smollm2"};
  const auto tuning = remembered_tuning(file->sha256, native_is_chosen() ? "native" : "prebuilt", usable_cores());
  if (!tuning) return {"compute format", Finding::kHint, "not measured on this machine", "valence model tune smollm2: usually twice as fast"};
  return good("compute format", fmt::format("{} for scoring, {} for generation", tuning->scoring, tuning->generation));
}

Check check_threads() {
  std::ifstream stream("/proc/loadavg");
  double load = 0.0;
  stream >> load;
  const int cores = usable_cores();
  const auto seen = fmt::format("{} usable, load {:.1f}", cores, load);
  if (load > cores + 0.5) return {"threads", Finding::kHint, seen, "other work shares the cores: expect slower runs; --threads 1 may be faster"};
  return good("threads", seen);
}

Check check_store(const Session& session) {
  if (!std::filesystem::exists(session.store_path)) return good("store", session.store_path.string() + " will be made by the first run");
  const auto store = Store::open(session.store_path, Store::Access::kReadOnly);
  if (!store) return failed("store", store.error(), "name another with --store");
  const auto runs = (*store)->runs();
  if (!runs) return failed("store", runs.error(), "name another with --store");
  return good("store", fmt::format("{}, {} runs", session.store_path.string(), runs->size()));
}

std::string_view word(Finding finding) {
  return finding == Finding::kGood ? "good" : finding == Finding::kHint ? "hint" : "BAD";
}

Style style(Finding finding) {
  return finding == Finding::kGood ? Style::kGood : finding == Finding::kHint ? Style::kPlain : Style::kBad;
}

Result<void> run(const Session& session) {
  std::vector<Check> checks = {check_data(), check_cache(), check_threads(), check_engine(), check_backend()};
  for (auto& check : check_model()) checks.push_back(std::move(check));
  checks.push_back(check_tuning());
  checks.push_back(check_store(session));
  Json list = Json::array();
  bool healthy = true;
  for (const auto& [name, finding, seen, remedy] : checks) {
    healthy = healthy && finding != Finding::kBad;
    list.push_back({{"check", name}, {"finding", word(finding)}, {"seen", seen}, {"remedy", remedy}});
    if (session.json) continue;
    fmt::print("  {:<4}  {:<15} {}\n", styled(word(finding), style(finding), session.out), name, seen);
    if (!remedy.empty()) fmt::print("        {:<15} → {}\n", "", remedy);
  }
  if (session.json) session.print({{"healthy", healthy}, {"checks", list}});
  if (!healthy) return fail(ErrorCode::kModel, "doctor: something is wrong; the remedies stand above");
  return {};
}

}  // namespace

void add_doctor(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand("doctor", "Check the installation; each finding comes with a remedy");
  sub->footer(examples({"valence doctor", "valence doctor --json"}));
  sub->callback([&session] { session.finish(run(session)); });
}

}  // namespace valence
