#include "valence/evaluate/vector_store.h"

#include <filesystem>

#include "valence/base/files.h"

namespace valence {
namespace {

constexpr std::string_view kKey = "vectors of training texts";

/// All vectors belong to one run, which never ends.
Result<RunId> run_of(Store& store) {
  VALENCE_TRY(const auto begun, store.unfinished(kKey));
  if (begun) return begun->id;
  RunRecord run;
  run.key = kKey;
  run.instrument = "evaluator";
  run.settings = "{}";
  run.provenance = "{}";
  return store.create_run(run);
}

Result<bool> any_vectors(std::span<const std::string> families) {
  for (const auto& family : families) {
    VALENCE_TRY(const auto source, parse_vector_source(family));
    if (source) return true;
  }
  return false;
}

}  // namespace

Result<VectorStore> VectorStore::open_for(std::span<const std::string> families, std::stop_token stop,
                                          Progress* progress) {
  VALENCE_TRY(const auto needed, any_vectors(families));
  if (!needed) return VectorStore(nullptr, 0, std::move(stop), progress);
  const auto folder = cache_folder() / "evaluators";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", folder.string(), error.message());
  VALENCE_TRY(auto store, Store::open(folder / "vectors.db"));
  VALENCE_TRY(const auto run, run_of(*store));
  return VectorStore(std::move(store), run, std::move(stop), progress);
}

VectorOptions VectorStore::options() const {
  VectorOptions options;
  options.keeping = {store_.get(), run_, true};
  options.stop = stop_;
  options.progress = progress_;
  return options;
}

}  // namespace valence
