#include "target_show.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "valence/base/files.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/report/target_picture.h"

namespace valence {
namespace {

std::string scale_text(const Target& target) {
  switch (target.scale) {
    case ScoreScale::kNone:
      return "angles, in degrees";
    case ScoreScale::kRaw:
      return "raw: means of ratings";
    case ScoreScale::kCentred:
      return "centred: each person's mean rating taken off";
    case ScoreScale::kUnit:
      return "unit: -1 opposed, 0 neither, 1 upheld";
  }
  return "";
}

std::string head_text(const Target& target) {
  auto text = fmt::format("{}\n\n  id            {}\n  value space   {}\n  scores        {}\n", target.label, target.id,
                          target.space, scale_text(target));
  if (target.respondents > 0) text += fmt::format("  respondents   {}\n", with_thousands(target.respondents));
  if (target.mean_rating) text += fmt::format("  mean rating   {}\n", significant(*target.mean_rating));
  return text +
         fmt::format("  source        {}\n  licence       {}\n", target.provenance.citation,
                     target.provenance.licence) +
         (target.provenance.note.empty() ? "" : fmt::format("  note          {}\n", target.provenance.note));
}

std::string interval_at(const Target& target, std::size_t place) {
  if (std::isnan(target.intervals[place].low)) return "";
  return fmt::format("[{}, {}]", significant(target.intervals[place].low), significant(target.intervals[place].high));
}

/// What the intervals are, or why there are none.
std::string intervals_text(const Target& target) {
  if (!target.intervals.empty()) return "\n  95 % intervals: sampling error only\n";
  if (target.respondents == 1) return "\n  one person's answers, once: no interval\n";
  return target.respondents > 0 ? "\n  the source gives no intervals\n" : "";
}

Json value_json(const Target& target, const Space& space, std::size_t place) {
  Json json = {{"dimension", target.values[place].first},
               {"label", space.dimensions[place].label},
               {"value", target.values[place].second},
               {"weight", target.weight(place)}};
  const SampleInterval none{std::nan(""), std::nan(""), 0};
  const auto& interval = target.intervals.empty() ? none : target.intervals[place];
  json["low"] = interval.low;
  json["high"] = interval.high;
  json["count"] = interval.count;
  return json;
}

}  // namespace

Result<std::string> target_text(const Target& target) {
  VALENCE_TRY(const auto space, load_space(target.space));
  const bool sampled = !target.intervals.empty(), weighted = !target.weights.empty();
  std::vector<std::pair<std::string, Align>> columns = {{"", Align::kLeft}, {"wanted", Align::kRight}};
  if (sampled) columns.emplace_back("95 % interval", Align::kLeft);
  if (weighted) columns.emplace_back("weight", Align::kRight);
  TextTable table(columns);
  for (std::size_t place = 0; place < target.values.size(); ++place) {
    const bool left_out = std::isnan(target.values[place].second);
    std::vector<std::string> cells = {space.dimensions[place].label,
                                      left_out ? "left out" : significant(target.values[place].second)};
    if (sampled) cells.push_back(interval_at(target, place));
    if (weighted) cells.push_back(left_out ? "" : significant(target.weight(place)));
    table.add(std::move(cells));
  }
  return head_text(target) + "\n" + table.text() + intervals_text(target);
}

Result<Json> target_document(const Target& target) {
  VALENCE_TRY(const auto space, load_space(target.space));
  Json json = {{"id", target.id},
               {"space", target.space},
               {"label", target.label},
               {"scale", to_string(target.scale)},
               {"respondents", target.respondents},
               {"mean_rating", target.mean_rating ? Json(*target.mean_rating) : Json(nullptr)},
               {"provenance",
                {{"citation", target.provenance.citation},
                 {"licence", target.provenance.licence},
                 {"note", target.provenance.note}}}};
  json["values"] = Json::array();
  for (std::size_t place = 0; place < target.values.size(); ++place)
    json["values"].push_back(value_json(target, space, place));
  return json;
}

std::string opinions_text(const OpinionTarget& target) {
  auto text = fmt::format(
      "{}\n\n  id            {}\n  answers of    {}\n  questions     {}\n  options       {}\n  source        {}\n  "
      "licence       {}\n",
      target.label, target.id, target.group, target.questions.size(),
      target.ordered ? "steps of a scale" : "without an order", target.provenance.citation, target.provenance.licence);
  for (const auto& question : target.questions) {
    text += fmt::format("\n  {}\n", printable(question.question));
    for (std::size_t i = 0; i < question.options.size(); ++i)
      text += fmt::format("    {:>6}  {}\n", significant(question.share[i]), printable(question.options[i]));
    if (question.dropped > 0.0)
      text += fmt::format("    (of all answers, {} were left out)\n", significant(question.dropped));
  }
  return text;
}

Result<void> write_picture(std::span<const Target> targets, const std::string& file) {
  if (file.empty()) return {};
  VALENCE_TRY(const auto picture, target_picture(targets));
  return write_file(file, picture);
}

}  // namespace valence
