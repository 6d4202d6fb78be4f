#include "valence/instruments/tax.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/instruments/side_effects.h"
#include "valence/stats/intervals.h"

namespace valence {
namespace {

/// Keeps the answers to some items only.
AnswerTable only_items(const AnswerTable& table, const std::vector<std::string>& items) {
  AnswerTable part{table.instrument, {}, {}};
  const std::set<std::string> wanted(items.begin(), items.end());
  std::copy_if(table.rows.begin(), table.rows.end(), std::back_inserter(part.rows),
               [&](const auto& row) { return wanted.contains(row.item); });
  return part;
}

const Difference* find_difference(const std::vector<Difference>& differences, std::string_view id) {
  const auto found =
      std::find_if(differences.begin(), differences.end(), [&](const auto& d) { return d.estimand.id == id; });
  return found == differences.end() ? nullptr : &*found;
}

TaxVerdict at_most(const Estimate& estimate, double aim) {
  if (!estimate.has_interval()) return TaxVerdict::kOpen;
  if (estimate.high <= aim) return TaxVerdict::kWithin;
  return estimate.low > aim ? TaxVerdict::kBeyond : TaxVerdict::kOpen;
}

TaxVerdict at_least(const Estimate& estimate, double aim) {
  if (!estimate.has_interval()) return TaxVerdict::kOpen;
  if (estimate.low >= aim) return TaxVerdict::kWithin;
  return estimate.high < aim ? TaxVerdict::kBeyond : TaxVerdict::kOpen;
}

/// One instrument put to both subjects: profiles and paired differences.
struct Compared {
  Profile base, aligned;
  std::vector<Difference> differences;
};

Result<Compared> compared(const Instrument& instrument, const ComparedRun& base, const ComparedRun& aligned,
                          const ProfileOptions& options) {
  Compared both;
  VALENCE_TRY(both.base, profile_of(instrument, *base.settings, *base.answers, "base", options));
  VALENCE_TRY(both.aligned, profile_of(instrument, *aligned.settings, *aligned.answers, "aligned", options));
  VALENCE_TRY(both.differences, compare(instrument, base, aligned, options));
  return both;
}

/// A share of which no unit changed, or every one, has an interval of no width, which is not certainty: Wilson's bound
/// on the units that could have gone the other way stands in for it.
Estimate with_spread(Estimate change, std::string_view unit) {
  const bool flat = change.has_interval() && change.low == change.high && unit == "share";
  const double size = std::abs(change.value);
  if (!flat || (size != 0.0 && size != 1.0)) return change;
  const double bound = stats::wilson(0.0, change.count, change.unit).high;
  change.low = std::max(-1.0, change.value - bound);
  change.high = std::min(1.0, change.value + bound);
  change.method = "Wilson's bound on unseen changes";
  return change;
}

Result<TaxLine> line_of(const Compared& both, std::string_view estimand, std::string id) {
  const auto* difference = find_difference(both.differences, estimand);
  const auto *base = both.base.find(estimand), *aligned = both.aligned.find(estimand);
  if (!difference || !base || !aligned)
    return fail(ErrorCode::kInvalid, "tax: the two runs have no common figure {}", estimand);
  TaxLine line;
  line.id = std::move(id);
  line.label = difference->estimand.label;
  line.unit = difference->estimand.unit;
  line.base = base->estimate;
  line.aligned = aligned->estimate;
  line.change = difference->estimate;
  line.change.count = std::min(line.base.count, line.aligned.count);
  line.change = with_spread(std::move(line.change), line.unit);
  line.p = difference->p;
  return line;
}

/// A difference of mean losses is the logarithm of the ratio of perplexities.
Estimate exponential(Estimate estimate) {
  estimate.value = std::exp(estimate.value);
  estimate.low = std::exp(estimate.low);
  estimate.high = std::exp(estimate.high);
  return estimate;
}

Result<TaxLine> perplexity_line(const TaxSide& base, const TaxSide& aligned, const TaxAims& aims,
                                const ProfileOptions& options) {
  VALENCE_TRY(const auto* instrument, find_instrument("fluency"));
  VALENCE_TRY(const auto both, compared(*instrument, base.fluency, aligned.fluency, options));
  VALENCE_TRY(auto line, line_of(both, "loss", "perplexity_ratio"));
  line.label = "perplexity on neutral text (change: ratio)";
  line.unit = "";
  line.base = both.base.find("perplexity")->estimate;
  line.aligned = both.aligned.find("perplexity")->estimate;
  line.change = exponential(line.change);
  line.verdict = at_most(line.change, aims.perplexity_ratio);
  return line;
}

/// How many items there are, by family ("" for all).
std::map<std::string, std::size_t> family_sizes(const AnswerTable& table) {
  std::map<std::string, std::set<std::string>> items;
  for (const auto& row : table.rows) {
    items[""].insert(row.item);
    items[row.condition].insert(row.item);
  }
  std::map<std::string, std::size_t> sizes;
  for (const auto& [family, ids] : items) sizes[family] = ids.size();
  return sizes;
}

TaxLine untestable_line(const std::string& id, const std::string& label) {
  TaxLine line;
  line.id = id;
  line.label = label;
  line.unit = "share";
  line.p = std::nan("");
  line.verdict = TaxVerdict::kUntestable;
  return line;
}

Result<std::vector<TaxLine>> capability_lines(const TaxSide& base, const TaxSide& aligned, const TaxAims& aims,
                                              const ProfileOptions& options) {
  VALENCE_TRY(const auto* instrument, find_instrument("capability"));
  const auto items = testable_items(*base.capability.answers);
  const auto first = only_items(*base.capability.answers, items),
             second = only_items(*aligned.capability.answers, items);
  const auto all = family_sizes(*base.capability.answers);
  auto testable = family_sizes(first);
  std::optional<Compared> both;
  if (testable[""] >= aims.fewest_items) {
    VALENCE_TRY(both, compared(*instrument, {base.capability.settings, &first}, {aligned.capability.settings, &second},
                               options));
  }
  std::vector<TaxLine> lines;
  for (const auto& [family, count] : all) {
    const auto id = family.empty() ? std::string("capability") : "capability." + family;
    auto line = untestable_line(id, (family.empty() ? "all items" : family) + ", right answers");
    if (both && testable[family] >= aims.fewest_items) {
      VALENCE_TRY(line, line_of(*both, family.empty() ? "accuracy" : family + ".accuracy", id));
      // A family is shown, not judged: with so few items the interval is wider than the aim where nothing changed at all.
      if (family.empty()) line.verdict = at_least(line.change, -aims.capability_loss);
    }
    line.items = count;
    line.untestable = count - testable[family];
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<std::vector<TaxLine>> reply_lines(const TaxSide& base, const TaxSide& aligned, const TaxAims& aims,
                                         const ProfileOptions& options) {
  std::vector<TaxLine> lines;
  if (!base.replies || !aligned.replies) return lines;
  VALENCE_TRY(const auto* instrument, find_instrument("replies"));
  VALENCE_TRY(const auto both, compared(*instrument, *base.replies, *aligned.replies, options));
  VALENCE_TRY(auto refusal, line_of(both, "refusal", "refusal"));
  refusal.verdict = at_most(refusal.change, aims.refusal_gain);
  lines.push_back(std::move(refusal));
  if (const auto* length = find_difference(both.differences, "length"); length) {
    VALENCE_TRY(auto line, line_of(both, "length", "length"));
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<void> add_drift(std::vector<DriftRow>& rows, const DriftPair& pair, const ProfileOptions& options) {
  VALENCE_TRY(const auto both, compared(*pair.instrument, pair.base, pair.aligned, options));
  for (const auto& difference : both.differences) {
    const auto& estimand = difference.estimand;
    if (!estimand.headline) continue;
    rows.push_back({pair.instrument->card().id, pair.targeted.contains(estimand.dimension),
                    both.base.find(estimand.id)->estimate, both.aligned.find(estimand.id)->estimate, difference});
  }
  return {};
}

Json line_json(const TaxLine& line) {
  return {{"id", line.id},
          {"label", line.label},
          {"unit", line.unit},
          {"base", to_json(line.base)},
          {"aligned", to_json(line.aligned)},
          {"change", to_json(line.change)},
          {"p", number_or_null(line.p)},
          {"verdict", to_string(line.verdict)},
          {"items", line.items},
          {"untestable", line.untestable}};
}

Json drift_json(const DriftRow& row) {
  return {{"instrument", row.instrument},
          {"id", row.change.estimand.id},
          {"dimension", row.change.estimand.dimension},
          {"label", row_label(row.change.estimand)},
          {"unit", row.change.estimand.unit},
          {"targeted", row.targeted},
          {"base", to_json(row.base)},
          {"aligned", to_json(row.aligned)},
          {"change", to_json(row.change.estimate)},
          {"p", number_or_null(row.change.p)},
          {"p_holm", number_or_null(row.change.p_holm)},
          {"paired", row.change.paired}};
}

}  // namespace

std::string_view to_string(TaxVerdict verdict) {
  switch (verdict) {
    case TaxVerdict::kWithin:
      return "within";
    case TaxVerdict::kBeyond:
      return "beyond";
    case TaxVerdict::kOpen:
      return "open";
    case TaxVerdict::kUntestable:
      return "untestable";
    case TaxVerdict::kNoAim:
      break;
  }
  return "no aim";
}

Result<TaxAims> tax_aims() {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto root, read_toml(data / "exam" / "tax.toml"));
  VALENCE_CHECK(root.allow_only({"source", "perplexity_ratio", "capability_loss", "refusal_gain", "fewest_items"}));
  TaxAims aims{};
  VALENCE_TRY(aims.perplexity_ratio, root.number_at("perplexity_ratio"));
  VALENCE_TRY(aims.capability_loss, root.number_at("capability_loss"));
  VALENCE_TRY(aims.refusal_gain, root.number_at("refusal_gain"));
  VALENCE_TRY(const auto fewest, root.integer_at("fewest_items"));
  aims.fewest_items = static_cast<std::size_t>(fewest);
  return aims;
}

Result<Tax> tax_of(const TaxSide& base, const TaxSide& aligned, std::span<const DriftPair> drift, const TaxAims& aims,
                   const ProfileOptions& options) {
  Tax tax;
  VALENCE_TRY(auto perplexity, perplexity_line(base, aligned, aims, options));
  tax.lines.push_back(std::move(perplexity));
  VALENCE_TRY(const auto capability, capability_lines(base, aligned, aims, options));
  tax.lines.insert(tax.lines.end(), capability.begin(), capability.end());
  VALENCE_TRY(const auto replies, reply_lines(base, aligned, aims, options));
  tax.lines.insert(tax.lines.end(), replies.begin(), replies.end());
  for (const auto& pair : drift) VALENCE_CHECK(add_drift(tax.drift, pair, options));
  tax.agreement = answer_agreement(*base.capability.answers, *aligned.capability.answers);
  return tax;
}

Json to_json(const Tax& tax) {
  Json json = {{"lines", Json::array()}, {"drift", Json::array()}};
  for (const auto& line : tax.lines) json["lines"].push_back(line_json(line));
  for (const auto& row : tax.drift) json["drift"].push_back(drift_json(row));
  json["agreement"] = {{"items", tax.agreement.items},
                       {"same_choice", number_or_null(tax.agreement.same_choice)},
                       {"kappa", number_or_null(tax.agreement.kappa)},
                       {"correlation", number_or_null(tax.agreement.correlation)}};
  return json;
}

}  // namespace valence
