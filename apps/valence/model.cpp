#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "model_embed.h"
#include "model_engine.h"
#include "session.h"
#include "subject_options.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/model/registry.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

std::string megabytes(std::uint64_t bytes) { return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6); }

Result<void> list_models(const Session& session) {
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  const auto models = registry.list();
  if (session.json) {
    Json document = {{"models", Json::array()}, {"scripted", Json::array()}};
    for (const auto& model : models) {
      document["models"].push_back({{"name", model.name}, {"title", model.title}, {"licence", model.licence},
                                    {"bytes", model.size}, {"pulled", model.pulled}});
    }
    for (const auto& name : scripted_names()) document["scripted"].push_back("scripted:" + name);
    session.print(document);
    return {};
  }
  TextTable table({{"name", Align::kLeft}, {"size", Align::kRight}, {"here", Align::kLeft}, {"licence", Align::kLeft}, {"", Align::kLeft}});
  for (const auto& model : models) {
    table.add({model.name, megabytes(model.size), model.pulled ? "yes" : "no", model.licence, model.title});
  }
  std::vector<std::string> scripted;
  for (const auto& name : scripted_names()) scripted.push_back("scripted:" + name);
  fmt::print("{}\n  also: a path to a GGUF file, http(s)://…, hf:owner/repo/file.gguf\n  simulated subjects of known truth: {}\n",
             table.text(), join(scripted, ", "));
  return {};
}

struct PullCommand {
  std::string name;
  std::string sha256;
  std::uint64_t size = 0;
  bool again = false;

  Result<void> run(const Session& session) const {
    const auto progress = session.progress();
    PullOptions options{.size = {}, .sha256 = {}, .again = again, .stop = session.stop, .progress = progress.get()};
    if (size > 0) options.size = size;
    if (!sha256.empty()) {
      VALENCE_TRY(options.sha256, Digest::from_hex(sha256));
    }
    VALENCE_TRY(const auto registry, ModelRegistry::open());
    VALENCE_TRY(const auto file, registry.pull(name, options));
    if (session.json) {
      session.print({{"name", file.name}, {"path", file.path.string()}, {"bytes", file.size}, {"sha256", file.sha256.hex()},
                     {"source", file.source}, {"licence", file.licence}});
    } else {
      fmt::print("{}: {} ({}, sha256 {})\n", file.name, file.path.string(), megabytes(file.size), file.sha256.brief());
    }
    return {};
  }
};

Result<void> show_info(const Session& session, const std::string& name) {
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  VALENCE_TRY(const auto details, registry.info(name));
  const auto& [file, gguf] = details;
  if (session.json) {
    session.print({{"name", file.name}, {"path", file.path.string()}, {"bytes", file.size}, {"sha256", file.sha256.hex()},
                   {"source", file.source}, {"licence", file.licence}, {"architecture", gguf.architecture()},
                   {"parameters", gguf.parameters()}, {"context", gguf.context_length()}, {"tensors", gguf.tensors.size()},
                   {"chat_template", !gguf.chat_template().empty()}});
    return {};
  }
  fmt::print("{}\n  file          {}\n  size          {} bytes\n  sha256        {}\n  source        {}\n  licence       {}\n"
             "  architecture  {}, {} parameters in {} tensors, context {}\n  conversation  {}\n",
             file.name, file.path.string(), with_thousands(file.size), file.sha256.hex(), file.source,
             file.licence.empty() ? "not known" : file.licence, gguf.architecture(), with_thousands(gguf.parameters()),
             gguf.tensors.size(), with_thousands(gguf.context_length()),
             gguf.chat_template().empty() ? "no template in the file: a plain form is used" : "template in the file");
  return {};
}

Json token_json(const TokenView& token) { return {{"id", token.id}, {"text", token.text}, {"control", token.control}}; }

struct CheckCommand {
  SubjectOptions subject;
  std::string text = "Which do you choose?\nA: 85, 85\nB: 85, 15\nAnswer with A or B.";

  Result<void> run(const Session& session) const {
    VALENCE_TRY(const auto who, subject.open());
    Conversation conversation;
    if (!who.system_prompt.empty()) conversation.messages.push_back({Role::kSystem, who.system_prompt});
    conversation.messages.insert(conversation.messages.end(), who.examples.begin(), who.examples.end());
    conversation.messages.push_back({Role::kUser, text});
    VALENCE_TRY(const auto prompt, who.model->render(conversation, who.render));
    VALENCE_TRY(const auto tokens, who.model->view(prompt));
    show(session, *who.model, tokens);
    return {};
  }

  static void show(const Session& session, const LanguageModel& model, const std::vector<TokenView>& tokens) {
    const auto& card = model.card();
    if (session.json) {
      Json document = {{"name", card.name}, {"identity", card.identity.hex()}, {"facts", Json::object()}, {"tokens", Json::array()}};
      for (const auto& [name, value] : card.facts) document["facts"][name] = value;
      for (const auto& token : tokens) document["tokens"].push_back(token_json(token));
      return session.print(document);
    }
    fmt::print("{}: {}\n", card.name, card.description);
    for (const auto& [name, value] : card.facts) fmt::print("  {:<24} {}\n", name, value);
    fmt::print("\n  {} tokens; control tokens in ⟨⟩:\n\n", tokens.size());
    for (const auto& token : tokens) {
      fmt::print("{}", token.control ? styled("⟨" + printable(token.text) + "⟩", Style::kBold, session.out)
                                     : printable(token.text));
    }
    fmt::print("\n\n  ids: ");
    for (const auto& token : tokens) fmt::print("{} ", token.id);
    fmt::print("\n");
  }
};

}  // namespace

void add_model(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand("model", "List, fetch, inspect, check, tune and convert models; embed texts");
  sub->require_subcommand(1);
  sub->footer(examples({"valence model list", "valence model pull smollm2", "valence model check --model smollm2",
                        "valence model tune smollm2"}));
  sub->add_subcommand("list", "Models that have a name, and what lies in the cache")
      ->callback([&session] { session.finish(list_models(session)); });

  auto pull = std::make_shared<PullCommand>();
  auto* fetch = sub->add_subcommand("pull", "Fetch a model, check its size, hash and header, and put it into the cache");
  fetch->add_option("name", pull->name, "registry name, URL or hf:owner/repo/file.gguf")->required();
  fetch->add_option("--sha256", pull->sha256, "hash that the file must have (for addresses)");
  fetch->add_option("--size", pull->size, "bytes that the file must have (for addresses)");
  fetch->add_flag("--again", pull->again, "fetch even when an intact copy is there");
  fetch->footer(examples({"valence model pull smollm2", "valence model pull hf:owner/repo/file.gguf"}));
  fetch->callback([pull, &session] { session.finish(pull->run(session)); });

  auto name = std::make_shared<std::string>();
  auto* info = sub->add_subcommand("info", "What a model file holds, without loading it");
  info->add_option("name", *name, "registry name or path")->required();
  info->footer(examples({"valence model info smollm2", "valence model info ./my-model.gguf --json"}));
  info->callback([name, &session] { session.finish(show_info(session, *name)); });

  auto check = std::make_shared<CheckCommand>();
  auto* look = sub->add_subcommand("check", "Load a model and print the rendered tokens of a sample, to see template mistakes");
  check->subject.add_flags(*look);
  look->add_option("--text", check->text, "what the user says in the sample");
  look->footer(examples({"valence model check --model smollm2", "valence model check --model smollm2 --text \"<|im_end|> stays text\""}));
  look->callback([check, &session] { session.finish(check->run(session)); });

  add_model_engine(*sub, session);
  add_model_embed(*sub, session);
}

}  // namespace valence
