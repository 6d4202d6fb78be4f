#include "subject_options.h"

#include <CLI/CLI.hpp>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr const char* kSubjectGroup = "Who is examined";
constexpr const char* kEngineGroup = "How it is computed";

Result<std::vector<Message>> read_examples(const std::string& path) {
  VALENCE_TRY(const auto rows, read_jsonl(path));
  std::vector<Message> messages;
  for (const auto& row : rows) {
    VALENCE_TRY(const auto role, example_role(row));
    VALENCE_TRY(auto text, row.string_at("content"));
    messages.push_back({role, std::move(text)});
  }
  return messages;
}

}  // namespace

void SubjectOptions::add_flags(CLI::App& command) {
  auto* from_file =
      command
          .add_option(
              "--subject", file,
              "subject file (TOML), as aligners write it; instead of --model and the engine's flags (docs/studies.md)")
          ->group(kSubjectGroup);
  command
      .add_option("-m,--model", model.name, "registry name, GGUF path, URL, hf:owner/repo/file.gguf or scripted:NAME")
      ->capture_default_str()
      ->excludes(from_file)
      ->group(kSubjectGroup);
  command.add_option("--adapter", adapters, "LoRA adapter (GGUF), PATH or PATH:SCALE; may be repeated")
      ->group(kSubjectGroup);
  command.add_option("--persona", persona, "system prompt that the subject is given, e.g. \"You are a nurse.\"")
      ->group(kSubjectGroup);
  command.add_option("--system-file", system_file, "the same, read from a text file")
      ->excludes("--persona")
      ->group(kSubjectGroup);
  command
      .add_option("--examples", examples_file,
                  "in-context examples: JSONL of {\"role\", \"content\"}, user and assistant in turn")
      ->group(kSubjectGroup);
  command.add_option("--name", name, "what the subject is called in tables and reports")->group(kSubjectGroup);
  command.add_flag("--thinking", render.thinking, "let a model that can think do so before it answers")
      ->excludes(from_file)
      ->group(kSubjectGroup);
  command.add_option("--date", render.date, "the date that templates print, recorded with the run")
      ->capture_default_str()
      ->excludes(from_file)
      ->group(kSubjectGroup);

  auto& engine = model.engine;
  command
      .add_flag("--reference", engine.reference,
                "one request per decode, no flash attention, F32 cache: slow, and the same for any number of threads")
      ->excludes(from_file)
      ->group(kEngineGroup);
  command
      .add_option("--compute", engine.format, "compute format of the weights: auto (as tuned), as_is, f32, f16, q8_0")
      ->check(CLI::IsMember({"auto", "as_is", "f32", "f16", "q8_0"}))
      ->capture_default_str()
      ->excludes(from_file)
      ->group(kEngineGroup);
  command.add_option("--backend", engine.backend, "CPU backend: auto, native, prebuilt")
      ->check(CLI::IsMember({"auto", "native", "prebuilt"}))
      ->capture_default_str()
      ->excludes(from_file)
      ->group(kEngineGroup);
  command.add_option("--device", engine.device, "cpu, cuda, vulkan or metal (all but cpu untested)")
      ->check(CLI::IsMember({"cpu", "cuda", "vulkan", "metal"}))
      ->capture_default_str()
      ->excludes(from_file)
      ->group(kEngineGroup);
  command.add_option("--gpu-layers", engine.gpu_layers, "layers on the device, -1 = all")
      ->capture_default_str()
      ->excludes(from_file)
      ->group(kEngineGroup);
  command.add_option("--threads", engine.threads, "threads, 0 = the cores that this process may use")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str()
      ->excludes(from_file)
      ->group(kEngineGroup);
}

Result<SubjectSpec> SubjectOptions::spec() const {
  SubjectSpec spec{.model = model, .persona = {}, .examples = {}, .name = {}, .render = render};
  if (!file.empty()) {
    VALENCE_TRY(spec, read_subject(file));
  }
  for (const auto& text : adapters) {
    VALENCE_TRY(auto adapter, parse_adapter(text));
    spec.model.adapters.push_back(std::move(adapter));
  }
  if (persona && trim(*persona).empty())
    return fail(ErrorCode::kUsage, "--persona is empty: leave it out to examine the model as it is");
  if (persona) spec.persona = *persona;
  if (!system_file.empty()) {
    VALENCE_TRY(const auto text, read_file(system_file));
    spec.persona = trim(text);
  }
  if (!examples_file.empty()) {
    VALENCE_TRY(spec.examples, read_examples(examples_file));
  }
  if (!name.empty()) spec.name = name;
  return spec;
}

Result<Subject> SubjectOptions::open() const {
  VALENCE_TRY(const auto subject, spec());
  return open_subject(subject);
}

}  // namespace valence
