#include "valence/instruments/agreement.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "valence/stats/agreement.h"
#include "valence/stats/correlation.h"
#include "valence/values/profile.h"

namespace valence {
namespace {

using Key = std::tuple<std::string, std::string, std::string>;  // unit, condition, item
using Probabilities = std::map<Key, std::vector<double>>;       // summed over rows: only shares and order matter

Probabilities by_item(const AnswerTable& table) {
  Probabilities sums;
  std::map<Key, double> counts;
  for (const auto& row : table.rows) {
    if (row.status != Status::kScored) continue;
    const Key key{row.unit, row.condition, row.item};
    auto& sum = sums[key];
    sum.resize(std::max(sum.size(), row.probability.size()), 0.0);
    for (std::size_t i = 0; i < row.probability.size(); ++i) sum[i] += row.probability[i];
    counts[key] += 1.0;
  }
  for (auto& [key, sum] : sums) {
    for (auto& value : sum) value /= counts[key];
  }
  return sums;
}

std::size_t likeliest(const std::vector<double>& probability) {
  return static_cast<std::size_t>(std::max_element(probability.begin(), probability.end()) - probability.begin());
}

}  // namespace

AnswerAgreement answer_agreement(const AnswerTable& first, const AnswerTable& second) {
  const auto a = by_item(first), b = by_item(second);
  std::vector<std::size_t> choices_a, choices_b;
  std::vector<double> all_a, all_b;
  for (const auto& [key, probability] : a) {
    const auto found = b.find(key);
    if (found == b.end() || found->second.size() != probability.size()) continue;
    choices_a.push_back(likeliest(probability));
    choices_b.push_back(likeliest(found->second));
    all_a.insert(all_a.end(), probability.begin(), probability.end());
    all_b.insert(all_b.end(), found->second.begin(), found->second.end());
  }
  AnswerAgreement agreement{choices_a.size(), kUndefined, kUndefined, kUndefined};
  if (choices_a.empty()) return agreement;
  double same = 0.0;
  for (std::size_t i = 0; i < choices_a.size(); ++i) same += choices_a[i] == choices_b[i] ? 1.0 : 0.0;
  agreement.same_choice = same / static_cast<double>(choices_a.size());
  agreement.kappa = stats::cohen_kappa(choices_a, choices_b).value_or(kUndefined);
  agreement.correlation = stats::pearson(all_a, all_b);
  return agreement;
}

}  // namespace valence
