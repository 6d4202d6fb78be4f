#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "session.h"
#include "valence/report/report_files.h"

namespace valence {
namespace {

struct ReportCommand {
  std::vector<RunId> runs;
  std::string out;
  ReportOptions options;

  Result<void> run(const Session& session) const {
    VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
    VALENCE_CHECK(write_report(*store, runs, out, options));
    if (session.json) {
      session.print({{"report", out}, {"runs", runs}});
    } else {
      fmt::print("report: {}\n", out);
    }
    return {};
  }
};

}  // namespace

void add_report(CLI::App& app, Session& session) {
  auto command = std::make_shared<ReportCommand>();
  auto* sub = app.add_subcommand("report", "Write a report of one or more runs: HTML, Markdown or JSON");
  sub->add_option("runs", command->runs, "run numbers (valence runs)")->required()->check(run_number());
  sub->add_option("-o,--out", command->out, "file; its ending chooses .html, .md or .json")->default_str("out/report.html");
  command->out = "out/report.html";
  sub->add_option("--title", command->options.title, "title of the report");
  sub->add_option("--max-answers", command->options.max_answers, "rows of answers shown (all are in the export)")
      ->capture_default_str();
  sub->footer(examples({"valence report 1", "valence report 1 2 --out comparison.html", "valence report 1 --out figures.md"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
