#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "gap_show.h"
#include "session.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/instruments/say_do.h"
#include "valence/report/report_files.h"
#include "valence/report/say_do_json.h"
#include "valence/report/say_do_picture.h"
#include "valence/stats/reliability.h"

namespace valence {
namespace {

struct SayDoCommand {
  RunId says = 0, does = 0;
  std::string picture;
  ProfileOptions options;

  Result<void> run(const Session& session) const;
};

std::string standing(const ReportRun& run) {
  const auto& validity = run.profile.validity;
  if (validity.interpretable()) return "";
  return fmt::format("  run {} is NOT INTERPRETABLE ({}): this agreement says nothing about the subject\n", run.record.id,
                     validity.assessed ? validity.reason() : validity.note);
}

std::string corrected_text(const SayDo& result) {
  const auto reliabilities = fmt::format("reliabilities {} and {}", significant(result.says_reliability), significant(result.does_reliability));
  if (std::isfinite(result.disattenuated.value)) return fmt::format("  without noise on either side: {} ({})\n", figure_text(result.disattenuated), reliabilities);
  return fmt::format("  without noise on either side: not given, a reliability is below {} or cannot be formed ({})\n",
                     significant(stats::kLeastReliability), reliabilities);
}

std::string result_text(const ReportRun& says, const ReportRun& does, const SayDo& result, const Space& space) {
  TextTable table({{"", Align::kLeft}, {"says", Align::kRight}, {"rank", Align::kRight}, {"does", Align::kRight}, {"rank", Align::kRight}});
  for (const auto& row : result.rows) {
    table.add({space.find(row.dimension)->label, significant(row.says), significant(row.says_rank), significant(row.does), significant(row.does_rank)});
  }
  auto text = fmt::format("What it says (run {}, {}) and what it does (run {}, {})\n\n{}\n", says.record.id, says.record.subject, does.record.id,
                          does.record.subject, table.text());
  text += fmt::format("  rank correlation {} over {} values; p {} that the orders have nothing to do with each other\n", figure_text(result.spearman),
                      result.rows.size(), result.p < 0.001 ? "< 0.001" : significant(result.p));
  text += corrected_text(result);
  text += "  each side: deviations from its own mean, in its own scale; they are never subtracted from each other\n";
  if (!result.left_out.empty()) text += fmt::format("  left out, since one side has no figure for it: {}\n", join(result.left_out, ", "));
  if (says.record.subject != does.record.subject) text += "  the two runs are of different subjects by name\n";
  return text + reading_note(does) + standing(says) + standing(does);
}

Result<void> SayDoCommand::run(const Session& session) const {
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadOnly));
  VALENCE_TRY(const auto a, load_report_run(*store, says));
  VALENCE_TRY(const auto b, load_report_run(*store, does));
  VALENCE_TRY(const auto settings_a, settings_of(a));
  VALENCE_TRY(const auto settings_b, settings_of(b));
  VALENCE_TRY(const auto result, say_do(*a.instrument, {&settings_a, &a.answers}, *b.instrument, {&settings_b, &b.answers}, options));
  VALENCE_TRY(const auto space, load_space(a.profile.space));
  if (!picture.empty()) {
    VALENCE_TRY(const auto svg, say_do_picture(result, space, b.record.subject));
    VALENCE_CHECK(write_file(picture, svg));
  }
  if (session.json) {
    session.print(say_do_json(a, b, result));
  } else {
    fmt::print("{}{}", result_text(a, b, result, space), picture.empty() ? "" : fmt::format("  picture: {}\n", picture));
  }
  return {};
}

}  // namespace

void add_saydo(CLI::App& app, Session& session) {
  auto command = std::make_shared<SayDoCommand>();
  auto* sub = app.add_subcommand("saydo", "Whether a subject does what it says of itself: a questionnaire run against a fulcra run");
  sub->add_option("says", command->says, "run of questionnaire")->required()->check(run_number());
  sub->add_option("does", command->does, "run of fulcra")->required()->check(run_number());
  sub->add_option("--picture", command->picture, "SVG file: both orders with a line per value");
  sub->add_option("--seed", command->options.seed, "seed of the bootstrap")->check(seed_number())->capture_default_str();
  sub->footer(examples({"valence measure questionnaire --model smollm2", "valence measure fulcra --model smollm2", "valence saydo 1 2 --picture saydo.svg"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
