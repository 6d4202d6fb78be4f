#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "session.h"
#include "target_show.h"
#include "valence/base/files.h"
#include "valence/targets/answer_sheet.h"
#include "valence/targets/survey.h"

namespace valence {
namespace {

struct TargetAsk {
  std::string form = "pvq40";
  std::string out = "me.toml";
  std::string answers;
  std::string id, label;
  std::string scores = "centred";
  std::string picture;

  Result<void> run(const Session& session) const;
  std::string sheet_file() const {
    return answers.empty() ? std::filesystem::path(out).replace_extension(".answers.json").string() : answers;
  }
  Result<Target> target_of(const SurveyForm& survey, const AnswerSheet& sheet) const;
};

Result<Target> TargetAsk::target_of(const SurveyForm& survey, const AnswerSheet& sheet) const {
  VALENCE_TRY(const auto scale, score_scale_from(scores));
  auto target = person_target(survey, sheet.answers(), scale);
  if (!target) return tl::unexpected(with_context(std::move(target).error(), sheet_file()));
  const auto stem = std::filesystem::path(out).stem().string();
  target->id = id.empty() ? stem : id;
  target->label = label.empty() ? fmt::format("one person's answers to the {}", survey.title) : label;
  target->provenance.note = fmt::format("one person's own answers, asked by valence; {} of {} items answered",
                                        sheet.answered(), sheet.entries.size());
  target->provenance.licence = "the person's own";
  return target;
}

Json progress_json(const AnswerSheet& sheet, const std::string& file) {
  return {{"complete", sheet.complete()},
          {"answered", sheet.answered()},
          {"items", sheet.entries.size()},
          {"answers", file}};
}

Result<void> TargetAsk::run(const Session& session) const {
  VALENCE_CHECK(score_scale_from(scores));
  VALENCE_TRY(const auto survey, load_survey_form(form));
  if (survey.questionnaire.empty())
    return fail(ErrorCode::kUsage, "the form {} has columns only, no item texts to ask; pvq40 has", survey.id);
  VALENCE_TRY(const auto questionnaire, load_questionnaire(survey.questionnaire));
  const auto file = sheet_file();
  VALENCE_TRY(auto sheet, open_sheet(file, questionnaire));
  VALENCE_CHECK(ask_items(questionnaire, sheet, file, std::cin, session.json ? std::cerr : std::cout));
  auto document = progress_json(sheet, file);
  if (!sheet.complete()) {
    if (session.json)
      session.print(document);
    else
      fmt::print("{} of {} items are done and kept in {}. Run the same command to go on.\n", sheet.seen(),
                 sheet.entries.size(), file);
    return {};
  }
  VALENCE_TRY(const auto target, target_of(survey, sheet));
  VALENCE_CHECK(write_file(out, to_toml(target)));
  VALENCE_CHECK(write_picture({&target, 1}, picture));
  if (session.json) {
    document["out"] = out;
    VALENCE_TRY(document["target"], target_document(target));
    session.print(document);
    return {};
  }
  VALENCE_TRY(const auto text, target_text(target));
  fmt::print("{}\n  target: {}    answers: {}\n  how far a run is from it: valence gap RUN --target {}\n", text, out,
             file, out);
  return {};
}

}  // namespace

void add_target_ask(CLI::App& parent, Session& session) {
  auto command = std::make_shared<TargetAsk>();
  auto* sub = parent.add_subcommand("ask", "Put a questionnaire to a person, here, and make a target of the answers");
  sub->add_option("--form", command->form, "questionnaire")->capture_default_str();
  sub->add_option("--out", command->out, "the target's file")->capture_default_str();
  sub->add_option("--answers", command->answers, "file that the answers are kept in [OUT with .answers.json]");
  sub->add_option("--id", command->id, "the target's id [the file's name]");
  sub->add_option("--label", command->label, "whose values these are");
  sub->add_option("--scores", command->scores, "centred, raw or unit")->capture_default_str();
  sub->add_option("--picture", command->picture, "write Schwartz's circle with the target on it to this SVG file");
  sub->footer(examples({"valence target ask", "valence target ask --out anna.toml --label Anna --picture anna.svg",
                        "valence target ask --out anna.toml < answers.txt"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
