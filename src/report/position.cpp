// How much of the answers went by the place in which an option was shown.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "panels.h"
#include "svg.h"
#include "valence/base/text.h"
#include "valence/stats/position.h"
#include "wording.h"

namespace valence::report {
namespace {

constexpr double kBarLeft = 6, kBarWidth = 348, kBarRow = 44;
constexpr const char* kBalanced = "all layouts together, by content";

struct Share {
  std::string label;
  std::vector<double> values;
};

bool was_placed(const AnswerRow& row) {
  return row.status == Status::kScored && row.format == AnswerFormat::kLetter && row.place.size() > 1 && row.place.size() == row.probability.size();
}

/// Questions with different numbers of options cannot share a bar: those with the most frequent number are shown.
std::vector<const AnswerRow*> placed_rows(const std::vector<AnswerRow>& rows) {
  std::map<std::size_t, std::size_t> counts;
  for (const auto& row : rows) {
    if (was_placed(row)) ++counts[row.place.size()];
  }
  if (counts.empty()) return {};
  const auto most = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
  std::vector<const AnswerRow*> placed;
  for (const auto& row : rows) {
    if (was_placed(row) && row.place.size() == most) placed.push_back(&row);
  }
  return placed;
}

/// Mean probability of each place, by layout in order of its name.
std::vector<Share> place_shares(const std::vector<const AnswerRow*>& rows) {
  std::map<std::string, std::pair<std::vector<double>, double>> sums;
  for (const auto* row : rows) {
    auto& [sum, count] = sums[row->layout];
    sum.resize(row->place.size(), 0.0);
    for (std::size_t option = 0; option < row->place.size(); ++option) {
      if (row->place[option] < sum.size()) sum[row->place[option]] += row->probability[option];
    }
    count += 1.0;
  }
  std::vector<Share> shares;
  for (auto& [layout, entry] : sums) {
    for (auto& value : entry.first) value /= entry.second;
    shares.push_back({layout.empty() ? "one order" : layout, std::move(entry.first)});
  }
  return shares;
}

/// The balanced figure: each layout counts the same, whatever number of answers it has.
Share content_share(const std::vector<const AnswerRow*>& rows) {
  std::map<std::string, double> counts;
  for (const auto* row : rows) counts[row->layout] += 1.0;
  Share share{kBalanced, std::vector<double>(rows.front()->probability.size(), 0.0)};
  for (const auto* row : rows) {
    for (std::size_t option = 0; option < row->probability.size(); ++option) {
      share.values[option] += row->probability[option] / (counts[row->layout] * static_cast<double>(counts.size()));
    }
  }
  return share;
}

void draw_share(Svg& svg, const Share& share, double y, std::size_t series) {
  svg.text(kBarLeft, y + 13, share.label, "small strong");
  double x = kBarLeft;
  for (std::size_t i = 0; i < share.values.size(); ++i) {
    const double width = kBarWidth * share.values[i];
    const bool filled = i % 2 == 0;
    svg.rectangle(x, y + 18, width, 19, filled ? fmt::format("f{0} thin s{0}", series) : fmt::format("open thin s{}", series));
    const auto text = fmt::format("{}: {}", i + 1, significant(share.values[i]));
    if (width > 7.0 * static_cast<double>(text.size()) + 4) svg.text(x + width / 2, y + 32, text, filled ? "onbar" : "small", Anchor::kMiddle);
    x += width;
  }
}

std::string draw_shares(const std::vector<Share>& layouts, const Share& balanced, const std::string& id) {
  const auto rows = static_cast<double>(layouts.size() + 1);
  Svg svg(id, kBarRow * rows + 26, "Share of each place, by layout", "For each layout the mean probability of the option shown first, second and so on; beneath, of each option by its content.");
  double y = 4;
  for (const auto& share : layouts) {
    draw_share(svg, share, y, 0);
    y += kBarRow;
  }
  svg.line(kBarLeft, y + 6, kBarLeft + kBarWidth, y + 6, "axis");
  draw_share(svg, balanced, y + 12, 2);
  return svg.str();
}

std::string share_row(const Share& share) {
  std::string cells;
  for (const double value : share.values) cells += number_cell(significant(value));
  return fmt::format("<tr>{}{}</tr>\n", cell(share.label), cells);
}

std::string share_table(const std::vector<Share>& layouts, const Share& balanced) {
  std::string head, rows;
  for (std::size_t i = 0; i < balanced.values.size(); ++i) head += fmt::format("<th class=\"n\">{}</th>", i + 1);
  for (const auto& share : layouts) rows += share_row(share);
  return fmt::format("<div class=\"box\"><table><thead><tr><th>layout</th>{}</tr></thead>\n<tbody>\n{}{}</tbody></table></div>\n", head, rows, share_row(balanced));
}

/// Whether each option of each item stood in each place equally often.
bool is_balanced(const std::vector<stats::PlacedAnswer>& answers) {
  std::map<std::size_t, std::vector<std::size_t>> counts;  // [item]: option × place
  for (const auto& answer : answers) {
    const auto options = answer.probability.size();
    auto& count = counts.try_emplace(answer.item, std::vector<std::size_t>(options * options, 0)).first->second;
    for (std::size_t option = 0; option < options; ++option) ++count[option * options + answer.place[option]];
  }
  return std::all_of(counts.begin(), counts.end(), [](const auto& entry) {
    return std::all_of(entry.second.begin(), entry.second.end(), [&](auto n) { return n == entry.second.front(); });
  });
}

/// "0.48" and so on; empty where the layouts cannot tell place from content.
std::string pull_of(const std::vector<const AnswerRow*>& rows, std::size_t layouts) {
  if (layouts < 2) return " With one layout, place and content cannot be told apart.";
  std::map<std::string, std::size_t> items;
  std::vector<stats::PlacedAnswer> answers;
  for (const auto* row : rows) {
    const auto item = items.try_emplace(row->condition + "\n" + row->item, items.size()).first->second;
    answers.push_back({item, row->probability, row->place});
  }
  if (!is_balanced(answers)) return " These layouts do not bring every option to every place, so place and content are not told apart here: the gate's probes do that.";
  const auto bias = stats::position_bias(answers);
  if (!bias) return "";
  const auto worst = 1.0 - 1.0 / static_cast<double>(bias->share.size());
  return fmt::format(" The place alone moved {} of the probability (0: none; {}: all).", significant(bias->bias), significant(worst));
}

}  // namespace

std::string position_panel(const ReportRun& run, Ids& ids) {
  const auto rows = placed_rows(run.answers.rows);
  if (rows.empty()) return "";
  const auto layouts = place_shares(rows);
  const auto balanced = content_share(rows);
  return figure(draw_shares(layouts, balanced, ids.next("position")),
                fmt::format("Position effect over {}: how much of what {} answered went to the option shown first (1), second (2), … in each layout. A subject "
                            "that reads has no favourite place.{} Beneath, the balanced figure: the same answers by the option's content, in the item's own order.",
                            counted(rows.size(), "letter answer"), run.profile.subject, pull_of(rows, layouts.size()))) +
         share_table(layouts, balanced);
}

}  // namespace valence::report
