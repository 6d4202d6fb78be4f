#include "valence/stats/position.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "valence/stats/distribution.h"

namespace valence::stats {
namespace {

constexpr double kTie = 1e-9;

/// The option of greatest probability, unless another comes as near as rounding.
std::optional<std::size_t> preferred(std::span<const double> probability) {
  const auto top = std::max_element(probability.begin(), probability.end());
  const auto near = std::count_if(probability.begin(), probability.end(), [&](double p) { return p >= *top - kTie; });
  if (near != 1) return std::nullopt;
  return static_cast<std::size_t>(top - probability.begin());
}

Result<void> check_placed(const PlacedAnswer& answer, std::size_t index, std::size_t places) {
  if (places == 0) return fail(ErrorCode::kWrongCount, "answer {} has no options", index);
  if (answer.probability.size() != places || answer.place.size() != places) {
    return fail(ErrorCode::kWrongCount,
                "answer {} has {} probabilities and {} places where the first has {}; answers with different numbers "
                "of options have no places in common, ask for each number apart",
                index, answer.probability.size(), answer.place.size(), places);
  }
  std::vector<bool> taken(places, false);
  for (const std::size_t place : answer.place) {
    if (place >= places || taken[place]) {
      return fail(ErrorCode::kInvalid, "answer {}: its places are no arrangement of 0 to {}", index, places - 1);
    }
    taken[place] = true;
  }
  return {};
}

/// Weighted probabilities by place of one item's layouts.
struct ItemPlaces {
  std::vector<double> sum;
  double weight = 0.0;
  double answers = 0.0;
};

std::map<std::size_t, ItemPlaces> places_by_item(std::span<const PlacedAnswer> answers, std::size_t places) {
  std::map<std::size_t, ItemPlaces> items;
  for (const auto& answer : answers) {
    auto& item = items[answer.item];
    item.sum.resize(places, 0.0);
    item.weight += answer.weight;
    item.answers += 1.0;
    for (std::size_t i = 0; i < places; ++i) item.sum[answer.place[i]] += answer.weight * answer.probability[i];
  }
  return items;
}

/// What the layouts of one item prefer, so far.
struct ItemPreference {
  double weight = 0.0;
  std::size_t layouts = 0;
  bool tied = false;
  bool same = true;
  std::size_t option = 0;

  void add(const PlacedAnswer& answer) {
    const auto option_now = preferred(answer.probability);
    if (!option_now) tied = true;
    if (layouts == 0 && option_now) option = *option_now;
    if (option_now != option) same = false;
    weight += answer.weight;
    ++layouts;
  }
};

}  // namespace

Result<PositionBias> position_bias(std::span<const PlacedAnswer> answers) {
  if (answers.empty()) return fail(ErrorCode::kWrongCount, "position bias needs at least one answer, got none");
  const std::size_t places = answers.front().place.size();
  for (std::size_t a = 0; a < answers.size(); ++a) VALENCE_CHECK(check_placed(answers[a], a, places));

  PositionBias result;
  result.answers = answers.size();
  result.share.assign(places, 0.0);
  double total = 0.0;
  for (const auto& [id, item] : places_by_item(answers, places)) {
    ++result.items;
    if (item.weight == 0.0) continue;
    const double item_weight = item.weight / item.answers;
    total += item_weight;
    for (std::size_t p = 0; p < places; ++p) result.share[p] += item_weight * item.sum[p] / item.weight;
  }
  if (total == 0.0) return fail(ErrorCode::kInvalid, "the weights of all {} answers are zero", answers.size());
  for (double& share : result.share) share /= total;
  result.bias = total_variation(result.share, uniform_distribution(places));
  return result;
}

Result<OrderConsistency> order_consistency(std::span<const PlacedAnswer> answers) {
  std::map<std::size_t, ItemPreference> items;
  for (std::size_t a = 0; a < answers.size(); ++a) {
    VALENCE_CHECK(check_placed(answers[a], a, answers[a].place.size()));
    if (answers[a].weight > 0.0) items[answers[a].item].add(answers[a]);
  }
  OrderConsistency result;
  double consistent = 0.0, total = 0.0;
  for (const auto& [id, item] : items) {
    if (item.layouts < 2) continue;
    const double weight = item.weight / static_cast<double>(item.layouts);
    ++result.items;
    total += weight;
    if (item.tied) ++result.tied;
    if (item.tied || !item.same) continue;
    ++result.consistent;
    consistent += weight;
  }
  result.share = total > 0.0 ? consistent / total : std::numeric_limits<double>::quiet_NaN();
  return result;
}

}  // namespace valence::stats
