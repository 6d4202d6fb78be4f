#include "evaluator_picture.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "valence/base/files.h"
#include "valence/report/reliability_picture.h"

namespace valence {

void CalibrationPicture::add_flag(CLI::App& command) {
  command.add_option("--picture", file_, "SVG file: promised probability against what happened, per class");
}

Result<void> CalibrationPicture::draw(const QualityReport& report) const {
  if (!wanted()) return {};
  std::vector<ReliabilityPanel> panels;
  for (const auto& entry : report.calibration) panels.push_back({entry.label_class, entry.curve, entry.error});
  VALENCE_TRY(const auto svg, reliability_picture(panels, "Calibration of " + report.evaluator));
  return write_file(file_, svg);
}

std::string CalibrationPicture::line() const { return wanted() ? fmt::format("  picture: {}\n", file_) : ""; }

}  // namespace valence
