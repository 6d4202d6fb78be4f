#pragma once

#include <string>

#include "valence/base/result.h"
#include "valence/evaluate/quality.h"

namespace CLI {
class App;
}

namespace valence {

/// `--picture FILE`: what an evaluator promised and what happened, as an SVG file.
class CalibrationPicture {
 public:
  void add_flag(CLI::App& command);
  bool wanted() const { return !file_.empty(); }
  /// Writes the file, if one is named.
  Result<void> draw(const QualityReport& report) const;
  /// Where it is, as a line for people; empty when none is named.
  std::string line() const;

 private:
  std::string file_;
};

}  // namespace valence
