#include "gap_opinions.h"

namespace valence {

Result<OpinionTarget> opinions_for(const ReportRun& run, const std::string& file, const std::string& map,
                                   const std::vector<std::string>& distances) {
  if (!map.empty() || !distances.empty()) {
    return fail(ErrorCode::kUsage,
                "{}: --map and --distance are for targets of scores, and this holds answer distributions", file);
  }
  if (!answers_opinions(*run.instrument)) {
    return fail(ErrorCode::kUsage,
                "{} holds answer distributions, and run {} is {}: measure opinions, with --questions and this file", file,
                run.record.id, run.record.instrument);
  }
  return read_opinion_target(file);
}

}  // namespace valence
