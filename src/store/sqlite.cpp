#include "sqlite.h"

#include <sqlite3.h>

#include <utility>

namespace valence {
namespace {

int flags_of(Database::Mode mode) {
  if (mode == Database::Mode::kReadWrite) return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX;
  return SQLITE_OPEN_READONLY | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_URI;
}

/// A file: address whose special characters are escaped.
std::string address_of(const std::filesystem::path& path) {
  std::string address = "file:";
  for (const char c : path.string()) {
    if (c == '%' || c == '?' || c == '#') {
      address += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      address += c;
    }
  }
  return address + "?immutable=1";
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
void Statement::Finalize::operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }

Result<Database> Database::open(const std::filesystem::path& path, Mode mode, std::chrono::milliseconds busy_timeout) {
  const auto name = mode == Mode::kImmutable ? address_of(path) : path.string();
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags_of(mode), nullptr);
  Database database(handle, path);
  if (code != SQLITE_OK) return tl::unexpected(database.error(code));
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout.count()));
  return database;
}

Error Database::error(int code) const {
  const auto file = path_.string();
  // The memory that WAL mode shares is a file too: no room for it is a full disk.
  switch (code == SQLITE_IOERR_SHMSIZE ? SQLITE_FULL : code & 0xFF) {
    case SQLITE_FULL:
      return {ErrorCode::kDiskFull, fmt::format("store {}: no space left on device. Free some space and run the same command again", file)};
    case SQLITE_CORRUPT:
      return {ErrorCode::kCorrupt,
              fmt::format("store {}: the database is damaged ({}). Restore a copy, or name another file with --store",
                          file, sqlite3_errmsg(handle_.get()))};
    case SQLITE_NOTADB:
      return {ErrorCode::kCorrupt, fmt::format("store {}: not a Valence store. Name another file with --store", file)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kIo,
              fmt::format("store {}: another process is writing to it. Wait for it to finish and run the same command "
                          "again, or name another file with --store",
                          file)};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {ErrorCode::kIo, fmt::format("store {}: the file or its folder is read-only. Allow writing, or name "
                                          "another file with --store",
                                          file)};
    case SQLITE_CANTOPEN:
      return {ErrorCode::kIo, fmt::format("store {}: cannot be opened. Check that the folder exists and can be written, "
                                          "or name another file with --store",
                                          file)};
    default: return {ErrorCode::kIo, fmt::format("store {}: {}", file, sqlite3_errmsg(handle_.get()))};
  }
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(error(code));
  return Statement(*this, handle);
}

Result<void> Database::run(std::string_view sql) const {
  const int code = sqlite3_exec(handle_.get(), std::string(sql).c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return tl::unexpected(error(code));
  return {};
}

Result<std::int64_t> Database::number(std::string_view sql) const {
  VALENCE_TRY(auto statement, prepare(sql));
  VALENCE_TRY(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
std::int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }
bool Database::read_only() const { return sqlite3_db_readonly(handle_.get(), "main") == 1; }

// A binding can fail only for want of memory or by a wrong place, both of which step() reports or tests find.
Statement& Statement::bind(std::int64_t number) {
  sqlite3_bind_int64(handle_.get(), next_++, number);
  return *this;
}

Statement& Statement::bind(double number) {
  sqlite3_bind_double(handle_.get(), next_++, number);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  sqlite3_bind_text64(handle_.get(), next_++, text.empty() ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_bytes(std::string_view bytes) {
  sqlite3_bind_blob64(handle_.get(), next_++, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::bind_optional(std::optional<double> number) {
  if (number) return bind(*number);
  sqlite3_bind_null(handle_.get(), next_++);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return tl::unexpected(database_->error(code));
}

Result<void> Statement::execute() {
  const auto done = step();
  sqlite3_reset(handle_.get());
  next_ = 1;
  if (!done) return tl::unexpected(done.error());
  return {};
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(handle_.get(), column); }

std::optional<double> Statement::optional_real(int column) const {
  if (sqlite3_column_type(handle_.get(), column) == SQLITE_NULL) return std::nullopt;
  return real(column);
}

std::string Statement::text(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return data ? std::string(data, size) : std::string();
}

Result<Transaction> Transaction::begin(const Database& database) {
  VALENCE_CHECK(database.run("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  if (database_) static_cast<void>(database_->run("ROLLBACK"));  // SQLite has rolled back by itself on some errors
}

Result<void> Transaction::commit() {
  VALENCE_CHECK(database_->run("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace valence
