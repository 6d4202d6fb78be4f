#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "align.h"
#include "align_show.h"
#include "gap_show.h"
#include "instrument_options.h"
#include "session.h"
#include "subject_options.h"
#include "valence/align/aligner.h"
#include "valence/align/in_context.h"
#include "valence/align/item_split.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/instruments/measure.h"

namespace valence {
namespace {

struct AlignInContext {
  const Instrument* instrument;
  const Aligner* aligner;
  SubjectOptions subject;
  InstrumentOptions asked, settings;
  std::string target, map, out;
  std::vector<std::string> dimensions;
  std::uint64_t seed = 0;

  Result<void> run(Session& session);
};

/// The subject as it was and as it is, both on the items that were not searched on.
struct HeldOut {
  ReportRun before, after;
  ComparedGap gaps;
};

Result<HeldOut> measure_held_out(const Instrument& instrument, const Settings& settings, const SubjectSpec& base,
                                 const SubjectSpec& aligned, const Target& target, Store& store,
                                 MeasureOptions options) {
  VALENCE_TRY(auto split, split_items(instrument, settings));
  options.leave_out = std::move(split.searched);
  std::vector<ReportRun> runs;
  for (const auto* spec : {&base, &aligned}) {
    VALENCE_TRY(const auto subject, open_subject(*spec));
    VALENCE_TRY(const auto run, measure_once(instrument, settings, subject, store, options));
    VALENCE_TRY(auto loaded, load_report_run(store, run));
    runs.push_back(std::move(loaded));
  }
  VALENCE_TRY(auto gaps, compare_gaps(instrument, {&settings, &runs[0].answers}, {&settings, &runs[1].answers},
                                      goal_of(target), {}, {.replicates = kGapReplicates, .seed = options.seed}));
  return HeldOut{std::move(runs[0]), std::move(runs[1]), std::move(gaps)};
}

std::string tried_text(const Json& record) {
  TextTable table({{"prompt", Align::kLeft}, {"loss on the items searched", Align::kRight}});
  for (const auto& candidate : record["candidates"]) {
    const auto id = candidate["id"].get<std::string>();
    table.add({id == record["chosen"] ? id + "  (chosen)" : id,
               candidate["loss"].is_null() ? "–" : significant(candidate["loss"].get<double>())});
  }
  return table.text();
}

/// What lies under the name of the subject file already; nothing where it is free, or a device or pipe.
Result<std::optional<std::string>> found_at(const std::filesystem::path& out) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(out, error)) return std::nullopt;
  VALENCE_TRY(auto text, read_file(out));
  return std::optional(std::move(text));
}

/// Whether an alignment may come to the subject of a file: the base as it is, or told what one of the prompts says.
Result<bool> may_come_to(const std::filesystem::path& file, const SubjectSpec& base, const Target& goal) {
  auto found = read_subject(file);
  if (!found) return false;
  VALENCE_TRY(const auto prompts, prompt_candidates(goal, false));
  const bool told = found->persona == base.persona || std::ranges::any_of(prompts, [&](const auto& prompt) {
                      return found->persona.ends_with(prompt.system);
                    });
  found->persona = base.persona;
  found->examples = base.examples;
  found->name = base.name;
  return told && to_toml(*found) == to_toml(base);
}

tl::unexpected<Error> taken(const std::string& out) {
  return fail(ErrorCode::kUsage,
              "--out {}: what lies there is not what this alignment comes to; name another --out, or remove it",
              printable(out));
}

