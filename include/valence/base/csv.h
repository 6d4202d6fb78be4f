#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"

namespace valence {

/// A rectangular text table with a header, read whole. RFC 4180 quoting; LF, CRLF or bare CR line ends; UTF-8 with or
/// without a byte order mark. Empty lines are skipped, except in a table of one column, where they are empty values.
struct CsvTable {
  std::string file;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<int> lines;  ///< line on which each row starts

  /// Index of a column, or kUsage naming the columns there are; also when two columns have that name.
  Result<std::size_t> column(std::string_view name) const;
  /// "file:line", for messages about row `row`.
  std::string where(std::size_t row) const;
};

struct CsvOptions {
  char separator = ',';
  bool quoting = true;  ///< false: tab-separated files whose quotes are text
};

/// Fails with kUsage, file, line and column on ragged rows, unclosed quotes, an empty file or invalid UTF-8.
Result<CsvTable> read_csv(const std::filesystem::path& path, const CsvOptions& options = {});
Result<CsvTable> parse_csv(std::string_view text, std::string_view name, const CsvOptions& options = {});

/// One CSV record with line end; fields are quoted where needed.
std::string csv_record(const std::vector<std::string>& fields);

/// A number in full, white space around it allowed: fails with kUsage, `where` and the text when anything but a finite
/// number stands there.
Result<double> parse_number(std::string_view text, std::string_view where);

}  // namespace valence
