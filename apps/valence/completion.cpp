#include <CLI/CLI.hpp>
#include <memory>

#include "session.h"
#include "valence/base/text.h"

namespace valence {
namespace {

/// The words that may follow `path` ("valence measure hvae"): subcommands and long flags.
std::vector<std::string> words_after(const CLI::App& command) {
  std::vector<std::string> words;
  for (const auto* sub : command.get_subcommands([](const CLI::App*) { return true; })) words.push_back(sub->get_name());
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

void collect(const CLI::App& command, const std::string& path, std::string& cases) {
  cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", path, join(words_after(command), " "));
  for (const auto* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    collect(*sub, path + " " + sub->get_name(), cases);
  }
}

std::string bash_script(const CLI::App& app) {
  std::string cases;
  collect(app, "valence", cases);
  return "_valence() {\n  local path=valence words= word\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do [[ $word == -* ]] && break; path+=\" $word\"; done\n"
         "  case $path in\n" + cases + "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
         "complete -o default -F _valence valence\n";
}

}  // namespace

void add_completion(CLI::App& app, Session& session) {
  auto shell = std::make_shared<std::string>("bash");
  auto* sub = app.add_subcommand("completion", "Print a script that completes commands and flags in the shell");
  sub->add_option("shell", *shell, "bash or zsh")->check(CLI::IsMember({"bash", "zsh"}))->capture_default_str();
  sub->footer(examples({"source <(valence completion bash)", "valence completion zsh > ~/.valence-completion.zsh"}));
  sub->callback([&app, shell, &session] {
    session.status = 0;
    const std::string zsh = *shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "";
    fmt::print("{}{}", zsh, bash_script(app));
  });
}

}  // namespace valence
