#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <unistd.h>

#include "session.h"
#include "valence/base/interrupt.h"
#include "valence/base/text.h"
#include "valence/instruments/instrument.h"
#include "version.h"

namespace {

using valence::Session;

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  for (const auto* command : commands) names.push_back(command->get_name());
  return names;
}

const CLI::App& deepest(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : deepest(*chosen.front());
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

std::string path_of(const CLI::App& command) {
  return command.get_parent() == nullptr ? command.get_name() : path_of(*command.get_parent()) + " " + command.get_name();
}

/// - and _ count alike: commands and flags have -, the settings in files _.
std::string nearest_name(const std::string& word, const std::vector<std::string>& candidates) {
  return valence::nearest(valence::replace_all(word, "_", "-"), candidates);
}

std::string suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  const auto near = nearest_name(word, candidates);
  return near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near);
}

/// Known to many as methods of their own; here base-align and rlhf take them as a setting. "best_of_n" of "best-of-n".
std::string optimiser_near(const CLI::App& command, const std::string& word) {
  if (path_of(command) != "valence align") return "";
  const std::vector<std::string> optimisers = {"grpo", "rloo", "ppo", "best-of-n"};
  auto names = names_of(command.get_subcommands([](const CLI::App*) { return true; }));
  names.insert(names.end(), optimisers.begin(), optimisers.end());
  const auto near = nearest_name(word, names);
  return std::ranges::find(optimisers, near) == optimisers.end() ? "" : valence::replace_all(near, "-", "_");
}

/// What is wrong with a word that no command or flag took.
std::string explain_extra(const CLI::App& app, const std::string& word) {
  const auto& command = deepest(app);
  const auto flags = flags_of(command);
  if (std::find(flags.begin(), flags.end(), word) != flags.end()) {
    return fmt::format("\"{}\" belongs after the whole command: {} {} …", word, path_of(command), word);
  }
  if (word.starts_with("-")) {
    return fmt::format("unknown option \"{}\"{} ({} --help)", word, suggestion(word.substr(0, word.find('=')), flags),
                       path_of(command));
  }
  const auto subcommands = command.get_subcommands([](const CLI::App*) { return true; });
  if (subcommands.empty()) return fmt::format("\"{}\" is one word too many ({} --help)", word, path_of(command));
  if (valence::find_instrument(word)) {
    return fmt::format("\"{0}\" is an instrument: valence measure {0}, or valence score {0}", word);
  }
  if (const auto optimiser = optimiser_near(command, word); !optimiser.empty()) {
    return fmt::format("unknown command \"{0}\": {1} is an optimiser of base-align and rlhf: valence align base-align --optimiser {1}", word,
                       optimiser);
  }
  const bool of_instruments = command.get_name() == "measure" || command.get_name() == "score";
  if (of_instruments) return valence::find_instrument(word).error().message;  // knows those that this build leaves out
  return fmt::format("unknown command \"{}\"{} ({} --help)", word, suggestion(word, names_of(subcommands)), path_of(command));
}

/// The first option that no command knows. CLI11 checks values first, and would blame what stands behind such an option.
std::string unknown_option(const CLI::App& app) {
  const auto words = app.remaining(true);
  const auto found = std::find_if(words.begin(), words.end(), [](const std::string& word) { return word.starts_with("-"); });
  return found == words.end() ? "" : *found;
}

int usage_error(const std::string& message) {
  fmt::print(stderr, "valence: {}\n", message);
  return 2;
}

/// The option of that name, of a command or of one below it; null where none has it.
const CLI::Option* option_below(const CLI::App& command, const std::string& flag) {
  if (const auto* option = command.get_option_no_throw(flag)) return option;
  for (const auto* below : command.get_subcommands([](const CLI::App*) { return true; })) {
    if (const auto* option = option_below(*below, flag)) return option;
  }
  return nullptr;
}

/// CLI11 reports a missing subcommand before a word that nothing took: look for the word first. Options of the missing
/// subcommand are left over too, with their values, and are not to blame.
std::string unknown_word(const CLI::App& app) {
  const auto words = app.remaining(true);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("-")) return words[i];
    const auto* option = option_below(deepest(app), words[i].substr(0, words[i].find('=')));
    if (option == nullptr) return words[i];
    const bool value_follows = option->get_items_expected_max() > 0 && words[i].find('=') == std::string::npos;
    if (value_follows) ++i;
  }
  return "";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Measures whose values a language model acts on, on your own machine, with error bars.", "valence"};
  app.set_version_flag("--version", valence::version_text());
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default(false);
  app.fallthrough();
  app.footer(valence::examples({"valence measure hvae --model smollm2", "valence score svo --answers AIAAII",
                                "valence report 1 --out report.html", "valence doctor"}));

  Session session;
  session.out = valence::terminal_of(STDOUT_FILENO);
  session.err = valence::terminal_of(STDERR_FILENO);
  session.stop = valence::stop_on_signal("\nvalence: stopping after what is under way; a second time ends it at once\n");
  app.add_flag("--json", session.json, "machine-readable output (docs/formats.md)");
  app.add_flag("-q,--quiet", session.quiet, "no progress");
  app.add_option("--store", session.store_path, "the project's database")->envname("VALENCE_STORE")->capture_default_str();

  valence::add_measure(app, session);
  valence::add_score(app, session);
  valence::add_compare(app, session);
  valence::add_gap(app, session);
  valence::add_match(app, session);
  valence::add_content(app, session);
  valence::add_saydo(app, session);
  valence::add_tax(app, session);
  valence::add_study(app, session);
  valence::add_target(app, session);
  valence::add_report(app, session);
  valence::add_runs(app, session);
  valence::add_export(app, session);
  valence::add_align(app, session);
  valence::add_model(app, session);
  valence::add_instrument(app, session);
  valence::add_evaluator(app, session);
  valence::add_completeness(app, session);
  valence::add_reproduce(app, session);
  valence::add_quickstart(app, session);
  valence::add_doctor(app, session);
  valence::add_completion(app, session);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError&) {
    return usage_error(explain_extra(app, app.remaining(true).empty() ? "" : app.remaining(true).front()));
  } catch (const CLI::RequiredError& error) {
    const auto word = unknown_word(app);
    return usage_error(word.empty() ? fmt::format("{} ({} --help)", error.what(), path_of(deepest(app)))
                                    : explain_extra(app, word));
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ValidationError& error) {
    if (const auto option = unknown_option(app); !option.empty()) return usage_error(explain_extra(app, option));
    const std::string text = error.what();  // "seed: a seed is …": the name once
    const auto colon = text.find(": a ");
    return usage_error(fmt::format("{} ({} --help)", colon == std::string::npos ? text : text.substr(colon + 2), path_of(deepest(app))));
  } catch (const CLI::ParseError& error) {
    return usage_error(fmt::format("{} ({} --help)", error.what(), path_of(deepest(app))));
  } catch (const std::exception& error) {
    fmt::print(stderr, "valence: internal error: {}. Please report it with the command that you ran.\n", error.what());
    return 1;
  }
  return session.status;
}
