#pragma once

#include <string>
#include <vector>

#include "ggml-backend.h"
#include "valence/model/llama.h"

namespace valence {

/// The last errors that the engine logged, joined by "; ", and forgotten. Nothing of its log is ever printed.
std::string take_engine_errors();

/// The message of a failed engine call: what we tried, and what the engine said about it.
std::string engine_failure(std::string_view what);

/// Takes what the process writes to standard error while it lives: parts of the engine print there instead of logging.
class CapturedStderr {
 public:
  CapturedStderr();
  ~CapturedStderr();
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;
  std::string text() const;

 private:
  int kept_ = -1, file_ = -1;
};

/// Devices for llama_model_params::devices, null-terminated: empty for the CPU.
std::vector<ggml_backend_dev_t> engine_devices();

}  // namespace valence
