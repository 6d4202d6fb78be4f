#include "valence/store/export.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "valence/base/csv.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::array<std::string_view, 17> kColumns{
    "instrument", "probe", "unit",   "cluster",     "condition", "item",          "variant", "layout", "format",
    "route",      "status", "probability", "place", "captured_mass", "draws", "text", "digest"};

struct TextColumn {
  std::string_view name;
  std::string AnswerRow::*member;
};
constexpr std::array<TextColumn, 8> kTexts{{{"unit", &AnswerRow::unit},
                                            {"cluster", &AnswerRow::cluster},
                                            {"condition", &AnswerRow::condition},
                                            {"item", &AnswerRow::item},
                                            {"variant", &AnswerRow::variant},
                                            {"layout", &AnswerRow::layout},
                                            {"text", &AnswerRow::text},
                                            {"digest", &AnswerRow::digest}}};

constexpr double kSumTolerance = 1e-6;  // of a row's probabilities

// ---- writing

std::string jsonl_line(std::string_view instrument, bool probe, const AnswerRow& row) {
  const Json json = {{"instrument", instrument},          {"probe", probe},
                     {"unit", row.unit},                  {"cluster", row.cluster},
                     {"condition", row.condition},        {"item", row.item},
                     {"variant", row.variant},            {"layout", row.layout},
                     {"format", to_string(row.format)},   {"route", to_string(row.route)},
                     {"status", to_string(row.status)},   {"probability", row.probability},
                     {"place", row.place},                {"captured_mass", row.captured_mass},
                     {"draws", row.draws},                {"text", row.text},
                     {"digest", row.digest}};
  return to_text(json) + "\n";
}

std::string csv_line(std::string_view instrument, bool probe, const AnswerRow& row) {
  return csv_record({std::string(instrument), probe ? "true" : "false", row.unit, row.cluster, row.condition, row.item,
                     row.variant, row.layout, std::string(to_string(row.format)), std::string(to_string(row.route)),
                     std::string(to_string(row.status)), fmt::format("{}", fmt::join(row.probability, " ")),
                     fmt::format("{}", fmt::join(row.place, " ")), fmt::format("{}", row.captured_mass),
                     fmt::format("{}", row.draws), row.text, row.digest});
}

template <class Line>
std::string all_lines(const AnswerTable& table, const Line& line) {
  std::string text;
  for (const auto& row : table.rows) text += line(table.instrument, false, row);
  for (const auto& row : table.probes) text += line(table.instrument, true, row);
  return text;
}

// ---- checking

tl::unexpected<Error> wrong(std::string_view where, std::string_view column, std::string_view what) {
  return fail(ErrorCode::kUsage, "{}: \"{}\" {}", where, column, what);
}

Result<void> check_probability(const AnswerRow& row, std::string_view where) {
  if (row.status == Status::kScored && row.probability.empty()) {
    return wrong(where, "probability", "is empty; a scored answer needs a probability for each option");
  }
  double sum = 0.0;
  for (const double p : row.probability) {
    if (!(p >= 0.0)) return wrong(where, "probability", fmt::format("holds {}; none may be negative", p));
    sum += p;
  }
  if (row.probability.empty() || std::abs(sum - 1.0) <= kSumTolerance) return {};
  return wrong(where, "probability", fmt::format("sums to {:.6g}; it should sum to 1", sum));
}

Result<void> check_place(const AnswerRow& row, std::string_view where) {
  if (row.place.empty()) return {};
  auto sorted = row.place;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != i) return wrong(where, "place", "should name each place from 0 once");
  }
  if (row.probability.empty() || row.place.size() == row.probability.size()) return {};
  return wrong(where, "place", fmt::format("names {} places for {} options", row.place.size(), row.probability.size()));
}

/// What a line says beside the row itself.
struct Line {
  std::string instrument;
  bool probe = false;
  AnswerRow row;
};

Result<void> add(AnswerTable& table, Line line, std::string_view where) {
  VALENCE_CHECK(check_probability(line.row, where));
  VALENCE_CHECK(check_place(line.row, where));
  const bool first = table.rows.empty() && table.probes.empty();
  if (first) table.instrument = line.instrument;
  if (line.instrument != table.instrument) {
    return wrong(where, "instrument",
                 fmt::format("is \"{}\", earlier lines say \"{}\"; give one file per instrument",
                             printable(line.instrument), printable(table.instrument)));
  }
  (line.probe ? table.probes : table.rows).push_back(std::move(line.row));
  return {};
}

