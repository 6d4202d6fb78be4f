#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "valence/base/result.h"
#include "valence/exam/examiner.h"
#include "valence/exam/subject_file.h"
#include "valence/model/open.h"

namespace CLI {
class App;
}

namespace valence {

/// The flags that say who is examined: model, adapters, steering, engine.
struct SubjectOptions {
  ModelSpec model{.name = "smollm2", .adapters = {}, .engine = {}};
  std::vector<std::string> adapters;  ///< PATH or PATH:SCALE
  std::optional<std::string> persona;
  std::string system_file;
  std::string examples_file;
  std::string name;
  std::string file;  ///< subject file that the others are laid over
  RenderOptions render;

  void add_flags(CLI::App& command);
  /// Opens the model and puts the subject together. Errors name the flag or the file and line.
  Result<Subject> open() const;
  /// The same, not opened yet.
  Result<SubjectSpec> spec() const;
};

}  // namespace valence