Result<void> AlignInContext::run(Session& session) {
  VALENCE_TRY(const auto base, subject.spec());
  VALENCE_TRY(const auto resolved, asked.resolve(instrument->settings()));
  VALENCE_TRY(const auto own, settings.resolve(aligner->settings()));
  VALENCE_TRY(auto loaded, load_mapped_target(target, map));
  VALENCE_TRY(const auto goal, narrowed(std::move(loaded), dimensions));
  VALENCE_TRY(const auto there, found_at(out));
  if (there) {  // told before the search where it can be: that takes minutes
    VALENCE_TRY(const bool ours, may_come_to(out, base, goal));
    if (!ours) return taken(out);
  }
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadWrite));
  const auto progress = session.progress();
  const AlignContext context{.base = base,
                             .target = &goal,
                             .instrument = instrument,
                             .asked = &resolved,
                             .settings = own,
                             .store = *store,
                             .folder = std::filesystem::path(out).parent_path(),
                             .seed = seed,
                             .stop = session.stop,
                             .progress = progress.get()};
  VALENCE_TRY(const auto aligned, align(*aligner, context));
  const auto written = to_toml(aligned.subject);
  if (there && *there != written) return taken(out);
  if (!there) VALENCE_CHECK(write_file(out, written));
  VALENCE_TRY(const auto record, parse_json(aligned.record, "record of the alignment"));
  VALENCE_TRY(const auto shown, measure_held_out(*instrument, resolved, base, aligned.subject, goal, *store,
                                                 {.seed = seed, .stop = session.stop, .progress = progress.get()}));
  if (session.json) {
    session.print({{"run", aligned.run},
                   {"subject", out},
                   {"record", record},
                   {"before", shown.before.record.id},
                   {"after", shown.after.record.id},
                   {"gap", compared_gap_json(shown.before, shown.after, goal, shown.gaps)}});
    return {};
  }
  fmt::print(
      "{}\n  split of the items: {}\n{}\n{}", tried_text(record), record["split"].get<std::string>(),
      record["improved"].get<bool>() ? "" : "  no prompt came nearer than the subject as it is: it is left as it is\n",
      compared_gap_text(shown.before, shown.after, goal, shown.gaps, session.out));
  fmt::print("  subject: {}    again: valence measure {} --subject {}\n  {}\n", out, instrument->card().id, out,
             cost_line(subject, out));
  return {};
}

void add_instrument_command(CLI::App& parent, Session& session, const Instrument& instrument, const Aligner& aligner) {
  auto command = std::make_shared<AlignInContext>();
  command->instrument = &instrument;
  command->aligner = &aligner;
  const auto& id = instrument.card().id;
  auto* app = parent.add_subcommand(
      id, fmt::format("{}, searched on one half of its items and measured on the other", instrument.card().title));
  command->subject.add_flags(*app);
  command->asked.add_flags(*app, instrument.settings());
  command->settings.add_settings(*app, aligner.settings(), "Settings of the aligner");
  app->add_option("--target", command->target, "target: valence target list")->required();
  app->add_option("--map", command->map, map_help());
  app->add_option("--dimension,--direction", command->dimensions,
                  "only this dimension of the target (repeatable); a ring needs one")
      ->allow_extra_args(false);
  app->add_option("--seed", command->seed, "seed of everything drawn")->check(seed_number())->capture_default_str();
  command->out = fmt::format("out/in-context-{}.toml", id);
  app->add_option("-o,--out", command->out, "subject file that is written; another subject's is not written over")
      ->capture_default_str();
  app->footer(examples({"valence align in-context svo --model smollm2 --target svo_reachable --direction prosocial",
                        "valence align in-context questionnaire --model smollm2 --target ess11_ie --format text"}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace

void add_align_in_context(CLI::App& align, Session& session) {
  const auto aligner = find_aligner("in_context");
  auto* method = align.add_subcommand("in-context", (*aligner)->card().does + " " + (*aligner)->card().limits);
  method->require_subcommand(1);
  method->footer(
      examples({"valence align in-context svo --model smollm2 --target svo_reachable --direction prosocial",
                "valence align in-context questionnaire --model smollm2 --target ess11_ie --format text"}));
  for (const auto& instrument : instruments()) {
    if (has_halves(*instrument)) add_instrument_command(*method, session, *instrument, **aligner);
  }
}

}  // namespace valence
