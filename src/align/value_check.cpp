#include "valence/align/value_check.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "evaluator_domain.h"
#include "valence/evaluate/shipped_evaluator.h"
#include "valence/instruments/target_gap.h"
#include "valence/stats/intervals.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

constexpr std::string_view kInstrument = "fulcra";
constexpr std::array<std::string_view, 3> kResponseFigures = {"refused", "stance", "words"};

/// A run of the instrument, out of the store.
struct Administered {
  RunId run = 0;
  Profile profile;
  AnswerTable answers;
};

/// No dimension is left blank: that a subject no longer touches it is what the check has to show.
Result<Settings> settings_for(const Instrument& instrument, const ValueCheckOptions& options,
                              const std::string& evaluator) {
  return Settings::resolve(instrument.settings(), {{"prompts", options.prompts},
                                                   {"side", "held_out"},
                                                   {"count", std::to_string(options.count)},
                                                   {"samples", std::to_string(options.samples)},
                                                   {"max_tokens", std::to_string(options.max_tokens)},
                                                   {"evaluator", evaluator},
                                                   {"fewest", "0"}});
}

Result<Administered> administered(const Instrument& instrument, const Settings& settings, const Subject& subject,
                                  Store& store, const ValueCheckOptions& options) {
  MeasureOptions measuring;
  measuring.seed = options.seed;
  measuring.reuse = true;  // another evaluator reads the same responses
  measuring.stop = options.stop;
  measuring.progress = options.progress;
  Administered done;
  VALENCE_TRY(done.run, measure_once(instrument, settings, subject, store, measuring));
  VALENCE_TRY(done.answers, store.answers(done.run));
  VALENCE_TRY(const auto record, store.run(done.run));
  VALENCE_TRY(const auto json, parse_json(record.profile, fmt::format("profile of run {}", done.run)));
  VALENCE_TRY(done.profile, profile_from_json(json));
  return done;
}

