#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "readings.h"
#include "svg.h"
#include "valence/base/text.h"
#include "valence/values/fulcra_gap.h"
#include "valence/values/space.h"
#include "wording.h"

namespace valence::report {
namespace {

constexpr std::size_t kFewest = 10, kMostGroups = 8, kNamedTags = 3;
constexpr double kMargin = 14, kSize = kPictureWidth - 2 * kMargin, kMark = 3.2;

/// The series of a response: its place among the named tags, or what is left.
std::size_t series_of(const Reading& reading, const std::vector<std::string>& named) {
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (std::find(reading.tags.begin(), reading.tags.end(), named[i]) != reading.tags.end()) return i;
  }
  return named.size();
}

bool opposes(std::span<const double> e) {
  return std::any_of(e.begin(), e.end(), [](double x) { return x < -kFulcraMask; });
}

struct Extent {
  double low[2], high[2];
};

Extent extent_of(const std::vector<stats::PlanePoint>& points) {
  Extent extent{{points[0][0], points[0][1]}, {points[0][0], points[0][1]}};
  for (const auto& point : points) {
    for (int axis = 0; axis < 2; ++axis) {
      extent.low[axis] = std::min(extent.low[axis], point[static_cast<std::size_t>(axis)]);
      extent.high[axis] = std::max(extent.high[axis], point[static_cast<std::size_t>(axis)]);
    }
  }
  return extent;
}

std::string draw_map(const Readings& readings, const std::vector<stats::PlanePoint>& points, const std::vector<std::string>& named,
                     const std::string& title, const std::string& id) {
  std::vector<std::string> legend;
  for (const auto& tag : named) legend.push_back("prompts tagged " + replace_all(tag, "_", " "));
  legend.push_back(named.empty() ? "responses" : "other prompts");
  double height = kSize * 0.75 + 2 * kMargin + legend_entry_height("x");
  for (const auto& entry : legend) height += legend_entry_height(entry);
  Svg svg(id, height, title, fmt::format("{} responses; the groups are in the table.", points.size()));
  const auto extent = extent_of(points);
  const Axis across{extent.low[0], extent.high[0] > extent.low[0] ? extent.high[0] : extent.low[0] + 1.0, kMargin, kMargin + kSize};
  const Axis up{extent.low[1], extent.high[1] > extent.low[1] ? extent.high[1] : extent.low[1] + 1.0, kMargin + kSize * 0.75, kMargin};
  svg.rectangle(4, 4, kPictureWidth - 8, kSize * 0.75 + 2 * kMargin - 8, "outline");
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double x = across.at(points[i][0]), y = up.at(points[i][1]);
    if (opposes(readings.cloud.row(i))) svg.circle(x, y, kMark + 3, "ring");
    draw_mark(svg, series_of(readings.rows[i], named), x, y, kMark);
  }
  double y = kSize * 0.75 + 2 * kMargin + 10;
  for (std::size_t i = 0; i < legend.size(); ++i) y = draw_legend_entry(svg, i, legend[i], y);
  svg.circle(9, y - 4, kMark + 3, "ring");
  svg.text(24, y, "ring: opposes at least one value", "small");
  return svg.str();
}

std::string label_of(const Space& space, const std::string& dimension) {
  const auto* found = space.find(dimension);
  return found == nullptr ? dimension : found->label;
}

/// The values that a group's mean response touches, the strongest first.
std::string touched(const Readings& readings, std::span<const double> centre, const Space& space) {
  std::vector<std::size_t> order;
  for (std::size_t d = 0; d < centre.size(); ++d) {
    if (std::abs(centre[d]) > kFulcraMask) order.push_back(d);
  }
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return std::abs(centre[a]) > std::abs(centre[b]); });
  std::vector<std::string> parts;
  for (const auto d : order) parts.push_back(fmt::format("{} {}", label_of(space, readings.dimensions[d]), significant(centre[d])));
  return parts.empty() ? "no value" : join(parts, ", ");
}

struct Group {
  std::size_t size = 0, risky = 0, refused = 0;
  std::map<std::string, std::size_t> tags;
};

