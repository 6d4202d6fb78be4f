#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "valence/base/result.h"

namespace valence {

/// A partial file and the record beside it.
struct Part {
  std::filesystem::path data;
  std::filesystem::path record;
};

/// What is kept between calls about a partial file.
struct PartRecord {
  std::string url;
  std::string version;      ///< strong ETag or Last-Modified, for If-Range; empty = the server named none
  std::uint64_t total = 0;  ///< bytes of the whole; 0 = not known
};

Part part_of(const std::filesystem::path& path);
std::uint64_t size_of(const std::filesystem::path& path);  ///< 0 when there is no such file
void discard(const Part& part);

/// Empty when there is none or it is damaged: the download then begins anew.
PartRecord read_record(const Part& part);
Result<void> write_record(const Part& part, const PartRecord& record);

/// Gives the data its final name and drops the record.
Result<void> put_in_place(const Part& part, const std::filesystem::path& path);

/// The data, open for writing.
class PartFile {
 public:
  explicit PartFile(const std::filesystem::path& path);
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  ~PartFile();
  int number() const { return number_; }  ///< descriptor; negative when it could not be opened (errno says why)

 private:
  int number_;
};

}  // namespace valence
