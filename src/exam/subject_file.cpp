#include "valence/exam/subject_file.h"

#include <nlohmann/json.hpp>

#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/model/registry.h"

namespace valence {
namespace {

constexpr std::string_view kScripted = "scripted:";

Result<std::vector<Message>> examples_of(const Node& table) {
  const auto* node = table.find("example");
  if (!node) return std::vector<Message>();
  VALENCE_TRY(const auto entries, node->as_array());
  std::vector<Message> examples;
  for (const auto& entry : entries) {
    VALENCE_CHECK(entry.allow_only({"role", "content"}));
    VALENCE_TRY(const auto role, example_role(entry));
    VALENCE_TRY(auto text, entry.string_at("content"));
    examples.push_back({role, std::move(text)});
  }
  return examples;
}

Result<std::vector<AdapterSpec>> adapters_of(const Node& table) {
  std::vector<AdapterSpec> adapters;
  const auto* node = table.find("adapters");
  if (!node) return adapters;
  VALENCE_TRY(const auto texts, node->as_strings());
  for (const auto& text : texts) {
    VALENCE_TRY(auto adapter, parse_adapter(text));
    adapters.push_back(std::move(adapter));
  }
  return adapters;
}

Result<void> read_engine(const Node& table, EngineOptions& engine) {
  VALENCE_TRY(engine.format, table.string_or("compute", engine.format));
  VALENCE_TRY(engine.reference, table.bool_or("reference", engine.reference));
  VALENCE_TRY(const auto threads, table.integer_or("threads", engine.threads));
  if (threads < 0 || threads > 1024) {
    return tl::unexpected(
        table.find("threads")->error(fmt::format("\"threads\" should be 0 to 1024, got {}", threads)));
  }
  engine.threads = static_cast<int>(threads);
  return {};
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

/// JSON's strings are TOML's basic strings but for the delete character, which is a control character only there.
std::string toml_string(std::string_view text) {
  return replace_all(to_text(Json(std::string(text))), "\x7f", "\\u007f");
}

Result<Digest> weights_identity(const std::string& model) {
  if (model.starts_with(kScripted)) {
    VALENCE_TRY(const auto scripted, open_model({.name = model, .adapters = {}, .engine = {}}));
    return scripted->card().identity;
  }
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  VALENCE_TRY(const auto file, registry.resolve(model));
  return file.sha256;
}

}  // namespace

Result<AdapterSpec> parse_adapter(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon + 1 == text.size()) return AdapterSpec{text, 1.0};
  const auto scale = parse_number(text.substr(colon + 1), "--adapter");
  if (!scale) return AdapterSpec{text, 1.0};  // the colon belongs to the path
  return AdapterSpec{text.substr(0, colon), *scale};
}

Result<Role> example_role(const Node& message) {
  VALENCE_TRY(const auto role, message.string_at("role"));
  if (role == "user") return Role::kUser;
  if (role == "assistant") return Role::kAssistant;
  return tl::unexpected(message.error(fmt::format("\"role\" should be user or assistant, got \"{}\"", role)));
}

Result<SubjectSpec> subject_from(const Node& table) {
  VALENCE_CHECK(table.allow_only(
      {"model", "adapters", "persona", "name", "thinking", "date", "compute", "reference", "threads", "example"}));
  SubjectSpec spec;
  VALENCE_TRY(spec.model.name, table.string_at("model"));
  VALENCE_TRY(spec.model.adapters, adapters_of(table));
  VALENCE_CHECK(read_engine(table, spec.model.engine));
  VALENCE_TRY(spec.persona, table.string_or("persona", ""));
  VALENCE_TRY(spec.name, table.string_or("name", ""));
  VALENCE_TRY(spec.render.thinking, table.bool_or("thinking", false));
  VALENCE_TRY(spec.render.date, table.string_or("date", spec.render.date));
  VALENCE_TRY(spec.examples, examples_of(table));
  return spec;
}

Result<SubjectSpec> read_subject(const std::filesystem::path& file) {
  VALENCE_TRY(const auto node, read_toml(file));
  return subject_from(node);
}

std::string to_toml(const SubjectSpec& spec) {
  const auto& engine = spec.model.engine;
  auto text = fmt::format("model = {}\n", toml_string(spec.model.name));
  if (!spec.name.empty()) text += fmt::format("name = {}\n", toml_string(spec.name));
  std::vector<std::string> adapters;
  for (const auto& adapter : spec.model.adapters)
    adapters.push_back(toml_string(fmt::format("{}:{}", adapter.path, adapter.scale)));
  if (!adapters.empty()) text += fmt::format("adapters = [{}]\n", join(adapters, ", "));
  if (!spec.persona.empty()) text += fmt::format("persona = {}\n", toml_string(spec.persona));
  text += fmt::format("thinking = {}\ndate = {}\ncompute = {}\nreference = {}\nthreads = {}\n", spec.render.thinking,
                      toml_string(spec.render.date), toml_string(engine.format), engine.reference, engine.threads);
  for (const auto& message : spec.examples) {
    text += fmt::format("\n[[example]]\nrole = {}\ncontent = {}\n", toml_string(to_string(message.role)),
                        toml_string(message.text));
  }
  return text;
}

Result<SubjectSpec> subject_named(const std::string& name_or_path) {
  if (name_or_path.ends_with(".toml")) return read_subject(name_or_path);
  SubjectSpec spec;
  spec.model.name = name_or_path;
  return spec;
}

std::string display_name(const SubjectSpec& spec) {
  if (!spec.name.empty()) return spec.name;
  return spec.persona.empty() ? spec.model.name : fmt::format("{} as \"{}\"", spec.model.name, excerpt(spec.persona));
}

Result<Subject> open_subject(const SubjectSpec& spec) {
  Subject subject;
  subject.name = display_name(spec);
  subject.system_prompt = spec.persona;
  subject.examples = spec.examples;
  subject.render = spec.render;
  VALENCE_TRY(subject.model, open_model(spec.model));
  return subject;
}

Result<Digest> subject_identity(const SubjectSpec& spec) {
  VALENCE_TRY(const auto weights, weights_identity(spec.model.name));
  const auto& engine = spec.model.engine;
  Hasher hasher;
  hasher.add("subject file 1").add(weights).add(static_cast<std::uint64_t>(spec.model.adapters.size()));
  for (const auto& adapter : spec.model.adapters) {
    VALENCE_TRY(const auto content, sha256_file(adapter.path));
    hasher.add(content).add(adapter.scale);
  }
  hasher.add(engine.format)
      .add(engine.cache)
      .add(engine.backend)
      .add(engine.device)
      .add(static_cast<std::uint64_t>(engine.reference));
  hasher.add(static_cast<std::uint64_t>(engine.threads)).add(display_name(spec)).add(spec.persona);
  for (const auto& message : spec.examples) hasher.add(to_string(message.role)).add(message.text);
  hasher.add(static_cast<std::uint64_t>(spec.render.thinking)).add(spec.render.date);
  return hasher.finish();
}

}  // namespace valence
