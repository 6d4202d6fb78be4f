#include "valence/report/say_do_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "svg.h"
#include "valence/base/text.h"

namespace valence {
namespace {

using namespace report;

constexpr double kSayDoTop = 44, kSayDoStep = 24, kLeftEnd = 122, kRightEnd = 238;

double height_of(double rank) { return kSayDoTop + (rank - 0.5) * kSayDoStep; }

std::string name_of(const Space& space, const std::string& dimension) {
  const auto* found = space.find(dimension);
  return found == nullptr ? dimension : found->label;
}

/// Where each label stands: at its rank, tied ones below one another instead of on top of each other.
std::vector<double> label_heights(const std::vector<SayDoRow>& rows, double SayDoRow::*rank) {
  std::vector<std::size_t> order(rows.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rows[a].*rank < rows[b].*rank; });
  std::vector<double> heights(rows.size());
  for (std::size_t place = 0; place < order.size(); ++place) heights[order[place]] = height_of(static_cast<double>(place) + 1.0);
  return heights;
}

std::string description_of(const SayDo& result, const Space& space) {
  std::vector<std::string> parts;
  for (const auto& row : result.rows) {
    parts.push_back(fmt::format("{}: says {}, does {}", name_of(space, row.dimension), significant(row.says_rank), significant(row.does_rank)));
  }
  return join(parts, "; ");
}

}  // namespace

Result<std::string> say_do_picture(const SayDo& result, const Space& space, const std::string& subject) {
  const auto count = static_cast<double>(result.rows.size());
  Svg svg("say-do-1", kSayDoTop + count * kSayDoStep + 34, "What it says and what it does: " + subject, description_of(result, space));
  svg.text(kLeftEnd, 22, "says", "strong", Anchor::kEnd);
  svg.text(kRightEnd, 22, "does", "strong");
  const auto left = label_heights(result.rows, &SayDoRow::says_rank), right = label_heights(result.rows, &SayDoRow::does_rank);
  for (std::size_t i = 0; i < result.rows.size(); ++i) {
    const auto& row = result.rows[i];
    const auto label = name_of(space, row.dimension);
    const double from = height_of(row.says_rank), to = height_of(row.does_rank);
    const auto style = std::abs(row.says_rank - row.does_rank) < 2.0 ? "interval s2" : "interval s1";
    svg.text(kLeftEnd - 6, left[i] + 4, label, "small", Anchor::kEnd);
    svg.text(kRightEnd + 6, right[i] + 4, label, "small");
    svg.line(kLeftEnd, from, kRightEnd, to, style);
    draw_mark(svg, 0, kLeftEnd, from, 3.5);
    draw_mark(svg, 0, kRightEnd, to, 3.5);
  }
  svg.text(6, kSayDoTop + count * kSayDoStep + 22, fmt::format("rank correlation {}", figure_text(result.spearman)), "small soft");
  return standalone(svg.str());
}

}  // namespace valence
