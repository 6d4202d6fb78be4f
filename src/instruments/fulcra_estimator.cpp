#include "fulcra_estimator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "valence/base/text.h"
#include "valence/stats/distribution.h"
#include "valence/stats/intervals.h"
#include "valence/values/fulcra_gap.h"

namespace valence {
namespace {

/// p(upheld) − p(opposed).
double soft(const std::vector<double>& probability) { return probability[2] - probability[0]; }

bool touches(double e) { return std::abs(e) > kFulcraMask; }

/// Numbers of every prompt, means over its responses: a column each.
class Columns {
 public:
  explicit Columns(const std::vector<ReadResponse>& responses) {
    for (const auto& response : responses) {
      const auto [place, added] = unit_of_.try_emplace(response.unit, units_.size());
      if (added) units_.push_back(response.unit);
      units_of_responses_.push_back(place->second);
    }
  }

  const std::vector<std::string>& units() const { return units_; }

  /// The mean of `of` over each prompt's responses; NaN where it is undefined for all of them.
  template <class Of>
  std::size_t add(const std::vector<ReadResponse>& responses, Of of) {
    std::vector<double> sums(units_.size(), 0.0), counts(units_.size(), 0.0);
    for (std::size_t i = 0; i < responses.size(); ++i) {
      const double value = of(responses[i]);
      if (std::isnan(value)) continue;
      sums[units_of_responses_[i]] += value;
      counts[units_of_responses_[i]] += 1.0;
    }
    for (std::size_t unit = 0; unit < sums.size(); ++unit) sums[unit] = counts[unit] > 0.0 ? sums[unit] / counts[unit] : kUndefined;
    columns_.push_back(std::move(sums));
    return columns_.size() - 1;
  }

  const std::vector<double>& at(std::size_t column) const { return columns_[column]; }

 private:
  std::map<std::string, std::size_t> unit_of_;
  std::vector<std::string> units_;
  std::vector<std::size_t> units_of_responses_;
  std::vector<std::vector<double>> columns_;
};

double weighted_mean(const std::vector<double>& values, std::span<const double> weights) {
  double sum = 0.0, weight = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    sum += weights[i] * values[i];
    weight += weights[i];
  }
  return weight > 0.0 ? sum / weight : kUndefined;
}

/// Pearson's correlation under weights, over the prompts that have both.
double weighted_correlation(const std::vector<double>& x, const std::vector<double>& y, std::span<const double> weights) {
  double w = 0.0, sx = 0.0, sy = 0.0, sxx = 0.0, syy = 0.0, sxy = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    const double k = weights[i];
    w += k;
    sx += k * x[i];
    sy += k * y[i];
    sxx += k * x[i] * x[i];
    syy += k * y[i] * y[i];
    sxy += k * x[i] * y[i];
  }
  if (w <= 0.0) return kUndefined;
  const double vx = sxx - sx * sx / w, vy = syy - sy * sy / w;
  constexpr double kConstant = 1e-12;
  return vx > kConstant && vy > kConstant ? (sxy - sx * sy / w) / std::sqrt(vx * vy) : kUndefined;
}

/// A figure: the mean of a column, or the correlation of two.
struct Figure {
  Estimand estimand;
  std::size_t column;
  std::optional<std::size_t> with;
  double systematic = 0.0;
};

class FulcraEstimator final : public Estimator {
 public:
  FulcraEstimator(Columns columns, std::vector<Figure> figures) : columns_(std::move(columns)), figures_(std::move(figures)) {
    for (const auto& figure : figures_) {
      estimands_.push_back(figure.estimand);
      systematic_.push_back(figure.systematic);
    }
  }

  const std::vector<Estimand>& estimands() const override { return estimands_; }
  const std::vector<std::string>& units() const override { return columns_.units(); }
  const std::vector<std::string>& clusters() const override { return clusters_; }
  std::vector<double> systematic() const override { return systematic_; }

  std::vector<double> estimate(std::span<const double> weights) const override {
    std::vector<double> values;
    values.reserve(figures_.size());
    for (const auto& figure : figures_) {
      const auto& column = columns_.at(figure.column);
      values.push_back(figure.with ? weighted_correlation(column, columns_.at(*figure.with), weights) : weighted_mean(column, weights));
    }
    return values;
  }

  std::vector<std::size_t> unit_counts() const override {
    std::vector<std::size_t> counts;
    for (const auto& figure : figures_) {
      const auto& column = columns_.at(figure.column);
      counts.push_back(static_cast<std::size_t>(std::count_if(column.begin(), column.end(), [](double x) { return !std::isnan(x); })));
    }
    return counts;
  }

 private:
  Columns columns_;
  std::vector<Figure> figures_;
  std::vector<Estimand> estimands_;
  std::vector<std::string> clusters_;
  std::vector<double> systematic_;
};

bool has_tag(const ReadResponse& response, const std::string& tag) {
  return std::find(response.tags.begin(), response.tags.end(), tag) != response.tags.end();
}

std::size_t touching(const std::vector<ReadResponse>& responses, std::size_t dim) {
  return static_cast<std::size_t>(std::count_if(responses.begin(), responses.end(), [&](const auto& r) { return touches(r.e[dim]); }));
}

