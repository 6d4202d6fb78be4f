#include "wording.h"

#include <fmt/format.h>

#include <cmath>

#include "valence/base/text.h"

namespace valence::report {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Bytes of the first `count` code points.
std::size_t bytes_of(std::string_view text, std::size_t count) {
  std::size_t byte = 0;
  for (std::size_t seen = 0; byte < text.size(); ++byte) {
    if (!continues(text[byte]) && seen++ == count) break;
  }
  return byte;
}

}  // namespace

std::string figure_with_unit(const Estimate& estimate, std::string_view unit) {
  const bool degrees = unit == "degrees";
  auto text = significant(estimate.value) + (degrees ? "°" : "");
  if (estimate.has_interval()) text += " " + interval_text(estimate);
  return degrees || unit.empty() ? text : fmt::format("{} {}", text, unit);
}

std::string interval_cell(const Estimate& estimate) {
  return estimate.has_interval() ? interval_text(estimate) : "–";
}

std::string interval_cell(const ProfileEntry& entry) {
  const auto interval = interval_cell(entry.estimate);
  return entry.systematic > 0.0 ? fmt::format("{} ± {}", interval, significant(entry.systematic)) : interval;
}

std::string p_text(double p) {
  if (!std::isfinite(p)) return "–";
  return p < 0.001 ? "< 0.001" : significant(p);
}

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", with_thousands(count), noun, count == 1 ? "" : "s");
}

std::string series_name(const ReportRun& run) {
  return run.profile.subject + (run.simulated ? " (simulated, truth known)" : "") + (failed_gate(run) ? ": not interpretable" : "");
}

bool failed_gate(const ReportRun& run) { return run.profile.validity.assessed && !run.profile.validity.interpretable(); }

std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines(1);
  for (const auto& whole : split(text, " ")) {
    std::string_view word = whole;
    const bool fits = code_points(lines.back()) + 1 + code_points(word) <= columns;
    if (!lines.back().empty() && !fits) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    for (; code_points(word) > columns; lines.emplace_back()) {
      const auto head = bytes_of(word, columns);
      lines.back() += word.substr(0, head);
      word.remove_prefix(head);
    }
    lines.back() += word;
  }
  return lines;
}

}  // namespace valence::report
