#include <nlohmann/json.hpp>
#include <set>

#include "steps.h"
#include "valence/study/study.h"
#include "valence/study/tax_run.h"

namespace valence::study {
namespace {

struct TaxWish {
  std::string base, aligned;                               ///< full names of subjects or alignments
  std::vector<std::pair<std::string, std::string>> drift;  ///< full names of measurements, before and after
  std::string target;                                      ///< whose dimensions were to move; may be empty
  TaxSettings settings;
};

class TaxStep final : public Step {
 public:
  TaxStep(std::string name, TaxWish wish) : Step("tax", std::move(name)), wish_(std::move(wish)) {}

  std::vector<std::string> needs() const override {
    std::vector<std::string> names = {wish_.base, wish_.aligned};
    for (const auto& [before, after] : wish_.drift) names.insert(names.end(), {before, after});
    if (!wish_.target.empty()) names.push_back(wish_.target);
    return names;
  }

  Result<Digest> own_hash() const override {
    VALENCE_TRY(const auto aims, tax_aims());
    Hasher hasher;
    hasher.add("tax 2")
        .add(wish_.settings.seed)
        .add(aims.perplexity_ratio)
        .add(aims.capability_loss)
        .add(aims.refusal_gain);
    hasher.add(std::uint64_t{aims.fewest_items});
    for (const auto* id : {"fluency", "capability", "replies"}) {
      const auto instrument = find_instrument(id);  // replies are read by evaluators, which not every build has
      if (instrument) hasher.add((*instrument)->card().version);
    }
    for (const auto* settings : {&wish_.settings.fluency, &wish_.settings.capability})
      VALENCE_CHECK(add_settings(hasher, *settings));
    if (wish_.settings.replies) VALENCE_CHECK(add_settings(hasher, *wish_.settings.replies));
    return hasher.finish();
  }

  std::string what(const StepMap& steps) const override { return model_of(steps, wish_.aligned); }

  Result<RunId> run(const StepContext& context) const override {
    VALENCE_TRY(const auto base, context.subject(wish_.base));
    VALENCE_TRY(const auto aligned, context.subject(wish_.aligned));
    std::vector<DriftRuns> drift;
    for (const auto& [before, after] : wish_.drift) {
      VALENCE_TRY(const auto first, context.run_of(before));
      VALENCE_TRY(const auto second, context.run_of(after));
      drift.push_back({first, second});
    }
    std::set<std::string> targeted;
    if (!wish_.target.empty()) {
      VALENCE_TRY(const auto target, context.target(wish_.target));
      targeted = targeted_dimensions(target);
    }
    const MeasureOptions options{
        .seed = wish_.settings.seed, .reuse = context.reuse, .stop = context.stop, .progress = context.progress};
    VALENCE_TRY(const auto tax, measure_tax(base, aligned, drift, targeted, wish_.settings, context.store, options));
    return file_result(context, "tax", display_name(aligned), Json::object(), tax_json(tax, base, aligned));
  }

 private:
  TaxWish wish_;
};

Result<void> read_drift(const Node& table, const StepNames& names, TaxWish& wish) {
  const auto* node = table.find("drift");
  if (!node) return {};
  VALENCE_TRY(const auto pairs, node->as_array());
  for (const auto& pair : pairs) {
    VALENCE_TRY(const auto sides, pair.as_array());
    if (sides.size() != 2)
      return tl::unexpected(pair.error("a pair of drift names two measurements: [\"before\", \"after\"]"));
    VALENCE_TRY(auto before, names.of(sides[0], {"measure"}));
    VALENCE_TRY(auto after, names.of(sides[1], {"measure"}));
    VALENCE_CHECK(check_comparable(pair, names, before, after));
    for (const auto& [step, subject] : {std::pair{before, wish.base}, {after, wish.aligned}}) {
      if (names.find(step)->needs().front() == subject) continue;
      return tl::unexpected(pair.error(fmt::format("{} is not of {}: a pair of drift measures first the base, then the aligned subject", step, subject)));
    }
    wish.drift.emplace_back(std::move(before), std::move(after));
  }
  return {};
}

Result<Settings> instrument_settings(const Node& table, std::string_view instrument) {
  VALENCE_TRY(const auto* found, find_instrument(instrument));
  return settings_at(table, instrument, found->settings());
}

Result<void> read_replies(const Node& table, TaxWish& wish) {
  const auto* node = table.find("replies");
  const bool known = find_instrument("replies").has_value();
  if (!known && node) return tl::unexpected(node->error(find_instrument("replies").error().message));
  if (known) {
    VALENCE_TRY(wish.settings.replies, instrument_settings(table, "replies"));
  }
  return {};
}

/// The target that an alignment was after; empty where it had none.
std::string target_of(const Step& aligned) {
  for (const auto& need : aligned.needs()) {
    if (need.starts_with("target.")) return need;
  }
  return "";
}

}  // namespace

Result<std::unique_ptr<Step>> read_tax_step(const std::string& name, const Node& table, const StepNames& names,
                                            const StudyDefaults& defaults) {
  VALENCE_CHECK(table.allow_only({"base", "aligned", "drift", "target", "fluency", "capability", "replies", "seed"}));
  TaxWish wish;
  VALENCE_TRY(wish.base, names.at(table, "base", {"subject", "align"}));
  VALENCE_TRY(wish.aligned, names.at(table, "aligned", {"subject", "align"}));
  if (wish.aligned == wish.base)
    return tl::unexpected(table.find("aligned")->error(fmt::format("{} is held against itself", wish.base)));
  VALENCE_CHECK(read_drift(table, names, wish));
  if (table.find("target")) {
    VALENCE_TRY(wish.target, names.at(table, "target", {"target"}));
  } else {
    wish.target = target_of(*names.find(wish.aligned));
  }
  VALENCE_TRY(wish.settings.fluency, instrument_settings(table, "fluency"));
  VALENCE_TRY(wish.settings.capability, instrument_settings(table, "capability"));
  VALENCE_CHECK(read_replies(table, wish));
  VALENCE_TRY(wish.settings.seed, seed_at(table, defaults));
  return std::make_unique<TaxStep>(name, std::move(wish));
}

}  // namespace valence::study

namespace valence {
namespace {

/// The alignments that lead from the base of a tax to its aligned subject, its first two needs; none where the one did
/// not begin with the other.
std::vector<std::string> alignments_held(const Study& study, const Step& tax) {
  const auto sides = tax.needs();
  std::vector<std::string> way;
  for (auto at = sides[1]; at != sides[0];) {
    const auto& step = *study.find(at);
    if (step.is_input()) return {};
    way.push_back(at);
    at = step.needs().front();  // what it began with
  }
  return way;
}

}  // namespace

std::vector<std::string> alignments_without_tax(const Study& study) {
  std::set<std::string> held;
  for (const auto& step : study.steps) {
    if (step->kind() != "tax") continue;
    for (const auto& name : alignments_held(study, *step)) held.insert(name);
  }
  std::vector<std::string> without;
  for (const auto& step : study.steps) {
    if (step->kind() == "align" && !step->rates() && !held.contains(step->full_name()))
      without.push_back(step->full_name());
  }
  return without;
}

}  // namespace valence
