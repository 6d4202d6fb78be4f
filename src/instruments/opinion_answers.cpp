#include "opinion_answers.h"

namespace valence {
namespace {

/// Probabilities of one wording, summed over its layouts.
struct ProbabilitySum {
  std::vector<double> probability;
  double rows = 0.0;

  void add(const std::vector<double>& more) {
    probability.resize(more.size(), 0.0);
    for (std::size_t i = 0; i < more.size(); ++i) probability[i] += more[i];
    rows += 1.0;
  }
  std::vector<double> mean() const {
    auto means = probability;
    for (auto& value : means) value /= rows;
    return means;
  }
};

}  // namespace

std::map<std::string, OpinionAnswer> opinion_answers(const AnswerTable& table) {
  std::map<std::string, std::map<std::string, ProbabilitySum>> sums;
  for (const auto& row : table.rows) {
    if (row.status == Status::kScored && row.probability.size() >= 2) sums[row.item][row.variant].add(row.probability);
  }
  std::map<std::string, OpinionAnswer> answers;
  for (const auto& [question, wordings] : sums) {
    ProbabilitySum all;
    auto& answer = answers[question];
    for (const auto& [wording, sum] : wordings) {
      answer.by_wording.push_back(sum.mean());
      all.add(answer.by_wording.back());
    }
    answer.share = all.mean();
  }
  return answers;
}

}  // namespace valence
