#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "valence/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace valence {

class Statement;

/// A connection to one SQLite file. Every error names the file and says what to do; SQLite's codes become ours:
/// FULL → kDiskFull, CORRUPT and NOTADB → kCorrupt, everything else → kIo.
class Database {
 public:
  enum class Mode { kReadWrite, kReadOnly, kImmutable };  ///< immutable: read only, on a medium that cannot be written

  static Result<Database> open(const std::filesystem::path& path, Mode mode, std::chrono::milliseconds busy_timeout);

  Result<Statement> prepare(std::string_view sql) const;
  Result<void> run(std::string_view sql) const;  ///< one or more statements without results
  Result<std::int64_t> number(std::string_view sql) const;  ///< the first column of the first row
  std::int64_t last_row() const;
  std::int64_t changes() const;
  bool read_only() const;
  const std::filesystem::path& path() const { return path_; }
  Error error(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  Database(sqlite3* handle, std::filesystem::path path) : handle_(handle), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> handle_;
  std::filesystem::path path_;
};

/// A prepared statement; parameters and columns count from 0. Texts may hold any bytes.
class Statement {
 public:
  Statement& bind(std::int64_t number);
  Statement& bind(double number);
  Statement& bind(std::string_view text);
  Statement& bind_bytes(std::string_view bytes);
  Statement& bind_optional(std::optional<double> number);  ///< NULL when unset

  Result<bool> step();  ///< true: a row is there
  Result<void> execute();  ///< to the end, then ready for the next binding

  std::int64_t integer(int column) const;
  double real(int column) const;
  std::optional<double> optional_real(int column) const;  ///< unset for NULL
  std::string text(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* handle) const;
  };
  Statement(const Database& database, sqlite3_stmt* handle) : database_(&database), handle_(handle) {}

  const Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
  int next_ = 1;  // place of the next binding
};

/// Rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(const Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<void> commit();

 private:
  explicit Transaction(const Database& database) : database_(&database) {}
  const Database* database_;
};

}  // namespace valence
