#include "opinions_read.h"

#include <map>
#include <utility>

#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

/// The first of several names that a record has.
Result<Node> any_of(const Node& node, std::initializer_list<std::string_view> names) {
  std::vector<std::string> all;
  for (const auto name : names) {
    if (const Node* member = node.find(name)) return *member;
    all.push_back(fmt::format("\"{}\"", name));
  }
  return tl::unexpected(node.error(fmt::format("a record needs {}", join(all, " or "))));
}

Result<OpinionRecord> record_of(const Node& node) {
  OpinionRecord record;
  record.where = to_string(node.position());
  VALENCE_TRY(record.question, node.string_at("question"));
  VALENCE_TRY(const auto group, any_of(node, {"attribute", "country", "group"}));
  VALENCE_TRY(record.group, group.as_string());
  VALENCE_TRY(const auto options, node.at("options"));
  VALENCE_TRY(record.options, options.as_strings());
  VALENCE_TRY(const auto share, any_of(node, {"gold_distribution", "distribution"}));
  VALENCE_TRY(record.share, share.as_numbers());
  return record;
}

Result<std::vector<OpinionRecord>> read_json(const std::filesystem::path& file) {
  VALENCE_TRY(const auto text, read_file(file));
  VALENCE_TRY(const auto node, parse_json_node(text, file.string()));
  VALENCE_TRY(const auto nodes, node.as_array());
  std::vector<OpinionRecord> records;
  for (const auto& entry : nodes) {
    VALENCE_TRY(auto record, record_of(entry));
    records.push_back(std::move(record));
  }
  return records;
}

/// Rows of the same group and question make one record, whose place is its first row.
Result<std::vector<OpinionRecord>> read_long_csv(const std::filesystem::path& file) {
  VALENCE_TRY(const auto table, read_csv(file));
  VALENCE_TRY(const auto group, table.column("group"));
  VALENCE_TRY(const auto question, table.column("question"));
  VALENCE_TRY(const auto option, table.column("option"));
  VALENCE_TRY(const auto share, table.column("share"));
  std::vector<OpinionRecord> records;
  std::map<std::pair<std::string, std::string>, std::size_t> places;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto& cells = table.rows[row];
    const auto [place, fresh] = places.try_emplace({cells[group], cells[question]}, records.size());
    if (fresh) records.push_back({table.where(row), cells[group], cells[question], {}, {}});
    VALENCE_TRY(const double number, parse_number(cells[share], fmt::format("{}, column \"share\"", table.where(row))));
    records[place->second].options.push_back(cells[option]);
    records[place->second].share.push_back(number);
  }
  return records;
}

}  // namespace

Result<std::vector<OpinionRecord>> read_opinion_records(const std::filesystem::path& file) {
  return file.extension() == ".json" ? read_json(file) : read_long_csv(file);
}

}  // namespace valence
