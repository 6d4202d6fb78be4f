#include "evaluator_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "show.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

constexpr std::array kPooled{"accuracy",  "macro_f1",      "f1_opposed", "f1_unrelated",
                             "f1_upheld", "sign_accuracy", "soft_error"};
constexpr std::array kPooledHeads{"accuracy", "macro-F1", "F1(-1)", "F1(0)", "F1(+1)", "sign", "soft error"};
constexpr std::array kByDimension{"accuracy", "macro_f1", "f1_opposed", "f1_upheld", "auroc_opposed", "auroc_upheld"};
constexpr std::array kByDimensionHeads{"accuracy", "macro-F1", "F1(-1)", "F1(+1)", "AUROC(-1)", "AUROC(+1)"};
constexpr double kClosest = 0.005;  // contributions below it are not shown

/// ".891 [.884, .898]" without the zero, so that a row of figures fits a terminal.
std::string brief(double value) {
  if (!std::isfinite(value)) return "–";
  const auto text = fmt::format("{:.3f}", value);
  return text.starts_with("0.") ? text.substr(1) : text;
}

std::string brief_interval(const Estimate& estimate) {
  return estimate.has_interval() ? fmt::format("{}, {}", brief(estimate.low), brief(estimate.high)) : "";
}

template <std::size_t N>
TextTable table_with(const std::array<const char*, N>& heads) {
  std::vector<std::pair<std::string, Align>> columns = {{"", Align::kLeft}};
  for (const auto* head : heads) columns.emplace_back(head, Align::kRight);
  return TextTable(columns);
}

template <std::size_t N>
void add_row(TextTable& table, const std::string& name, const QualityReport& report, const std::string& dimension,
             const std::array<const char*, N>& ids, std::string (*cell)(const Estimate&)) {
  std::vector<std::string> cells = {name};
  for (const auto* id : ids) cells.push_back(cell(report.of(id, dimension)));
  table.add(cells);
}

std::string value_cell(const Estimate& estimate) { return brief(estimate.value); }

std::string pooled_table(const std::vector<QualityReport>& reports) {
  auto table = table_with(kPooledHeads);
  for (const auto& report : reports) add_row(table, report.evaluator, report, "", kPooled, value_cell);
  add_row(table, "95 % of the first", reports.front(), "", kPooled, brief_interval);
  return table.text();
}

std::string dimension_table(const QualityReport& report) {
  auto table = table_with(kByDimensionHeads);
  for (const auto& dimension : report.dimensions)
    add_row(table, dimension, report, dimension, kByDimension, value_cell);
  return table.text();
}

std::string calibration_lines(const QualityReport& report) {
  std::string text;
  for (const auto& entry : report.calibration) {
    text += fmt::format("  calibration error of \"{}\" {} ({} bins of equal count)\n", entry.label_class,
                        brief(entry.error), entry.curve.size());
  }
  if (!report.conformal) return text;
  const auto& sets = *report.conformal;
  text += fmt::format(
      "  sets that promise {} per class hold it with {} (opposed {}, unrelated {}, upheld {}), {:.2f} classes each\n",
      brief(report.conformal_coverage), brief(sets.coverage.value), brief(sets.by_class[0].value),
      brief(sets.by_class[1].value), brief(sets.by_class[2].value), sets.mean_size);
  return text;
}

Json span_json(const Evaluator& evaluator, const EvidenceSpan& span, const PromptedText& text) {
  Json contribution = Json::object();
  for (std::size_t d = 0; d < span.contribution.size(); ++d)
    contribution[evaluator.dimensions()[d]] = span.contribution[d];
  return {{"first", span.first},
          {"size", span.size},
          {"text", text.response.substr(span.first, span.size)},
          {"contribution", contribution}};
}

/// The sentence that speaks most for the label of one dimension.
std::string evidence_cell(const std::vector<EvidenceSpan>& evidence, std::size_t dim, ValueLabel label,
                          const PromptedText& text) {
  if (label == 0 || evidence.empty()) return "";
  const auto strength = [&](const EvidenceSpan& span) { return span.contribution[dim] * label; };
  const auto best = std::max_element(evidence.begin(), evidence.end(),
                                     [&](const auto& a, const auto& b) { return strength(a) < strength(b); });
  if (strength(*best) < kClosest) return "no single sentence";
  return fmt::format("{:+.2f} {}", best->contribution[dim],
                     trim(printable(text.response.substr(best->first, best->size))));
}

}  // namespace

std::string label_text(ValueLabel label) { return label > 0 ? "upheld" : label < 0 ? "opposed" : "–"; }

