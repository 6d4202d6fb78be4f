#include "valence/store/export.h"

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "session.h"
#include "valence/base/files.h"
#include "valence/base/text.h"

namespace valence {
namespace {

struct ExportCommand {
  RunId run_id = 0;
  std::string format, out;

  /// As asked, else by the file's ending; JSONL to standard output.
  Result<std::string> chosen_format() const {
    if (!format.empty()) return format;
    if (out.empty()) return std::string("jsonl");
    const auto ending = std::filesystem::path(out).extension().string();
    if (ending == ".csv" || ending == ".jsonl") return ending.substr(1);
    return fail(ErrorCode::kUsage, "--out {}: answers are written as .jsonl or .csv; another ending needs --format jsonl or csv", out);
  }

  Result<void> run(const Session& session) const {
    VALENCE_TRY(const auto as, chosen_format());
    VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
    VALENCE_TRY(const auto record, store->run(run_id));
    VALENCE_CHECK(require_finished(record));  // answers are written when a run ends
    VALENCE_TRY(const auto table, store->answers(run_id));
    const auto text = as == "csv" ? answers_csv(table) : answers_jsonl(table);
    if (out.empty()) {
      fmt::print("{}", text);
      return {};
    }
    VALENCE_CHECK(write_file(out, text));
    const auto rows = table.rows.size() + table.probes.size();
    if (session.json) {
      session.print({{"answers", out}, {"format", as}, {"rows", rows}});
    } else {
      fmt::print("answers: {} ({} rows, {})\n", out, with_thousands(rows), as);
    }
    return {};
  }
};

}  // namespace

void add_export(CLI::App& app, Session& session) {
  auto command = std::make_shared<ExportCommand>();
  auto* sub = app.add_subcommand("export", "Write a run's answers as JSONL or CSV, probes included");
  sub->add_option("run", command->run_id, "run number (valence runs)")->required()->check(run_number());
  sub->add_option("-f,--format", command->format, "jsonl or csv; by the file's ending when left out")->check(CLI::IsMember({"jsonl", "csv"}));
  sub->add_option("-o,--out", command->out, "file (default: standard output)");
  sub->footer(examples({"valence export 1 --out answers.csv", "valence export 1 | head -3"}) +
              "\nWhat each column means: docs/formats.md. A run that was stopped has no answers yet: go on with it first.");
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
