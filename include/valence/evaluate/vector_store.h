#pragma once

#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "valence/base/result.h"
#include "valence/evaluate/vector_features.h"
#include "valence/store/store.h"

namespace valence {

/// Vectors of training texts, kept in the cache folder so that no text is computed twice: `evaluators/vectors.db`.
/// Opened before feature families and kept as long as they are.
class VectorStore {
 public:
  /// Touches no file when none of the families is made of vectors.
  static Result<VectorStore> open_for(std::span<const std::string> families, std::stop_token stop, Progress* progress);

  VectorOptions options() const;

 private:
  VectorStore(std::unique_ptr<Store> store, RunId run, std::stop_token stop, Progress* progress)
      : store_(std::move(store)), run_(run), stop_(std::move(stop)), progress_(progress) {}

  std::unique_ptr<Store> store_;
  RunId run_;
  std::stop_token stop_;
  Progress* progress_;
};

}  // namespace valence
