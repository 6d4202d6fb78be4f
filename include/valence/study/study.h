#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/node.h"
#include "valence/base/result.h"
#include "valence/study/step.h"

namespace valence {

/// Where the report of a study goes and what it is called.
struct StudyReportSettings {
  std::string out;    ///< HTML; beside it goes a .json of the same figures. Default out/<id>.html
  std::string title;  ///< empty: the study's
  std::string note;
};

/// A study: the unit of reproducibility. Steps stand after those that they need.
struct Study {
  std::filesystem::path file;
  std::string id, title, note;
  std::uint64_t seed = 0;
  bool reuse = false;  ///< take groups of other runs in the store
  StudyReportSettings report;
  std::vector<std::unique_ptr<Step>> steps;

  const Step* find(std::string_view name) const;  ///< by its full name: "measure.before"
};

/// Full names of the alignments that no [tax] of the study holds against what they began with, by themselves or as one
/// of several in a row; a reward model is no subject and costs none.
std::vector<std::string> alignments_without_tax(const Study& study);

/// Reads and checks a study file (docs/studies.md): every key, every name that a step refers to, every setting. Errors
/// are kUsage with file, line, column and the nearest name.
Result<Study> read_study(const std::filesystem::path& file);
Result<Study> parse_study(std::string_view toml, std::string_view name);

}  // namespace valence