Result<std::size_t> whole(double number, std::string_view where, std::string_view column) {
  if (number >= 0.0 && number <= 9007199254740992.0 && number == std::floor(number)) {
    return static_cast<std::size_t>(number);
  }
  return wrong(where, column, fmt::format("holds {}; it should be a whole number", number));
}

template <class T>
Result<T> named(Result<T> value, std::string_view where, std::string_view column) {
  if (!value) value.error().message = fmt::format("{}: \"{}\": {}", where, column, value.error().message);
  return value;
}

// ---- JSONL

Result<std::vector<std::size_t>> places_of(const std::vector<double>& numbers, std::string_view where) {
  std::vector<std::size_t> places;
  for (const double number : numbers) {
    VALENCE_TRY(const auto place, whole(number, where, "place"));
    places.push_back(place);
  }
  return places;
}

Result<void> read_classes(const Node& node, AnswerRow& row, std::string_view where) {
  VALENCE_TRY(const auto format, node.string_or("format", to_string(row.format)));
  VALENCE_TRY(const auto route, node.string_or("route", to_string(Route::kGiven)));
  VALENCE_TRY(const auto status, node.string_or("status", to_string(row.status)));
  VALENCE_TRY(row.format, named(format_from(format), where, "format"));
  VALENCE_TRY(row.route, named(route_from(route), where, "route"));
  VALENCE_TRY(row.status, named(status_from(status), where, "status"));
  return {};
}

Result<void> read_numbers(const Node& node, AnswerRow& row, std::string_view where) {
  VALENCE_TRY(const auto probability, node.at("probability"));
  VALENCE_TRY(row.probability, probability.as_numbers());
  if (const auto* place = node.find("place")) {
    VALENCE_TRY(const auto numbers, place->as_numbers());
    VALENCE_TRY(row.place, places_of(numbers, where));
  }
  VALENCE_TRY(row.captured_mass, node.number_or("captured_mass", row.captured_mass));
  VALENCE_TRY(const auto draws, node.number_or("draws", 0.0));
  VALENCE_TRY(row.draws, whole(draws, where, "draws"));
  return {};
}

Result<void> check_keys(const Node& node) {
  VALENCE_TRY(const auto members, node.as_table());
  const std::vector<std::string> known(kColumns.begin(), kColumns.end());
  for (const auto& [key, value] : members) {
    if (std::ranges::find(known, key) != known.end()) continue;
    const auto near = nearest(key, known);
    return tl::unexpected(value.error(fmt::format("is no key of an answer{}",
                                                  near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near))));
  }
  return {};
}

Result<Line> read_line(const Node& node, std::string_view where) {
  VALENCE_CHECK(check_keys(node));
  Line line;
  VALENCE_TRY(line.instrument, node.string_or("instrument", ""));
  VALENCE_TRY(line.probe, node.bool_or("probe", false));
  VALENCE_CHECK(node.at("item"));
  for (const auto& text : kTexts) {
    VALENCE_TRY(line.row.*text.member, node.string_or(text.name, ""));
  }
  VALENCE_CHECK(read_classes(node, line.row, where));
  VALENCE_CHECK(read_numbers(node, line.row, where));
  return line;
}

// ---- CSV

/// One record, by column name; an absent column reads as its default.
class CsvRow {
 public:
  CsvRow(const CsvTable& table, std::size_t row) : table_(table), row_(row) {}

  std::string where() const { return table_.where(row_); }
  std::string text(std::string_view column, std::string_view fallback) const {
    const auto found = std::ranges::find(table_.columns, column);
    if (found == table_.columns.end()) return std::string(fallback);
    return table_.rows[row_][static_cast<std::size_t>(std::distance(table_.columns.begin(), found))];
  }
  Result<double> number(std::string_view column, double fallback) const {
    const auto field = text(column, "");
    if (field.empty()) return fallback;
    return parse_number(field, fmt::format("{}: \"{}\"", where(), column));
  }
  Result<std::vector<double>> numbers(std::string_view column) const {
    std::vector<double> values;
    for (const auto& part : split(text(column, ""), " ")) {
      if (part.empty()) continue;
      VALENCE_TRY(const double value, parse_number(part, fmt::format("{}: \"{}\"", where(), column)));
      values.push_back(value);
    }
    return values;
  }

