#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "valence/base/json.h"
#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/base/terminal.h"
#include "valence/store/store.h"

namespace CLI {
class App;
class Validator;
}

namespace valence {

/// What every subcommand shares: where output goes, the store, the wish to stop, the exit status.
struct Session {
  Terminal out;
  Terminal err;
  bool json = false;
  bool quiet = false;
  std::filesystem::path store_path = "valence.db";
  std::stop_token stop;
  int status = 0;

  Result<std::unique_ptr<Store>> open_store(Store::Access access) const;
  std::unique_ptr<Progress> progress() const;
  /// Prints one JSON document on standard output.
  void print(const Json& json) const;
  /// Prints the error, if any, on standard error and sets the exit status.
  void finish(const Result<void>& result);
};

/// Checks of options: a run number, 1 or more; a seed, 0 or more.
CLI::Validator run_number();
CLI::Validator seed_number();

/// "\nExamples:\n  …": the foot of a subcommand's --help, one command a line.
std::string examples(std::initializer_list<std::string_view> lines);

// One per subcommand, each in the file of its name.
void add_measure(CLI::App& app, Session& session);
void add_score(CLI::App& app, Session& session);
void add_compare(CLI::App& app, Session& session);
void add_gap(CLI::App& app, Session& session);
void add_match(CLI::App& app, Session& session);
void add_content(CLI::App& app, Session& session);
void add_saydo(CLI::App& app, Session& session);
void add_tax(CLI::App& app, Session& session);
void add_study(CLI::App& app, Session& session);
void add_target(CLI::App& app, Session& session);
void add_report(CLI::App& app, Session& session);
void add_runs(CLI::App& app, Session& session);
void add_export(CLI::App& app, Session& session);
void add_model(CLI::App& app, Session& session);
void add_instrument(CLI::App& app, Session& session);
void add_evaluator(CLI::App& app, Session& session);
void add_completeness(CLI::App& app, Session& session);
void add_doctor(CLI::App& app, Session& session);
void add_reproduce(CLI::App& app, Session& session);
void add_align(CLI::App& app, Session& session);
void add_quickstart(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);

}  // namespace valence
