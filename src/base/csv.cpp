#include "valence/base/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"

namespace valence {
namespace {

struct CsvRow {
  std::vector<std::string> fields;
  int line = 1;
};

/// Reads rows and knows where it is. Columns count code points.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view name, const CsvOptions& options)
      : text_(text), name_(name), options_(options) {}

  bool at_end() const { return next_ == text_.size(); }
  int line() const { return line_; }
  std::string place() const { return fmt::format("{}:{}:{}", name_, line_, column_); }

  Result<CsvRow> row() {
    CsvRow row;
    row.line = line_;
    for (;;) {
      VALENCE_TRY(auto field, this->field());
      row.fields.push_back(std::move(field));
      if (at_end() || text_[next_] != options_.separator) break;
      take();
    }
    if (!at_end()) take();
    return row;
  }

 private:
  bool at_field_end() const {
    return at_end() || text_[next_] == options_.separator || text_[next_] == '\n' || text_[next_] == '\r';
  }

  /// Steps over one byte; CR LF counts as one line end and is taken whole.
  void take() {
    const char c = text_[next_++];
    if (c == '\r' && !at_end() && text_[next_] == '\n') ++next_;
    if (c == '\n' || c == '\r') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++column_;
    }
  }

  Result<std::string> field() {
    if (options_.quoting && !at_end() && text_[next_] == '"') return quoted();
    const auto start = next_;
    while (!at_field_end()) take();
    return std::string(text_.substr(start, next_ - start));
  }

  Result<std::string> quoted() {
    const auto opening = place();
    std::string value;
    take();
    for (;;) {
      if (at_end()) return fail(ErrorCode::kUsage, "{}: the quote opened here is never closed", opening);
      if (text_[next_] != '"') {
        const auto start = next_;
        take();
        value += text_.substr(start, next_ - start);
        continue;
      }
      take();
      if (at_end() || text_[next_] != '"') break;
      take();
      value += '"';
    }
    if (at_field_end()) return value;
    return fail(ErrorCode::kUsage,
                "{}: expected a separator or the line's end after a closing quote; write \"\" for a quote inside",
                place());
  }

  std::string_view text_;
  std::string_view name_;
  CsvOptions options_;
  std::size_t next_ = 0;
  int line_ = 1;
  int column_ = 1;
};

/// A line without anything on it is no row, except in a table of one column, where it is an empty value.
bool is_blank(const CsvRow& row, std::size_t columns) {
  return columns != 1 && row.fields.size() == 1 && row.fields.front().empty();
}

bool needs_quotes(std::string_view field) {
  return field.find_first_of(",\"\r\n") != std::string_view::npos || field.starts_with(' ') || field.ends_with(' ');
}

std::string csv_field(const std::string& field) {
  return needs_quotes(field) ? fmt::format("\"{}\"", replace_all(field, "\"", "\"\"")) : field;
}

}  // namespace

Result<std::size_t> CsvTable::column(std::string_view name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) {
    return fail(ErrorCode::kUsage, "{}:1: no column \"{}\"; the columns are {}", file, name, join(columns, ", "));
  }
  if (std::count(columns.begin(), columns.end(), name) > 1) {
    return fail(ErrorCode::kUsage, "{}:1: there is more than one column \"{}\"", file, name);
  }
  return static_cast<std::size_t>(found - columns.begin());
}

std::string CsvTable::where(std::size_t row) const { return fmt::format("{}:{}", file, lines.at(row)); }

Result<CsvTable> read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  VALENCE_TRY(const auto text, read_file(path));
  return parse_csv(text, path.string(), options);
}

Result<CsvTable> parse_csv(std::string_view text, std::string_view name, const CsvOptions& options) {
  VALENCE_CHECK(require_utf8(text, name));
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (trim(text).empty()) return fail(ErrorCode::kUsage, "{}:1:1: the file is empty; expected a header line", name);
  CsvReader reader(text, name, options);
  CsvTable table;
  table.file = name;
  VALENCE_TRY(auto header, reader.row());
  table.columns = std::move(header.fields);
  while (!reader.at_end()) {
    const auto place = reader.place();
    VALENCE_TRY(auto row, reader.row());
    if (is_blank(row, table.columns.size())) continue;
    if (row.fields.size() != table.columns.size()) {
      return fail(ErrorCode::kUsage, "{}: the row has {} fields, the header has {}", place, row.fields.size(),
                  table.columns.size());
    }
    table.lines.push_back(row.line);
    table.rows.push_back(std::move(row.fields));
  }
  return table;
}

std::string csv_record(const std::vector<std::string>& fields) {
  if (fields.size() == 1 && fields.front().empty()) return "\"\"\n";  // else it would read as no row
  std::vector<std::string> written;
  std::transform(fields.begin(), fields.end(), std::back_inserter(written), csv_field);
  return join(written, ",") + "\n";
}

Result<double> parse_number(std::string_view text, std::string_view where) {
  const auto trimmed = trim(text);
  std::string_view digits = trimmed;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  double value = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = end == digits.data() + digits.size();
  if (error == std::errc() && whole && std::isfinite(value)) return value;
  return fail(ErrorCode::kUsage, "{}: expected a number, got \"{}\"", where, text);
}

}  // namespace valence
