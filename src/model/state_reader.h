#pragma once

#include <string>
#include <vector>

#include "ggml-backend.h"
#include "llama_context.h"

namespace valence {

/// Copies the rows of one named tensor, one row per token, while a graph is computed, and has the rest of the graph left
/// out: nothing after that tensor is needed.
class StateReader {
 public:
  /// `tensor`: "l_out-N", what leaves block N (from 0), or "result_norm", the last states after the final norm.
  explicit StateReader(std::string tensor) : tensor_(std::move(tensor)) {}
  StateReader(const StateReader&) = delete;
  StateReader& operator=(const StateReader&) = delete;

  /// This object must outlive the context that is made with it.
  GraphObserver observer() { return {&StateReader::observe, this}; }

  void clear();
  /// Rows seen since `clear`, in token order, `width` floats each.
  const std::vector<float>& rows() const { return rows_; }
  std::size_t width() const { return width_; }

 private:
  static bool observe(ggml_tensor* tensor, bool ask, void* self);
  bool read(const ggml_tensor* tensor);

  std::string tensor_;
  std::vector<float> rows_;
  std::size_t width_ = 0;
};

}  // namespace valence
