// valence align base-align|rlhf|constitutional: alignment by the subject's own responses.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "align.h"
#include "align_show.h"
#include "align_values_show.h"
#include "gap_show.h"
#include "instrument_options.h"
#include "session.h"
#include "subject_options.h"
#include "valence/align/aligner.h"
#include "valence/align/training.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/text.h"

namespace valence {
namespace {

struct AlignValues {
  const Aligner* aligner;
  SubjectOptions subject;
  InstrumentOptions settings;
  std::string target, map, folder;
  std::vector<std::string> dimensions;
  ValueCheckOptions check;
  std::uint64_t seed = 0;
  bool reuse = false;
  bool needs_target() const { return aligner->card().needs_target; }

  Result<void> run(const Session& session);
  Result<std::optional<Target>> goal() const;
  Result<std::optional<ValueCheck>> checked(const AlignContext& context, const AlignedSubject& aligned) const;
  Result<void> show(const Session& session, const AlignContext& context, const AlignedSubject& aligned,
                    const std::optional<ValueCheck>& check) const;
};

Result<std::optional<Target>> AlignValues::goal() const {
  if (target.empty()) return std::nullopt;
  VALENCE_TRY(auto loaded, load_mapped_target(target, map));
  VALENCE_TRY(auto narrow, narrowed(std::move(loaded), dimensions));
  return std::optional(std::move(narrow));
}

/// At which the aligner cut responses: a protocol may set it.
int max_tokens_of(const Json& record, const Settings& asked) {
  const auto applied = record.find("settings");
  return applied == record.end() ? static_cast<int>(asked.integer("max_tokens"))
                                 : (*applied)["max_tokens"].get<int>();
}

/// Before and after on held-out prompts, where there is a target to be near to.
Result<std::optional<ValueCheck>> AlignValues::checked(const AlignContext& context,
                                                       const AlignedSubject& aligned) const {
  if (check.count == 0 || !context.target) return std::nullopt;
  auto options = check;
  options.seed = seed;
  options.stop = context.stop;
  options.progress = context.progress;
  options.evaluators = {"fulcra_training", "fulcra_held_out"};
  if (needs_target()) {
    options.evaluators.clear();
    for (const auto* names : {&context.settings.text("evaluator"), &context.settings.text("watch")}) {
      for (const auto& name : split(*names, ",")) options.evaluators.push_back(trim(name));
    }
  }
  options.domain = options.evaluators.front();
  VALENCE_TRY(const auto record, parse_json(aligned.record, "record of the alignment"));
  options.max_tokens = max_tokens_of(record, context.settings);
  VALENCE_TRY(auto done, check_values(context.base, aligned.subject, *context.target, context.store, options));
  return std::optional(std::move(done));
}

Result<void> AlignValues::show(const Session& session, const AlignContext& context, const AlignedSubject& aligned,
                               const std::optional<ValueCheck>& done) const {
  VALENCE_TRY(const auto record, parse_json(aligned.record, "record of the alignment"));
  const auto file = context.folder / "subject.toml";
  VALENCE_CHECK(write_file(file, to_toml(aligned.subject)));
  if (session.json) {
    session.print({{"run", aligned.run},
                   {"subject", file.string()},
                   {"record", record},
                   {"check", done ? to_json(*done) : Json()}});
    return {};
  }
  fmt::print("{} of {}{}\n\n{}", aligner->card().title, display_name(context.base),
             context.target ? " towards " + context.target->label : "",
             record.contains("monitor") ? rounds_text(record) : constitutional_text(record));
  if (done) fmt::print("\n{}", value_check_text(*done));
  fmt::print(
      "\n  {}\n  run {}: what was drawn and taught is in {}\n  subject: {}    next: valence measure fulcra --subject "
      "{} --side held_out\n  {}\n",
      aligner->card().limits, aligned.run, context.folder.string(), file.string(), file.string(),
      cost_line(subject, file.string()));
  return {};
}

Result<void> AlignValues::run(const Session& session) {
  VALENCE_TRY(const auto base, subject.spec());
  VALENCE_CHECK(require_weights(base));
  VALENCE_TRY(const auto own, settings.resolve(aligner->settings()));
  VALENCE_TRY(const auto wanted, goal());
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadWrite));
  const auto progress = session.progress();
  VALENCE_CHECK(aligner->ready({.target = wanted ? &*wanted : nullptr, .settings = own}));
  const AlignContext context{.base = base,
                             .target = wanted ? &*wanted : nullptr,
                             .settings = own,
                             .store = *store,
                             .folder = folder,
                             .seed = seed,
                             .stop = session.stop,
                             .progress = progress.get(),
                             .reuse = reuse};
  VALENCE_TRY(const auto aligned, align(*aligner, context));
  VALENCE_TRY(const auto done, checked(context, aligned));
  return show(session, context, aligned, done);
}

void add_values_command(CLI::App& parent, Session& session, const std::string& name, const std::string& id,
                        std::initializer_list<std::string_view> shown) {
  auto command = std::make_shared<AlignValues>();
  command->aligner = *find_aligner(id);
  const auto& card = command->aligner->card();
  auto* app = parent.add_subcommand(name, card.title + ". " + card.does);
  command->subject.add_flags(*app);
  command->settings.add_flags(*app, command->aligner->settings(), "Settings of the aligner");
  auto* target = app->add_option("--target", command->target,
                                 card.needs_target ? "target on the unit scale: valence target list"
                                                   : "target that subjects are held against before and after");
  if (card.needs_target) target->required();
  app->add_option("--map", command->map, map_help())->needs(target);
  app->add_option("--dimension", command->dimensions, "only this dimension of the target (repeatable)")
      ->allow_extra_args(false)
      ->needs(target);
  app->add_option("--check-prompts", command->check.prompts,
                  "set or file whose held-out side both subjects are measured on")
      ->needs(target)
      ->capture_default_str();
  app->add_option("--check-count", command->check.count, "how many prompts of it; 0: nothing is measured")
      ->needs(target)
      ->capture_default_str();
  app->add_flag("--reuse", command->reuse, "take what other runs of the store asked in exactly the same way, such as the base's responses on the way to another target");
  app->add_option("--seed", command->seed, "seed of everything drawn")->check(seed_number())->capture_default_str();
  command->folder = "out/" + name;
  app->add_option("-o,--out", command->folder, "folder of subject, adapters and what was drawn")->capture_default_str();
  app->footer(examples(shown));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace

void add_align_values(CLI::App& align, Session& session) {
  add_values_command(
      align, session, "base-align", "base_align",
      {"valence align base-align --model smollm2 --target fulcra_uk --learning-rate 5e-4 --epochs 2 --margin 0.1 --pairs 3 --out out/uk",
       "valence align base-align --model smollm2 --target survey.toml --map from_1_6 --rounds 3 --out out/survey",
       "valence align base-align --model smollm2 --target fulcra_security --optimiser best_of_n --reuse --out out/best"});
  add_values_command(align, session, "rlhf", "rlhf",
                     {"valence align reward --model smollm2 --data pairs.jsonl --out out/reward",
                      "valence align rlhf --model smollm2 --reward out/reward --optimiser grpo --rounds 20"});
  add_values_command(align, session, "constitutional", "constitutional",
                     {"valence align constitutional --model smollm2 --stage revise",
                      "valence align constitutional --model smollm2 --stage prefer --target fulcra_ideal"});
}

}  // namespace valence