 private:
  const CsvTable& table_;
  std::size_t row_;
};

Result<void> read_classes(const CsvRow& record, AnswerRow& row) {
  const auto where = record.where();
  VALENCE_TRY(row.format, named(format_from(record.text("format", to_string(row.format))), where, "format"));
  VALENCE_TRY(row.route, named(route_from(record.text("route", to_string(Route::kGiven))), where, "route"));
  VALENCE_TRY(row.status, named(status_from(record.text("status", to_string(row.status))), where, "status"));
  return {};
}

Result<bool> read_probe(const CsvRow& record) {
  const auto text = record.text("probe", "false");
  if (text == "true" || text == "false") return text == "true";
  return wrong(record.where(), "probe", fmt::format("is \"{}\"; it should be true or false", printable(text)));
}

Result<Line> read_line(const CsvRow& record) {
  Line line;
  line.instrument = record.text("instrument", "");
  VALENCE_TRY(line.probe, read_probe(record));
  for (const auto& text : kTexts) line.row.*text.member = record.text(text.name, "");
  VALENCE_CHECK(read_classes(record, line.row));
  VALENCE_TRY(line.row.probability, record.numbers("probability"));
  VALENCE_TRY(const auto places, record.numbers("place"));
  VALENCE_TRY(line.row.place, places_of(places, record.where()));
  VALENCE_TRY(line.row.captured_mass, record.number("captured_mass", line.row.captured_mass));
  VALENCE_TRY(const double draws, record.number("draws", 0.0));
  VALENCE_TRY(line.row.draws, whole(draws, record.where(), "draws"));
  return line;
}

Result<void> check_columns(const CsvTable& table) {
  const std::vector<std::string> known(kColumns.begin(), kColumns.end());
  for (const auto& column : table.columns) {
    if (std::ranges::find(known, column) != known.end()) continue;
    const auto near = nearest(column, known);
    return fail(ErrorCode::kUsage, "{}:1: \"{}\" is no column of answers{}", table.file, printable(column),
                near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near));
  }
  VALENCE_CHECK(table.column("item"));
  VALENCE_CHECK(table.column("probability"));
  return {};
}

}  // namespace

std::string answers_jsonl(const AnswerTable& table) { return all_lines(table, jsonl_line); }

std::string answers_csv(const AnswerTable& table) {
  return csv_record({kColumns.begin(), kColumns.end()}) + all_lines(table, csv_line);
}

Result<AnswerTable> parse_answers_jsonl(std::string_view text, std::string_view name) {
  VALENCE_TRY(const auto nodes, parse_jsonl(text, name));
  AnswerTable table;
  for (const auto& node : nodes) {
    const auto where = to_string(node.position());
    VALENCE_TRY(auto line, read_line(node, where));
    VALENCE_CHECK(add(table, std::move(line), where));
  }
  return table;
}

Result<AnswerTable> parse_answers_csv(std::string_view text, std::string_view name) {
  VALENCE_TRY(const auto csv, parse_csv(text, name));
  VALENCE_CHECK(check_columns(csv));
  AnswerTable table;
  for (std::size_t row = 0; row < csv.rows.size(); ++row) {
    VALENCE_TRY(auto line, read_line(CsvRow(csv, row)));
    VALENCE_CHECK(add(table, std::move(line), csv.where(row)));
  }
  return table;
}

Result<AnswerTable> import_answers(const std::filesystem::path& path) {
  const auto ending = path.extension();
  if (ending != ".jsonl" && ending != ".csv") {
    return fail(ErrorCode::kUsage, "{}: answers are read from files ending in .jsonl or .csv", path.string());
  }
  VALENCE_TRY(const auto text, read_file(path));
  return ending == ".csv" ? parse_answers_csv(text, path.string()) : parse_answers_jsonl(text, path.string());
}

}  // namespace valence
