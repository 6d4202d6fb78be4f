#include "valence/store/export.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "session.h"
#include "valence/base/files.h"

namespace valence {
namespace {

struct ExportCommand {
  RunId run_id = 0;
  std::string format = "jsonl";
  std::string out;

  Result<void> run(const Session& session) const {
    VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
    VALENCE_TRY(const auto record, store->run(run_id));
    VALENCE_CHECK(require_finished(record));  // answers are written when a run ends
    VALENCE_TRY(const auto table, store->answers(run_id));
    const auto text = format == "csv" ? answers_csv(table) : answers_jsonl(table);
    if (!out.empty()) return write_file(out, text);
    fmt::print("{}", text);
    return {};
  }
};

}  // namespace

void add_export(CLI::App& app, Session& session) {
  auto command = std::make_shared<ExportCommand>();
  auto* sub = app.add_subcommand("export", "Write a run's answers as JSONL or CSV, probes included");
  sub->add_option("run", command->run_id, "run number (valence runs)")->required()->check(run_number());
  sub->add_option("-f,--format", command->format, "jsonl or csv")->check(CLI::IsMember({"jsonl", "csv"}))->capture_default_str();
  sub->add_option("-o,--out", command->out, "file (default: standard output)");
  sub->footer(examples({"valence export 1 --format csv --out answers.csv", "valence export 1 | head -3"}) +
              "\nWhat each column means: docs/formats.md. A run that was stopped has no answers yet: go on with it first.");
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
