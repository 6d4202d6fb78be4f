// valence align choice INSTRUMENT: from any instrument with options to any target that somebody answers for.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "align.h"
#include "align_show.h"
#include "gap_show.h"
#include "instrument_options.h"
#include "session.h"
#include "subject_options.h"
#include "valence/align/choice_data.h"
#include "valence/base/text.h"
#include "valence/values/opinions.h"

namespace valence {
namespace {

struct ChoiceCommand {
  const Instrument* instrument;
  const Operation* operation;
  SubjectOptions subject;
  InstrumentOptions asked, training;
  std::vector<std::string> also;  ///< NAME=VALUE
  std::string toward, toward_persona, target, map, formats = "letter", folder;
  std::vector<std::string> dimensions;
  std::uint64_t seed = 0;

  Result<void> run(const Session& session) const;
  Result<Target> goal() const;
  Result<void> check() const;
  Result<Teacher> teacher(const Settings& asked_settings) const;
  std::string teacher_name() const;
  Result<std::vector<Settings>> administrations() const;
  Result<ChoiceData> learn(const Settings& training_settings, Progress& progress) const;
  std::string headline(const ChoiceData& data) const;
};

/// How many, and a dozen of them at most by name.
std::string counted_names(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 12;
  return fmt::format("({}){}", names.size(), names.size() > kNamed ? "" : ": " + join(names, ", "));
}

Result<Target> ChoiceCommand::goal() const {
  VALENCE_TRY(auto loaded, load_any_target(target, map));
  return narrowed(std::move(loaded), dimensions);
}

/// What can be known to be wrong before a model is opened.
Result<void> ChoiceCommand::check() const {
  if (toward.empty() == target.empty())
    return fail(
        ErrorCode::kUsage,
        "say whose answers are learned, once: --target (valence target list), or --toward a model or scripted subject");
  if (target.empty()) return {};
  VALENCE_TRY(const auto wanted, goal());
  VALENCE_TRY(const auto settings, asked.resolve(instrument->settings()));
  VALENCE_TRY(const auto key, instrument->answer_key(wanted, settings));
  return {};
}

Result<Teacher> ChoiceCommand::teacher(const Settings& asked_settings) const {
  if (!target.empty()) {
    VALENCE_TRY(const auto wanted, goal());
    return target_teacher(*instrument, asked_settings, wanted);
  }
  auto spec = subject.model;
  spec.name = toward;
  spec.adapters.clear();  // they are the student's
  VALENCE_TRY(std::shared_ptr<LanguageModel> model, open_model(spec));
  return Teacher{std::move(model), toward_persona};
}

std::string ChoiceCommand::teacher_name() const {
  if (target.empty()) return toward_persona.empty() ? toward : fmt::format("{} as \"{}\"", toward, toward_persona);
  return dimensions.empty() ? fmt::format("target {}", target)
                            : fmt::format("target {} ({})", target, join(dimensions, ", "));
}

/// The settings asked for, then the same with one setting changed for each --also.
Result<std::vector<Settings>> ChoiceCommand::administrations() const {
  VALENCE_TRY(const auto first, asked.resolve(instrument->settings()));
  std::vector<Settings> all{first};
  for (const auto& change : also) {
    const auto equals = change.find('=');
    if (equals == std::string::npos)
      return fail(ErrorCode::kUsage, "--also: should be NAME=VALUE, got \"{}\"", printable(change));
    auto given = first.values();
    given.emplace_back(change.substr(0, equals), change.substr(equals + 1));
    VALENCE_TRY(auto settings, Settings::resolve(instrument->settings(), given));
    all.push_back(std::move(settings));
  }
  return all;
}

Result<ChoiceData> ChoiceCommand::learn(const Settings& training_settings, Progress& progress) const {
  VALENCE_TRY(const auto all, administrations());
  VALENCE_TRY(const auto student, subject.open());
  const ChoiceLessons lessons{formats != "text", formats != "letter",
                              static_cast<std::size_t>(training_settings.integer("longest"))};
  ChoiceData data;
  for (const auto& settings : all) {
    VALENCE_TRY(const auto taught_by, teacher(settings));
    VALENCE_TRY(auto more, choice_data(*instrument, settings, student, taught_by, lessons, seed, &progress));
    merge(data, std::move(more));
  }
  return data;
}

std::string ChoiceCommand::headline(const ChoiceData& data) const {
  auto text = fmt::format("Choice alignment of {} towards {} on {}: {} questions in {} layouts", subject.model.name,
                          teacher_name(), instrument->card().id, with_thousands(data.examples.size()),
                          with_thousands(data.layouts));
  if (data.unscored > 0) text += fmt::format("; {} layouts without an answer left out", data.unscored);
  if (data.too_long > 0) text += fmt::format("; {} too long left out", data.too_long);
  if (const auto names = data.not_in_target(); !names.empty())
    text += fmt::format("\n  left out, since the target says nothing about them {}", counted_names(names));
  if (const auto names = data.not_put(); !names.empty())
    text += fmt::format("\n  of the target, but not put {}", counted_names(names));
  return text;
}

/// How to ask again what was learned, on what was held out: kinds of questions as they were asked, their number left
/// open. Of a setting that parts them the held-out part is taken, or the default where that has nothing to do with
/// training.
Result<std::string> held_out_flags(const Instrument& instrument, const Settings& asked) {
  VALENCE_TRY(const auto usual, Settings::resolve(instrument.settings(), std::vector<std::pair<std::string, std::string>>{}));
  std::string flags;
  for (std::size_t i = 0; i < instrument.settings().size(); ++i) {
    const auto& setting = instrument.settings()[i];
    const auto has = [&](std::string_view choice) { return std::ranges::count(setting.choices, choice) > 0; };
    auto value = asked.values()[i].second;
    if (value == usual.values()[i].second || setting.type == SettingType::kInteger) continue;
    if (has("training") && !has("held_out")) continue;
    if (value == "training") value = "held_out";
    flags += fmt::format(" --{} {}", replace_all(setting.name, "_", "-"), value);
  }
  return flags;
}

Result<void> ChoiceCommand::run(const Session& session) const {
  VALENCE_CHECK(check());
  VALENCE_TRY(const auto settings, training.resolve(operation->settings));
  VALENCE_TRY(const auto registry, ModelRegistry::open());
  VALENCE_TRY(const auto base, subject.spec());
  VALENCE_CHECK(require_weights(base));
  VALENCE_TRY(const auto file, registry.resolve(base.model.name));
  const auto progress = session.progress();
  VALENCE_TRY(auto data, learn(settings, *progress));
  const auto what = headline(data);
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadWrite));
  const TrainingRequest request{*operation,
                                settings,
                                file,
                                base.model.adapters,
                                std::move(data.examples),
                                {},
                                folder,
                                seed,
                                base.model.engine.threads,
                                fmt::format("{} answered by {}", instrument->card().id, teacher_name())};
  VALENCE_TRY(const auto done, run_training(request, *store, {session.stop, session.quiet}));
  VALENCE_TRY(const auto asked_settings, asked.resolve(instrument->settings()));
  VALENCE_TRY(const auto again, held_out_flags(*instrument, asked_settings));
  const auto trained = flags_of(trained_model(base.model, done.outcome));
  return show_training(session, what, request, done,
                       fmt::format("valence measure {} {}{}", instrument->card().id, trained, again),
                       cost_line(subject, done.outcome));
}

