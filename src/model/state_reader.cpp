#include "state_reader.h"

#include <span>

#include "ggml.h"

namespace valence {

void StateReader::clear() { rows_.clear(); }

bool StateReader::observe(ggml_tensor* tensor, bool ask, void* self) {
  auto& reader = *static_cast<StateReader*>(self);
  if (ask) return reader.tensor_ == ggml_get_name(tensor);
  return reader.read(tensor);
}

/// False: the engine leaves out the rest of the graph. Rows of another format are not counted, so that they are missed.
bool StateReader::read(const ggml_tensor* tensor) {
  if (tensor->type != GGML_TYPE_F32) return false;
  width_ = static_cast<std::size_t>(tensor->ne[0]);
  const auto before = rows_.size();
  rows_.resize(before + static_cast<std::size_t>(ggml_nelements(tensor)));
  ggml_backend_tensor_get(tensor, rows_.data() + before, 0, ggml_nbytes(tensor));
  return false;
}

}  // namespace valence