/// Tags with at least `fewest` prompts, and as many without them: fewer correlate with nothing.
std::vector<std::string> frequent_tags(const std::vector<ReadResponse>& responses, std::size_t fewest) {
  std::map<std::string, std::set<std::string>> prompts;
  std::set<std::string> all;
  for (const auto& response : responses) {
    all.insert(response.unit);
    for (const auto& tag : response.tags) prompts[tag].insert(response.unit);
  }
  std::vector<std::string> tags;
  for (const auto& [tag, units] : prompts) {
    if (units.size() >= fewest && all.size() - units.size() >= fewest) tags.push_back(tag);
  }
  return tags;
}

/// Declares the figures one by one.
class FigurePlan {
 public:
  FigurePlan(const std::vector<ReadResponse>& responses, const Space& space, std::size_t fewest, std::vector<double> transport)
      : responses_(responses), space_(space), fewest_(fewest), transport_(std::move(transport)), columns_(responses) {}

  std::unique_ptr<Estimator> make() {
    for (const auto& dimension : space_.dimensions) add_dimension(dimension);
    for (const auto& dimension : space_.dimensions) add_stake(dimension);
    for (const auto& dimension : space_.dimensions) add_masked(dimension);
    add_manner();
    for (const auto& tag : frequent_tags(responses_, fewest_)) add_tag(tag);
    return std::make_unique<FulcraEstimator>(std::move(columns_), std::move(figures_));
  }

 private:
  bool is_defined(const Dimension& dimension) const { return touching(responses_, dimension.index) >= fewest_; }

  template <class Of>
  void add(Estimand estimand, Of of, double systematic = 0.0) {
    figures_.push_back({std::move(estimand), columns_.add(responses_, of), {}, systematic});
  }

  void add_dimension(const Dimension& dimension) {
    const bool defined = is_defined(dimension);
    const double systematic = transport_.empty() ? 0.0 : transport_[dimension.index];
    add({.id = dimension.id + ".unit", .dimension = dimension.id, .condition = "unit", .label = dimension.label + " (unit)", .unit = "",
         .low = -1.0, .high = 1.0, .headline = true},
        [&, defined](const ReadResponse& r) { return defined ? r.e[dimension.index] : kUndefined; }, defined ? systematic : 0.0);
    e_column_.push_back(figures_.back().column);
  }

  void add_stake(const Dimension& dimension) {
    const bool asked = std::any_of(responses_.begin(), responses_.end(), [&](const auto& r) { return has_tag(r, dimension.id); });
    if (!asked) return;
    add({.id = dimension.id + ".at_stake", .dimension = dimension.id, .condition = "", .label = dimension.label + ", where it is at stake",
         .unit = "", .low = -1.0, .high = 1.0, .headline = false},
        [&](const ReadResponse& r) { return has_tag(r, dimension.id) ? r.e[dimension.index] : kUndefined; });
  }

  void add_masked(const Dimension& dimension) {
    add({.id = dimension.id + ".masked", .dimension = dimension.id, .condition = "", .label = "responses that do not touch " + dimension.label,
         .unit = "share", .low = 0.0, .high = 1.0, .headline = false},
        [&](const ReadResponse& r) { return std::isnan(r.e[dimension.index]) ? kUndefined : touches(r.e[dimension.index]) ? 0.0 : 1.0; });
  }

  void add_manner() {
    add({.id = "stance", .dimension = "", .condition = "", .label = "responses that touch any value", .unit = "share", .low = 0.0,
         .high = 1.0, .headline = false},
        [](const ReadResponse& r) { return std::any_of(r.e.begin(), r.e.end(), touches) ? 1.0 : 0.0; });
    add({.id = "refused", .dimension = "", .condition = "", .label = "responses that read as a refusal", .unit = "share", .low = 0.0,
         .high = 1.0, .headline = false},
        [](const ReadResponse& r) { return r.refused ? 1.0 : 0.0; });
    Estimand words{.id = "words", .dimension = "", .condition = "", .label = "length of a response", .unit = "words"};
    words.low = 0.0;
    add(words, [](const ReadResponse& r) { return r.words; });
  }

  void add_tag(const std::string& tag) {
    const auto column = columns_.add(responses_, [&](const ReadResponse& r) { return has_tag(r, tag) ? 1.0 : 0.0; });
    for (const auto& dimension : space_.dimensions) {
      figures_.push_back({{.id = fmt::format("correlation.{}.{}", tag, dimension.id), .dimension = "", .condition = tag,
                           .label = fmt::format("correlation of {} with {}", dimension.label, tag), .unit = "", .low = -1.0, .high = 1.0,
                           .headline = false},
                          e_column_[dimension.index], column, 0.0});
    }
  }

  const std::vector<ReadResponse>& responses_;
  const Space& space_;
  std::size_t fewest_;
  std::vector<double> transport_;
  Columns columns_;
  std::vector<Figure> figures_;
  std::vector<std::size_t> e_column_;  // by dimension
};