/// One subject as every evaluator reads it.
Result<std::vector<Administered>> administer_all(const Instrument& instrument, const SubjectSpec& spec, Store& store,
                                                 const ValueCheckOptions& options) {
  VALENCE_TRY(const auto subject, open_subject(spec));
  std::vector<Administered> all;
  for (const auto& evaluator : options.evaluators) {
    VALENCE_TRY(const auto settings, settings_for(instrument, options, evaluator));
    VALENCE_TRY(auto one, administered(instrument, settings, subject, store, options));
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<Change> changes_of(const ComparedGap& gap) {
  std::vector<Change> changes;
  for (std::size_t i = 0; i < gap.differences.size(); ++i) {
    const auto& difference = gap.differences[i].difference;
    changes.push_back({difference.estimand.id, difference.estimand.label, gap.first.figures[i].estimate,
                       gap.second.figures[i].estimate, difference.estimate, difference.p_holm,
                       gap.differences[i].cut});
  }
  return changes;
}

void add_reason(std::vector<std::string>& reasons, std::string_view which, const Validity& validity) {
  if (!validity.interpretable())
    reasons.push_back(fmt::format("{}: {}", which, validity.assessed ? validity.reason() : validity.note));
}

Result<ValueReport> report_of(const Instrument& instrument, const Settings& settings, const Administered& before,
                              const Administered& after, const Target& target, const ValueCheckOptions& options) {
  ValueReport report{settings.text("evaluator"), before.run, after.run, {}, {}};
  add_reason(report.reasons, "before", before.profile.validity);
  add_reason(report.reasons, "after", after.profile.validity);
  VALENCE_TRY(const auto gap, compare_gaps(instrument, {&settings, &before.answers}, {&settings, &after.answers},
                                           goal_of(target), {}, {.replicates = kGapReplicates, .seed = options.seed}));
  report.distances = changes_of(gap);
  return report;
}

Result<std::vector<Change>> response_changes(const Instrument& instrument, const Settings& settings,
                                             const Administered& before, const Administered& after,
                                             const ValueCheckOptions& options) {
  VALENCE_TRY(const auto differences,
              compare(instrument, {&settings, &before.answers}, {&settings, &after.answers}, {.seed = options.seed}));
  std::vector<Change> changes;
  for (const auto id : kResponseFigures) {
    const auto found = std::ranges::find_if(differences, [&](const Difference& d) { return d.estimand.id == id; });
    const auto *first = before.profile.find(id), *second = after.profile.find(id);
    if (found == differences.end() || first == nullptr || second == nullptr) continue;
    changes.push_back(
        {std::string(id), found->estimand.label, first->estimate, second->estimate, found->estimate, found->p_holm});
  }
  return changes;
}

/// Mean share per prompt, of the prompts that both answered.
struct Shares {
  std::vector<double> before, after;
};

Shares shares_of(const std::map<std::string, double>& before, const std::map<std::string, double>& after) {
  Shares shares;
  for (const auto& [prompt, share] : before) {
    const auto other = after.find(prompt);
    if (other == after.end()) continue;
    shares.before.push_back(share);
    shares.after.push_back(other->second);
  }
  return shares;
}

Result<void> look_at_domain(ValueCheck& check, const Administered& before, const Administered& after,
                            const ValueCheckOptions& options) {
  if (options.domain.empty()) return {};
  const auto silent = silent_progress();
  VALENCE_TRY(const auto evaluator,
              open_evaluator(options.domain, options.progress ? *options.progress : *silent, options.stop));
  auto domain = domain_of(evaluator);
  if (!domain) {
    check.domain_note = domain.error().message;
    return {};
  }
  VALENCE_TRY(const auto first, outside_by_prompt(*domain, before.answers));
  VALENCE_TRY(const auto second, outside_by_prompt(*domain, after.answers));
  const auto shares = shares_of(first, second);
  const auto share = [](const std::vector<double>& values) {
    return within(stats::student_mean(values, "prompt"), 0.0, 1.0);
  };
  check.domain.push_back({"outside_domain", "responses unlike the evaluator's training texts", share(shares.before),
                          share(shares.after), stats::student_paired(shares.before, shares.after, "prompt"), 1.0});
  return {};
}

Json to_json(const Change& change) {
  return {{"id", change.id},
          {"label", change.label},
          {"before", to_json(change.before)},
          {"after", to_json(change.after)},
          {"difference", to_json(change.difference)},
          {"p_holm", number_or_null(change.p_holm)},
          {"cut", to_json(change.cut)}};
}

Json to_json(const std::vector<Change>& changes) {
  Json json = Json::array();
  for (const auto& change : changes) json.push_back(to_json(change));
  return json;
}

}  // namespace

Result<ValueCheck> check_values(const SubjectSpec& before, const SubjectSpec& after, const Target& target, Store& store,
                                const ValueCheckOptions& options) {
  if (options.evaluators.empty())
    return fail(ErrorCode::kUsage, "name at least one evaluator that reads the responses");
  VALENCE_TRY(const auto* instrument, find_instrument(kInstrument));
  VALENCE_TRY(const auto first, administer_all(*instrument, before, store, options));
  VALENCE_TRY(const auto second, administer_all(*instrument, after, store, options));
  ValueCheck check;
  for (std::size_t i = 0; i < options.evaluators.size(); ++i) {
    VALENCE_TRY(const auto settings, settings_for(*instrument, options, options.evaluators[i]));
    VALENCE_TRY(auto report, report_of(*instrument, settings, first[i], second[i], target, options));
    check.reports.push_back(std::move(report));
  }
  VALENCE_TRY(const auto settings, settings_for(*instrument, options, options.evaluators.front()));
  VALENCE_TRY(check.responses, response_changes(*instrument, settings, first.front(), second.front(), options));
  VALENCE_CHECK(look_at_domain(check, first.front(), second.front(), options));
  check.prompts = first.front().answers.units().size();
  return check;
}

Json to_json(const ValueCheck& check) {
  Json json = {{"prompts", check.prompts},
               {"readings", Json::array()},
               {"responses", to_json(check.responses)},
               {"domain", to_json(check.domain)},
               {"domain_note", check.domain_note}};
  for (const auto& report : check.reports) {
    json["readings"].push_back({{"evaluator", report.evaluator},
                                {"before", report.before},
                                {"after", report.after},
                                {"not_interpretable", report.reasons},
                                {"distances", to_json(report.distances)}});
  }
  return json;
}

}  // namespace valence