std::string quality_text(const std::vector<QualityReport>& reports, const Terminal& terminal) {
  const auto& first = reports.front();
  const auto title = fmt::format("{} on {} held-out responses to {} prompts", first.evaluator,
                                 with_thousands(first.rows), with_thousands(first.prompts));
  return fmt::format("{}\n\n{}\n{}\n{}", styled(title, Style::kBold, terminal), pooled_table(reports),
                     dimension_table(first), calibration_lines(first));
}

std::string differences_text(std::string_view first, std::string_view second,
                             const std::vector<QualityDifference>& differences) {
  std::string text = fmt::format("\n{} against {}, paired by prompt\n", second, first);
  TextTable table({{"", Align::kLeft},
                   {"difference", Align::kRight},
                   {"95 % interval", Align::kLeft},
                   {"p (Holm)", Align::kRight}});
  for (const auto& [id, comparison, p_holm] : differences) {
    const auto& difference = comparison.difference;
    table.add({id, fmt::format("{:+.3f}", difference.value),
               fmt::format("[{:+.3f}, {:+.3f}]", difference.low, difference.high), significant(p_holm, 2)});
  }
  return text + table.text();
}

std::string evaluation_text(const Evaluator& evaluator, const ClassProbabilities& probabilities,
                            const PromptedText& text, const std::vector<EvidenceSpan>& evidence) {
  const auto labels = decide(probabilities, evaluator.thresholds());
  TextTable table({{"", Align::kLeft},
                   {"value", Align::kRight},
                   {"p(-1)", Align::kRight},
                   {"p(0)", Align::kRight},
                   {"p(+1)", Align::kRight},
                   {"label", Align::kLeft},
                   {evidence.empty() ? "" : "evidence", Align::kLeft}});
  for (std::size_t d = 0; d < probabilities.dims; ++d) {
    const auto p = probabilities.at(0, d);
    table.add({evaluator.dimensions()[d], fmt::format("{:+.2f}", probabilities.soft(0, d)), brief(p[0]), brief(p[1]),
               brief(p[2]), label_text(labels[d]), evidence_cell(evidence, d, labels[d], text)});
  }
  return table.text();
}

Json evaluation_json(const Evaluator& evaluator, const ClassProbabilities& probabilities, std::size_t row,
                     const PromptedText& text, const std::vector<EvidenceSpan>& evidence) {
  const ClassProbabilities one{
      1,
      probabilities.dims,
      {probabilities.at(row, 0).data(), probabilities.at(row, 0).data() + probabilities.dims * kLabelClasses}};
  const auto labels = decide(one, evaluator.thresholds());
  Json values = Json::object();
  for (std::size_t d = 0; d < one.dims; ++d) {
    const auto p = one.at(0, d);
    values[evaluator.dimensions()[d]] = {
        {"value", one.soft(0, d)}, {"probability", {p[0], p[1], p[2]}}, {"label", labels[d]}};
  }
  Json spans = Json::array();
  for (const auto& span : evidence) spans.push_back(span_json(evaluator, span, text));
  return {{"id", response_id(text)}, {"values", values}, {"evidence", spans}};
}

Json evaluator_json(const Evaluator& evaluator) {
  const auto& provenance = evaluator.provenance();
  Json parts = Json::array();
  for (const auto& part : evaluator.recipe().parts)
    parts.push_back({{"features", part.features}, {"head", to_string(part.head.kind)}, {"l2", part.head.l2}});
  return {{"space", evaluator.space()},
          {"dimensions", evaluator.dimensions()},
          {"parts", parts},
          {"data", provenance.data},
          {"data_sha256", provenance.data_sha256},
          {"rows", provenance.rows},
          {"prompts", provenance.prompts},
          {"auxiliary", provenance.auxiliary},
          {"unseen_responders", provenance.unseen.size()}};
}

std::string penalties_text(const Evaluator& evaluator) {
  std::vector<std::string> penalties;
  for (const auto& part : evaluator.recipe().parts) penalties.push_back(significant(part.head.l2));
  return fmt::format("{} {}", penalties.size() == 1 ? "penalty" : "penalties", join(penalties, ", "));
}

std::string unseen_text(const Evaluator& evaluator) {
  const auto count = evaluator.provenance().unseen.size();
  if (count > 0)
    return fmt::format("  transport: read {} responders that were left out in turn; measure fulcra shows how far off\n",
                       count);
  return "  transport: not looked at, since the labels name fewer than two responders (\"response_source\"); measure "
         "fulcra will not vouch for what this evaluator reads\n";
}

Json differences_json(std::string_view first, std::string_view second,
                      const std::vector<QualityDifference>& differences) {
  Json all = Json::array();
  for (const auto& [id, comparison, p_holm] : differences) {
    Json entry = to_json(comparison.difference);
    entry["id"] = id;
    entry["p"] = comparison.p;
    entry["p_holm"] = p_holm;
    all.push_back(entry);
  }
  return {{"first", first}, {"second", second}, {"differences", all}};
}

}  // namespace valence
