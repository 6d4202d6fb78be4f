#include "readings.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "valence/base/text.h"

namespace valence::report {
namespace {

using Key = std::pair<std::string, std::string>;  // unit and variant

std::vector<std::string> dimensions_read(const AnswerTable& table) {
  std::vector<std::string> dimensions;
  std::set<std::string> known;
  for (const auto& row : table.rows) {
    if (row.route == Route::kRead && known.insert(row.item).second) dimensions.push_back(row.item);
  }
  return dimensions;
}

/// [response][dimension], NaN where nothing was read.
std::map<Key, std::vector<double>> values_read(const AnswerTable& table, const std::vector<std::string>& dimensions) {
  std::map<std::string, std::size_t> place;
  for (std::size_t d = 0; d < dimensions.size(); ++d) place[dimensions[d]] = d;
  std::map<Key, std::vector<double>> values;
  const std::vector<double> unread(dimensions.size(), std::numeric_limits<double>::quiet_NaN());
  for (const auto& row : table.rows) {
    if (row.route != Route::kRead || row.probability.size() != 3) continue;
    values.try_emplace({row.unit, row.variant}, unread).first->second[place.at(row.item)] = row.probability[2] - row.probability[0];
  }
  return values;
}

}  // namespace

Readings readings_of(const AnswerTable& table) {
  Readings readings;
  readings.dimensions = dimensions_read(table);
  readings.cloud.columns = readings.dimensions.size();
  const auto values = values_read(table, readings.dimensions);
  for (const auto& row : table.rows) {
    if (row.route == Route::kRead) continue;
    const auto found = values.find({row.unit, row.variant});
    if (found == values.end() || std::any_of(found->second.begin(), found->second.end(), [](double e) { return e != e; })) continue;
    readings.rows.push_back({row.condition.empty() ? std::vector<std::string>() : split(row.condition, "|"), row.status == Status::kRefused});
    readings.cloud.values.insert(readings.cloud.values.end(), found->second.begin(), found->second.end());
  }
  return readings;
}

std::vector<std::string> tags_by_count(const Readings& readings) {
  std::map<std::string, std::size_t> counts;
  for (const auto& row : readings.rows) {
    for (const auto& tag : row.tags) ++counts[tag];
  }
  std::vector<std::string> tags;
  for (const auto& [tag, count] : counts) tags.push_back(tag);
  std::stable_sort(tags.begin(), tags.end(), [&](const auto& a, const auto& b) { return counts[a] > counts[b]; });
  return tags;
}

}  // namespace valence::report
