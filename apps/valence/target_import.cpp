#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "session.h"
#include "target_show.h"
#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/targets/survey.h"

namespace valence {
namespace {

constexpr std::string_view kOpinionForm = "opinions";

struct TargetImport {
  std::string file, form, out, id, label, licence;
  std::string scores = "centred";
  SurveyOptions survey;
  OpinionOptions opinions;
  std::string picture;

  Result<void> run(const Session& session) const;
  Result<void> run_survey(const Session& session) const;
  Result<void> run_opinions(const Session& session) const;
  std::string name() const { return id.empty() ? std::filesystem::path(out).stem().string() : id; }
};

Json counts_json(const SurveyCounts& counts) {
  return {{"rows", counts.rows},
          {"outside", counts.outside},
          {"unknown", counts.unknown},
          {"missing", counts.missing},
          {"straight_lining", counts.straight_lining},
          {"weightless", counts.weightless},
          {"used", counts.used}};
}

/// What became of the rows, in words that are kept with the target.
std::string account(const SurveyTarget& made, const SurveyOptions& options, const std::string& file) {
  const auto& counts = made.counts;
  return fmt::format(
      "{} of {} rows of {}{}: {} outside the filter, {} with an answer missing that it needs, {} with too few answers, "
      "{} with one answer "
      "too often, {} without weight; weights: {}; as much as {} respondents of equal weight; intervals over {}s",
      counts.used, counts.rows, std::filesystem::path(file).filename().string(),
      options.where.empty() ? "" : fmt::format(" where {}", options.where), counts.outside, counts.unknown,
      counts.missing, counts.straight_lining, counts.weightless, made.weighting, significant(made.effective),
      made.unit);
}

Result<void> TargetImport::run_survey(const Session& session) const {
  if (!opinions.group.empty() || opinions.ordered || !opinions.drop.empty()) {
    return fail(ErrorCode::kUsage,
                "--group, --ordered and --drop belong to --form opinions; a survey's subgroup is chosen with --where");
  }
  VALENCE_TRY(const auto survey_form, load_survey_form(form));
  VALENCE_TRY(const auto table, read_csv(file, {.separator = file.ends_with(".tsv") ? '\t' : ','}));
  auto options = survey;
  VALENCE_TRY(options.scale, score_scale_from(scores));
  VALENCE_TRY(auto made, import_survey(table, survey_form, options));
  made.target.id = name();
  made.target.label = label.empty() ? name() : label;
  made.target.provenance.note = account(made, options, file);
  if (!licence.empty()) made.target.provenance.licence = licence;
  VALENCE_CHECK(write_file(out, to_toml(made.target)));
  VALENCE_CHECK(write_picture({&made.target, 1}, picture));
  if (session.json) {
    VALENCE_TRY(const auto target, target_document(made.target));
    session.print({{"out", out},
                   {"target", target},
                   {"counts", counts_json(made.counts)},
                   {"weighting", made.weighting},
                   {"effective", made.effective},
                   {"unit", made.unit}});
    return {};
  }
  VALENCE_TRY(const auto text, target_text(made.target));
  fmt::print("{}\n  target: {}\n", text, out);
  return {};
}

Result<void> TargetImport::run_opinions(const Session& session) const {
  if (!survey.where.empty() || survey.unweighted || !survey.cluster.empty() || survey.most_like_me ||
      survey.any_order || !picture.empty()) {
    return fail(ErrorCode::kUsage,
                "--form opinions takes --group, --ordered and --drop; the other choices are for raw answers to value "
                "questionnaires");
  }
  if (opinions.group.empty()) return fail(ErrorCode::kUsage, "--form opinions needs --group: whose answers?");
  if (!names_opinions(out))
    return fail(ErrorCode::kUsage, "answer distributions are kept in a .json file, and --out is {}", out);
  VALENCE_TRY(auto target, import_opinions(file, opinions));
  target.id = name();
  target.label = label.empty() ? fmt::format("answers of {}", opinions.group) : label;
  target.provenance = {fmt::format("file {}", std::filesystem::path(file).filename().string()),
                       licence.empty() ? "as the file's" : licence, ""};
  VALENCE_CHECK(write_file(out, to_text(to_json(target), 1) + "\n"));
  if (session.json) {
    session.print({{"out", out}, {"id", target.id}, {"group", target.group}, {"questions", target.questions.size()}});
  } else {
    fmt::print("{} questions as {} answered them\n  target: {}\n", target.questions.size(), target.group, out);
  }
  return {};
}

Result<void> TargetImport::run(const Session& session) const {
  return form == kOpinionForm ? run_opinions(session) : run_survey(session);
}

void add_survey_options(CLI::App& app, TargetImport& command) {
  app.add_option("--where", command.survey.where, "subgroup: cntry == \"GB\" and agea >= 18 and agea < 30");
  app.add_option("--scores", command.scores, "centred, raw or unit")->capture_default_str();
  app.add_flag("--unweighted", command.survey.unweighted, "respondents count alike");
  app.add_option("--cluster", command.survey.cluster, "column of sampling clusters, for wider, honest intervals");
  app.add_option("--most-like-me", command.survey.most_like_me,
                 "the answer that means \"very much like me\", where the file differs from the form");
  app.add_flag("--any-order", command.survey.any_order,
               "the group does order the values the reverse of every known population");
}

void add_opinion_options(CLI::App& app, TargetImport& command) {
  app.add_option("--group", command.opinions.group, "opinions: whose answers");
  app.add_flag("--ordered", command.opinions.ordered, "opinions: options are steps of a scale");
  app.add_option("--drop", command.opinions.drop, "opinions: an option that is no opinion (repeatable)")
      ->allow_extra_args(false);
}

}  // namespace

void add_target_import(CLI::App& parent, Session& session) {
  auto command = std::make_shared<TargetImport>();
  auto* sub = parent.add_subcommand("import", "A survey's raw answers, or its answer distributions, as a target");
  sub->add_option("file", command->file, "CSV of answers; CSV or JSON of distributions")->required();
  sub->add_option("--form", command->form, "how the file holds them: ess_pvq21, pvq40, opinions, or a form's TOML file")
      ->required();
  sub->add_option("--out", command->out, "the target's file")->required();
  sub->add_option("--id", command->id, "the target's id [the file's name]");
  sub->add_option("--label", command->label, "whose values these are");
  sub->add_option("--licence", command->licence, "terms of the answers, where they differ from the form's");
  add_survey_options(*sub, *command);
  add_opinion_options(*sub, *command);
  sub->add_option("--picture", command->picture, "write Schwartz's circle with the target on it to this SVG file");
  sub->footer(examples(
      {"valence target import ESS11.csv --form ess_pvq21 --where 'cntry == \"GB\" and agea < 30' --out uk_young.toml",
       "valence target import answers.csv --form pvq40 --label \"our assembly\" --out assembly.toml",
       "valence target import opinions.json --form opinions --group Argentina --drop DK/Refused --out "
       "argentina.json"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
