#include "subject_options.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr const char* kSubjectGroup = "Who is examined";
constexpr const char* kEngineGroup = "How it is computed";

Result<Role> role_of(const Node& message) {
  VALENCE_TRY(const auto role, message.string_at("role"));
  if (role == "user") return Role::kUser;
  if (role == "assistant") return Role::kAssistant;
  return tl::unexpected(message.error(fmt::format("\"role\" should be user or assistant, got \"{}\"", role)));
}

Result<std::vector<Message>> read_examples(const std::string& path) {
  VALENCE_TRY(const auto rows, read_jsonl(path));
  std::vector<Message> messages;
  for (const auto& row : rows) {
    VALENCE_TRY(const auto role, role_of(row));
    VALENCE_TRY(auto text, row.string_at("content"));
    messages.push_back({role, std::move(text)});
  }
  return messages;
}

/// The beginning of a persona, whole words as far as a table has room.
std::string excerpt(const std::string& text) {
  constexpr std::size_t kLongest = 40;
  std::string line;
  for (const auto& word : split(trim(replace_all(printable(text), "\n", " ")), " ")) {
    if (!line.empty() && code_points(line) + code_points(word) >= kLongest) return line + " …";
    line += (line.empty() ? "" : " ") + word;
  }
  return line;
}

}  // namespace

Result<AdapterSpec> parse_adapter(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return AdapterSpec{text, 1.0};
  const auto tail = text.substr(colon + 1);
  const auto scale = parse_number(tail, "--adapter");
  if (!scale) return AdapterSpec{text, 1.0};  // the colon belongs to the path
  return AdapterSpec{text.substr(0, colon), *scale};
}

void SubjectOptions::add_flags(CLI::App& command) {
  command.add_option("-m,--model", model.name, "registry name, GGUF path, URL, hf:owner/repo/file.gguf or scripted:NAME")
      ->capture_default_str()->group(kSubjectGroup);
  command.add_option("--adapter", adapters, "LoRA adapter (GGUF), PATH or PATH:SCALE; may be repeated")->group(kSubjectGroup);
  command.add_option("--persona", persona, "system prompt that the subject is given, e.g. \"You are a nurse.\"")->group(kSubjectGroup);
  command.add_option("--system-file", system_file, "the same, read from a text file")->excludes("--persona")->group(kSubjectGroup);
  command.add_option("--examples", examples_file, "in-context examples: JSONL of {\"role\", \"content\"}, user and assistant in turn")
      ->group(kSubjectGroup);
  command.add_option("--name", name, "what the subject is called in tables and reports")->group(kSubjectGroup);
  command.add_flag("--thinking", render.thinking, "let a model that can think do so before it answers")->group(kSubjectGroup);
  command.add_option("--date", render.date, "the date that templates print, recorded with the run")->capture_default_str()->group(kSubjectGroup);

  auto& engine = model.engine;
  command.add_flag("--reference", engine.reference, "one request per decode, no flash attention, F32 cache: slow, and the same for any number of threads")
      ->group(kEngineGroup);
  command.add_option("--compute", engine.format, "compute format of the weights: auto (as tuned), as_is, f32, f16, q8_0")
      ->check(CLI::IsMember({"auto", "as_is", "f32", "f16", "q8_0"}))->capture_default_str()->group(kEngineGroup);
  command.add_option("--backend", engine.backend, "CPU backend: auto, native, prebuilt")
      ->check(CLI::IsMember({"auto", "native", "prebuilt"}))->capture_default_str()->group(kEngineGroup);
  command.add_option("--device", engine.device, "cpu, cuda, vulkan or metal (all but cpu untested)")
      ->check(CLI::IsMember({"cpu", "cuda", "vulkan", "metal"}))->capture_default_str()->group(kEngineGroup);
  command.add_option("--gpu-layers", engine.gpu_layers, "layers on the device, -1 = all")->capture_default_str()->group(kEngineGroup);
  command.add_option("--threads", engine.threads, "threads, 0 = the cores that this process may use")
      ->check(CLI::Range(0, 1024))->capture_default_str()->group(kEngineGroup);
}

Result<Subject> SubjectOptions::open() const {
  ModelSpec spec = model;
  for (const auto& text : adapters) {
    VALENCE_TRY(auto adapter, parse_adapter(text));
    spec.adapters.push_back(std::move(adapter));
  }
  Subject subject;
  subject.render = render;
  if (persona && trim(*persona).empty()) return fail(ErrorCode::kUsage, "--persona is empty: leave it out to examine the model as it is");
  subject.system_prompt = persona.value_or("");
  if (!system_file.empty()) {
    VALENCE_TRY(const auto text, read_file(system_file));
    subject.system_prompt = trim(text);
  }
  if (!examples_file.empty()) {
    VALENCE_TRY(subject.examples, read_examples(examples_file));
  }
  VALENCE_TRY(subject.model, open_model(spec));
  subject.name = !name.empty() ? name : spec.name;
  if (name.empty() && !subject.system_prompt.empty()) subject.name += fmt::format(" as \"{}\"", excerpt(subject.system_prompt));
  return subject;
}

}  // namespace valence
