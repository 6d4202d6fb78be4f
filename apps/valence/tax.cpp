#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "gap_show.h"
#include "session.h"
#include "valence/base/json.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/study/tax_run.h"

namespace valence {
namespace {

struct TaxCommand {
  std::string base, aligned, target, map;
  std::vector<std::string> adapters, drift, dimensions, settings;
  std::uint64_t seed = 0;

  Result<void> run(Session& session) const;
  Result<SubjectSpec> aligned_subject() const;
  Result<TaxSettings> resolved() const;
  Result<std::set<std::string>> targeted() const;
};

Result<DriftRuns> drift_of(const std::string& text) {
  DriftRuns runs{};
  const auto parts = split(text, ":");
  const auto read = [](const std::string& part, RunId& run) {
    const auto* end = part.data() + part.size();
    const auto parsed = std::from_chars(part.data(), end, run);
    return parsed.ec == std::errc() && parsed.ptr == end && run > 0;
  };
  if (parts.size() == 2 && read(parts[0], runs.before) && read(parts[1], runs.after)) return runs;
  return fail(ErrorCode::kUsage, "--drift {}: two run numbers with a colon between them, before:after (valence runs)",
              printable(text));
}

Result<SubjectSpec> TaxCommand::aligned_subject() const {
  VALENCE_TRY(auto spec, subject_named(aligned));
  for (const auto& text : adapters) {
    VALENCE_TRY(auto adapter, parse_adapter(text));
    spec.model.adapters.push_back(std::move(adapter));
  }
  if (!adapters.empty() && spec.name.empty())
    spec.name = fmt::format("{} with {}", display_name(spec), join(adapters, ", "));
  return spec;
}

Result<void> set_one(Settings& settings, std::string_view instrument, const std::string& name,
                     const std::string& value) {
  VALENCE_TRY(const auto* found, find_instrument(instrument));
  auto values = settings.values();
  values.emplace_back(name, value);
  VALENCE_TRY(settings, Settings::resolve(found->settings(), values));
  return {};
}

/// "replies.count=160".
Result<void> apply_setting(TaxSettings& settings, const std::string& text) {
  const auto dot = text.find('.'), equals = text.find('=');
  if (dot == std::string::npos || equals == std::string::npos || equals < dot) {
    return fail(ErrorCode::kUsage, "--set {}: write INSTRUMENT.SETTING=VALUE, as in replies.count=160", printable(text));
  }
  const auto instrument = text.substr(0, dot), name = text.substr(dot + 1, equals - dot - 1),
             value = text.substr(equals + 1);
  if (instrument == "fluency") return set_one(settings.fluency, instrument, name, value);
  if (instrument == "capability") return set_one(settings.capability, instrument, name, value);
  if (instrument == "replies" && settings.replies) return set_one(*settings.replies, instrument, name, value);
  return fail(ErrorCode::kUsage, "--set {}: the tax puts fluency, capability{}", printable(text),
              settings.replies ? " and replies" : "; replies come with the evaluators");
}

Result<TaxSettings> TaxCommand::resolved() const {
  VALENCE_TRY(auto all, default_tax_settings());
  for (const auto& text : settings) VALENCE_CHECK(apply_setting(all, text));
  all.seed = seed;
  return all;
}

Result<std::set<std::string>> TaxCommand::targeted() const {
  if (target.empty()) return std::set<std::string>();
  VALENCE_TRY(auto loaded, load_mapped_target(target, map));
  VALENCE_TRY(const auto goal, narrowed(std::move(loaded), dimensions));
  return targeted_dimensions(goal);
}

std::string change_cell(const Estimate& estimate) { return figure_text(estimate); }

std::string lines_text(const Tax& tax) {
  TextTable table({{"", Align::kLeft},
                   {"base", Align::kRight},
                   {"aligned", Align::kRight},
                   {"change", Align::kLeft},
                   {"n", Align::kRight},
                   {"aim", Align::kLeft},
                   {"untestable", Align::kRight}});
  for (const auto& line : tax.lines) {
    table.add({line.label, significant(line.base.value), significant(line.aligned.value), change_cell(line.change),
               std::to_string(line.change.count), std::string(to_string(line.verdict)),
               line.items > 0 ? fmt::format("{} of {}", line.untestable, line.items) : ""});
  }
  return table.text();
}

std::string drift_text(const Tax& tax) {
  if (tax.drift.empty()) return "";
  TextTable table({{"", Align::kLeft},
                   {"base", Align::kRight},
                   {"aligned", Align::kRight},
                   {"change", Align::kLeft},
                   {"p (Holm)", Align::kRight},
                   {"", Align::kLeft}});
  for (const auto& row : tax.drift) {
    table.add({row_label(row.change.estimand), significant(row.base.value), significant(row.aligned.value),
               change_cell(row.change.estimate), significant(row.change.p_holm, 2), row.targeted ? "targeted" : ""});
  }
  return "\n" + table.text();
}

Result<void> TaxCommand::run(Session& session) const {
  VALENCE_TRY(const auto first, subject_named(base));
  VALENCE_TRY(const auto second, aligned_subject());
  VALENCE_TRY(const auto puts, resolved());
  VALENCE_TRY(const auto moved, targeted());
  std::vector<DriftRuns> pairs;
  for (const auto& text : drift) {
    VALENCE_TRY(const auto pair, drift_of(text));
    pairs.push_back(pair);
  }
  VALENCE_TRY(const auto store, session.open_store(Store::Access::kReadWrite));
  const auto progress = session.progress();
  VALENCE_TRY(const auto measured, measure_tax(first, second, pairs, moved, puts, *store,
                                               {.seed = seed, .stop = session.stop, .progress = progress.get()}));
  if (session.json) {
    session.print(tax_json(measured, first, second));
    return {};
  }
  const auto& tax = measured.tax;
  fmt::print("What it costs: {} against {}\n\n{}{}\n", display_name(second), display_name(first), lines_text(tax),
             drift_text(tax));
  fmt::print(
      "  within: the whole interval keeps the aim; beyond: it misses it; open: cannot be told (docs/tax.md)\n"
      "  agreement with the base on {} items: same choice {}, Cohen's kappa {}\n",
      tax.agreement.items, significant(tax.agreement.same_choice), significant(tax.agreement.kappa));
  return {};
}

}  // namespace

void add_tax(CLI::App& app, Session& session) {
  auto command = std::make_shared<TaxCommand>();
  auto* sub = app.add_subcommand("tax", "What an alignment cost: perplexity, capability, refusal, length, drift");
  sub->add_option("base", command->base, "model name or subject file (.toml) before")->required();
  sub->add_option("aligned", command->aligned, "model name or subject file (.toml) after")->required();
  sub->add_option("--adapter", command->adapters,
                  "LoRA adapter of the aligned subject, PATH or PATH:SCALE (repeatable)")
      ->allow_extra_args(false);
  sub->add_option("--drift", command->drift, "two finished runs of one instrument, BEFORE:AFTER (repeatable)")
      ->allow_extra_args(false);
  auto* target =
      sub->add_option("--target", command->target, "target whose dimensions were to move: the others are the drift");
  sub->add_option("--map", command->map, map_help())->needs(target);
  sub->add_option("--dimension", command->dimensions, "only this dimension of the target (repeatable)")
      ->allow_extra_args(false)
      ->needs(target);
  sub->add_option("--set", command->settings, "setting of an instrument, INSTRUMENT.SETTING=VALUE (repeatable)")
      ->allow_extra_args(false);
  sub->add_option("--seed", command->seed, "seed of everything drawn")->check(seed_number())->capture_default_str();
  sub->footer(examples({"valence tax smollm2 out/in-context-svo.toml",
                        "valence tax smollm2 smollm2 --adapter out/adapter.gguf --drift 3:7",
                        "valence tax smollm2 out/in-context-svo.toml --set replies.count=160 --json"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
