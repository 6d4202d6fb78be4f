#include "valence/values/distribution_gap.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "valence/stats/distribution.h"

namespace valence {
namespace {

struct QuestionGaps {
  std::vector<double> jensen_shannon, wasserstein;  // the second of ordered questions only
};

Result<DistributionPair> normalised(const DistributionPair& question, std::size_t place) {
  if (question.subject.size() != question.people.size()) {
    return fail(ErrorCode::kWrongCount, "question {}: the subject chose among {} options, the people among {}", place,
                question.subject.size(), question.people.size());
  }
  auto subject = stats::normalise(question.subject);
  auto people = stats::normalise(question.people);
  if (!subject) return tl::unexpected(with_context(std::move(subject).error(), fmt::format("question {}, subject", place)));
  if (!people) return tl::unexpected(with_context(std::move(people).error(), fmt::format("question {}, people", place)));
  return DistributionPair{*std::move(subject), *std::move(people), question.ordered};
}

Result<QuestionGaps> gaps_of(std::span<const DistributionPair> questions) {
  QuestionGaps gaps;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    VALENCE_TRY(const auto pair, normalised(questions[i], i + 1));
    gaps.jensen_shannon.push_back(stats::jensen_shannon_distance(pair.subject, pair.people));
    if (pair.ordered) gaps.wasserstein.push_back(wasserstein_distance(pair.subject, pair.people));
  }
  return gaps;
}

}  // namespace

double wasserstein_distance(std::span<const double> p, std::span<const double> q) {
  assert(p.size() == q.size());
  if (p.size() < 2) return 0.0;
  double ahead = 0.0, sum = 0.0;  // F_p − F_q up to here
  for (std::size_t i = 0; i + 1 < p.size(); ++i) {
    ahead += p[i] - q[i];
    sum += std::abs(ahead);
  }
  return sum / static_cast<double>(p.size() - 1);
}

Result<DistributionGap> distribution_gap(std::span<const DistributionPair> questions) {
  VALENCE_TRY(const auto gaps, gaps_of(questions));
  return DistributionGap{stats::mean(gaps.jensen_shannon), stats::mean(gaps.wasserstein), questions.size(),
                         gaps.wasserstein.size()};
}

Result<double> share_below(std::span<const DistributionPair> questions, double threshold) {
  VALENCE_TRY(const auto gaps, gaps_of(questions));
  std::vector<double> below;
  for (const double distance : gaps.wasserstein) below.push_back(distance < threshold ? 1.0 : 0.0);
  return stats::mean(below);
}

}  // namespace valence