std::vector<Group> groups_of(const Readings& readings, const stats::Clustering& clustering, const Space& space) {
  std::vector<Group> groups(clustering.count);
  for (std::size_t i = 0; i < readings.rows.size(); ++i) {
    auto& group = groups[clustering.of_row[i]];
    const auto& row = readings.rows[i];
    ++group.size;
    group.refused += row.refused ? 1 : 0;
    group.risky += std::any_of(row.tags.begin(), row.tags.end(), [&](const auto& tag) { return space.find(tag) == nullptr; }) ? 1 : 0;
    for (const auto& tag : row.tags) ++group.tags[tag];
  }
  return groups;
}

std::string commonest(const Group& group) {
  const auto most = std::max_element(group.tags.begin(), group.tags.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == group.tags.end() ? "–" : fmt::format("{} ({} of {})", replace_all(most->first, "_", " "), most->second, group.size);
}

/// A group that opposes a value and that mostly comes from prompts which carry no risk's tag.
bool is_uncovered(const Group& group, std::span<const double> centre) { return opposes(centre) && 2 * group.risky < group.size; }

std::string group_table(const Readings& readings, const stats::Clustering& clustering, const Space& space) {
  const auto groups = groups_of(readings, clustering, space);
  std::string rows;
  for (std::size_t k = 0; k < groups.size(); ++k) {
    const auto centre = clustering.centres.row(k);
    const auto remark = is_uncovered(groups[k], centre) ? "opposes a value, and no known risk covers it" : opposes(centre) ? "opposes a value" : "–";
    rows += fmt::format("<tr>{}{}{}{}{}</tr>\n", number_cell(std::to_string(groups[k].size)), cell(touched(readings, centre, space)), cell(commonest(groups[k])),
                        number_cell(std::to_string(groups[k].refused)), cell(remark));
  }
  return fmt::format("<div class=\"box\"><table><thead><tr><th class=\"n\">responses</th><th>touches, on average</th><th>commonest tag</th><th class=\"n\">refusals</th>"
                     "<th>remark</th></tr></thead>\n<tbody>\n{}</tbody></table></div>\n", rows);
}

std::string group_note(const stats::Clustering& clustering) {
  if (clustering.count == 1) return "<p class=\"note\">The responses form one group: no partition stands out (mean silhouette at most 0.25).</p>\n";
  return fmt::format("<p class=\"note\">{} groups by k-means, their number by the largest mean silhouette ({}; 1: well apart, 0: overlapping). A group is called "
                     "uncovered when its mean response opposes a value and fewer than half of its prompts carry the tag of a risk.</p>\n",
                     clustering.count, significant(clustering.silhouette));
}

}  // namespace

Result<std::string> response_maps(const ReportRun& run, Ids& ids) {
  const auto readings = readings_of(run.answers);
  if (readings.rows.size() < kFewest) return std::string();
  VALENCE_TRY(const auto space, load_space(run.profile.space));
  auto named = tags_by_count(readings);
  named.resize(std::min(named.size(), kNamedTags));
  const auto plane = stats::principal_plane(readings.cloud);
  const auto& subject = run.profile.subject;
  std::string html = "<div class=\"pictures\">\n";
  html += figure(draw_map(readings, plane.points, named, "Responses on their principal plane: " + subject, ids.next("plane")),
                 fmt::format("{}: each mark is a response, placed by what it was read to say. Principal plane: across {} %, up {} % of the variance.", subject,
                             std::lround(100.0 * plane.explained[0]), std::lround(100.0 * plane.explained[1])));
  html += figure(draw_map(readings, stats::tsne(readings.cloud, {}), named, "Responses by t-SNE: " + subject, ids.next("tsne")),
                 fmt::format("{}: the same responses by t-SNE (perplexity 30). Neighbours belong together; sizes of groups, the gaps between them and the axes mean nothing.", subject));
  const auto clustering = stats::cluster_rows(readings.cloud, kMostGroups, 0);
  return html + "</div>\n" + group_note(clustering) + group_table(readings, clustering, space);
}

}  // namespace valence::report