void add_choice_command(CLI::App& parent, Session& session, const Instrument& instrument, const Operation& operation) {
  auto command = std::make_shared<ChoiceCommand>();
  command->instrument = &instrument;
  command->operation = &operation;
  auto* app = parent.add_subcommand(instrument.card().id, fmt::format("Learn answers to {}", instrument.card().title));
  command->subject.add_flags(*app);
  auto* target = app->add_option(
      "--target", command->target,
      "learn the answers that this target amounts to: valence target list, or of opinions a file of answer "
      "distributions (docs/training.md)");
  app->add_option("--map", command->map, map_help())->needs(target);
  app->add_option("--dimension,--direction", command->dimensions,
                  "only this dimension of the target (repeatable); a ring needs one")
      ->allow_extra_args(false)
      ->needs(target);
  auto* toward = app->add_option("--toward", command->toward,
                  "instead of a target: whose answers are learned, a model or a scripted subject");
  app->add_option("--toward-persona", command->toward_persona,
                  "system prompt of whoever is learned from; the model under training never sees it")
      ->needs(toward);
  app->add_option("--learn", command->formats,
                  "which questions are learned: those answered by a letter, by the option's text, or both")
      ->check(CLI::IsMember({"letter", "text", "both"}))
      ->capture_default_str();
  app->add_option("--also", command->also,
                  "learn the same with one of the instrument's settings changed too, as NAME=VALUE (repeatable)")
      ->allow_extra_args(false);
  app->add_option("--out", command->folder, "folder of job, adapter and checkpoint (default out/align/…)");
  app->add_option("--seed", command->seed, "seed of everything drawn")->check(seed_number())->capture_default_str();
  command->asked.add_flags(*app, instrument.settings());
  command->training.add_flags(*app, operation.settings, "Settings of the training", "--training-settings");
  const auto needed = instrument.card().example.empty() ? std::string() : " " + instrument.card().example;
  app->footer(examples({fmt::format("valence align choice {} --model smollm2{} --toward scripted:ideal",
                                    instrument.card().id, needed)}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace

void add_align_choice(CLI::App& align, Session& session) {
  const auto* operation = *find_operation("choice");
  auto* choice = align.add_subcommand("choice", operation->title);
  choice->require_subcommand(1);
  choice->footer(examples(
      {"valence align choice questionnaire --model smollm2 --target ess11_fr --wording-part training --item-part "
       "training",
       "valence align choice svo --model smollm2 --target svo_reachable --direction prosocial --items training",
       "valence align choice opinions --model smollm2 --questions us.json --target us.json --item-part training "
       "--wording-part training",
       "valence align choice moralchoice --model smollm2 --toward scripted:ideal --set low",
       "valence align choice svo --model smollm2 --toward scripted:ideal --toward-persona \"You are prosocial.\""}));
  for (const auto& instrument : instruments()) {
    if (!instrument->card().open_text) add_choice_command(*choice, session, *instrument, *operation);
  }
}

}  // namespace valence
