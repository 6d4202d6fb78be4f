#include "part.h"

#include <fcntl.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "valence/base/files.h"
#include "valence/base/json.h"

namespace valence {

namespace fs = std::filesystem;

Part part_of(const fs::path& path) { return {path.string() + ".part", path.string() + ".part.json"}; }

std::uint64_t size_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

void discard(const Part& part) {
  std::error_code ignored;
  fs::remove(part.data, ignored);
  fs::remove(part.record, ignored);
}

PartRecord read_record(const Part& part) {
  const auto text = read_file(part.record);
  if (!text) return {};
  const auto json = parse_json(*text, part.record.string());
  if (!json || !json->is_object()) return {};
  PartRecord record;
  try {
    record = {json->at("url").get<std::string>(), json->at("version").get<std::string>(),
              json->at("total").get<std::uint64_t>()};
  } catch (const nlohmann::json::exception&) {
    return {};  // a damaged record only means that the download begins anew
  }
  return record;
}

Result<void> write_record(const Part& part, const PartRecord& record) {
  const Json json = {{"url", record.url}, {"version", record.version}, {"total", record.total}};
  return write_file(part.record, to_text(json) + "\n");
}

Result<void> put_in_place(const Part& part, const fs::path& path) {
  std::error_code error, ignored;
  fs::rename(part.data, path, error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", path.string(), error.message());
  fs::remove(part.record, ignored);
  return {};
}

PartFile::PartFile(const fs::path& path) : number_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)) {}

PartFile::~PartFile() {
  if (number_ >= 0) ::close(number_);
}

}  // namespace valence