Result<void> put_reading(ReadResponse& response, const AnswerRow& row, const Space& space) {
  const auto* dimension = space.find(row.item);
  if (dimension == nullptr || row.probability.size() != 3) {
    return fail(ErrorCode::kInvalid, "answer of {}: \"{}\" is no reading of a dimension of {}", row.unit, printable(row.item), space.id);
  }
  response.e[dimension->index] = soft(row.probability);
  return {};
}

double word_count(std::string_view text) {
  double count = 0.0;
  bool inside = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space && !inside) count += 1.0;
    inside = !space;
  }
  return count;
}

/// [responder]: readings and labels per dimension, soft.
struct Transported {
  std::vector<double> read, labelled;
};

std::vector<Transported> transported(const AnswerTable& table, const Space& space) {
  std::map<std::string, Transported> by_responder;
  for (const auto& row : table.probes) {
    const auto* dimension = space.find(row.item);
    if (row.condition != kTransportCondition || dimension == nullptr || row.probability.size() != 3) continue;
    auto& responder = by_responder.try_emplace(row.unit, Transported{std::vector<double>(space.dimensions.size(), kUndefined),
                                                                     std::vector<double>(space.dimensions.size(), kUndefined)})
                          .first->second;
    (row.variant == "read" ? responder.read : responder.labelled)[dimension->index] = soft(row.probability);
  }
  std::vector<Transported> all;
  for (auto& [responder, figures] : by_responder) all.push_back(std::move(figures));
  return all;
}

}  // namespace

std::string joined_tags(const std::vector<std::string>& tags) { return join(tags, "|"); }

std::vector<std::string> parted_tags(std::string_view text) {
  return text.empty() ? std::vector<std::string>() : split(text, "|");
}

Result<std::vector<ReadResponse>> read_responses(const AnswerTable& table, const Space& space) {
  std::vector<ReadResponse> responses;
  std::map<std::pair<std::string, std::string>, std::size_t> place;
  for (const auto& row : table.rows) {
    if (row.route == Route::kRead) continue;
    place.emplace(std::pair(row.unit, row.variant), responses.size());
    responses.push_back({row.unit, parted_tags(row.condition), std::vector<double>(space.dimensions.size(), kUndefined), word_count(row.text),
                         row.status == Status::kRefused, {row.item, row.text}});
  }
  std::vector<bool> was_read(responses.size(), false);
  for (const auto& row : table.rows) {
    if (row.route != Route::kRead) continue;
    const auto found = place.find({row.unit, row.variant});
    if (found == place.end()) return fail(ErrorCode::kInvalid, "{} of {} was read, but the response is not there", row.variant, row.unit);
    VALENCE_CHECK(put_reading(responses[found->second], row, space));
    was_read[found->second] = true;
  }
  std::vector<ReadResponse> read;
  for (std::size_t i = 0; i < responses.size(); ++i) {
    if (was_read[i]) read.push_back(std::move(responses[i]));
  }
  return read;
}

std::vector<double> transport_errors(const AnswerTable& table, const Space& space) {
  const auto responders = transported(table, space);
  if (responders.size() < 2) return {};
  const auto k = static_cast<double>(responders.size());
  std::vector<double> errors;
  for (std::size_t d = 0; d < space.dimensions.size(); ++d) {
    std::vector<double> misses;
    for (const auto& responder : responders) misses.push_back(responder.read[d] - responder.labelled[d]);
    const double spread = std::sqrt(stats::variance(misses) * (1.0 + 1.0 / k));
    errors.push_back(std::abs(stats::mean(misses)) + stats::student_quantile(0.975, k - 1.0) * spread);
  }
  return errors;
}

std::vector<double> transport_misses(const AnswerTable& table, const Space& space) {
  std::vector<double> misses;
  for (const auto& responder : transported(table, space)) {
    std::vector<double> each;
    for (std::size_t d = 0; d < space.dimensions.size(); ++d) each.push_back(std::abs(responder.read[d] - responder.labelled[d]));
    misses.push_back(*std::max_element(each.begin(), each.end()));
  }
  return misses;
}

std::unique_ptr<Estimator> make_response_distances(const std::vector<ReadResponse>& responses, std::span<const double> target) {
  struct Distance {
    std::string_view id;
    double (*of)(std::span<const double> e, std::span<const double> target);
  };
  constexpr std::array kDistances = {Distance{"fulcra_l1", fulcra_l1}, Distance{"fulcra_reward", fulcra_reward},
                                     Distance{"fulcra_coverage", fulcra_coverage}};
  Columns columns(responses);
  std::vector<Figure> figures;
  for (const auto& distance : kDistances) {
    const auto column = columns.add(responses, [&](const ReadResponse& r) { return distance.of(r.e, target); });
    Estimand estimand;
    estimand.id = distance.id;
    figures.push_back({std::move(estimand), column, {}, 0.0});
  }
  return std::make_unique<FulcraEstimator>(std::move(columns), std::move(figures));
}

std::unique_ptr<Estimator> make_fulcra_estimator(const std::vector<ReadResponse>& responses, const Space& space,
                                                 std::size_t fewest, std::vector<double> transport) {
  return FigurePlan(responses, space, fewest, std::move(transport)).make();
}

}  // namespace valence
