#include <cmath>
#include <set>

#include "fit.h"
#include "valence/base/random.h"

namespace valence {
namespace {

using FloatMatrix = MatrixOf<float>;
using FloatRow = Eigen::Matrix<float, 1, Eigen::Dynamic>;

/// Weights and biases of both layers; also their gradients and Adam's moments.
struct Parameters {
  FloatMatrix first, second;
  FloatRow first_bias, second_bias;

  void each(const auto& visit) {
    visit(first);
    visit(second);
    visit(first_bias);
    visit(second_bias);
  }
};

Parameters zeros_like(const Parameters& shape) {
  Parameters zeros = shape;
  zeros.each([](auto& block) { block.setZero(); });
  return zeros;
}

FloatMatrix normal_matrix(Eigen::Index rows, Eigen::Index columns, double deviation, RandomStream stream) {
  FloatMatrix matrix(rows, columns);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = static_cast<float>(deviation * stream.normal());
  return matrix;
}

/// He et al. (2015): variance 2/inputs, where inputs are those that are not zero. The outputs begin at the classes'
/// shares.
Parameters initial(const FitData& data, Eigen::Index hidden, const RandomStream& stream) {
  const double per_row = static_cast<double>(data.features.value.size()) / static_cast<double>(data.features.rows);
  const auto columns = static_cast<Eigen::Index>(data.features.columns);
  Parameters start;
  start.first = normal_matrix(columns, hidden, std::sqrt(2.0 / std::max(per_row, 1.0)), stream.substream("first"));
  start.first_bias = FloatRow::Zero(hidden);
  start.second = normal_matrix(hidden, data.dims() * kLogits, std::sqrt(1.0 / static_cast<double>(hidden)),
                               stream.substream("second"));
  start.second_bias = FloatRow(data.dims() * kLogits);
  for (Eigen::Index d = 0; d < data.dims(); ++d) {
    const auto shares = smoothed_shares(data, d);
    start.second_bias(d * kLogits) = static_cast<float>(std::log(shares[0] / shares[1]));
    start.second_bias(d * kLogits + 1) = static_cast<float>(std::log(shares[2] / shares[1]));
  }
  return start;
}

/// Logits to probability − truth; gives Σ −log P over rows and dimensions.
double output_residuals(FloatMatrix& logits, const Eigen::ArrayXXi& classes) {
  double loss = 0.0;
  for (Eigen::Index row = 0; row < logits.rows(); ++row) {
    for (Eigen::Index d = 0; d < classes.cols(); ++d) {
      float& a = logits(row, d * kLogits);
      float& b = logits(row, d * kLogits + 1);
      const float top = std::max({a, b, 0.0F});
      const float ea = std::exp(a - top), eb = std::exp(b - top), sum = ea + eb + std::exp(-top);
      const int truth = classes(row, d);
      loss += static_cast<double>(top + std::log(sum) - (truth == 0 ? a : truth == 2 ? b : 0.0F));
      a = ea / sum - (truth == 0 ? 1.0F : 0.0F);
      b = eb / sum - (truth == 2 ? 1.0F : 0.0F);
    }
  }
  return loss;
}

FloatMatrix hidden_units(const Parameters& at, const DesignMatrix<float>& design) {
  FloatMatrix hidden = design.times(at.first);
  hidden.rowwise() += at.first_bias;
  return hidden.cwiseMax(0.0F);
}

FloatMatrix logits_of(const Parameters& at, const FloatMatrix& hidden) {
  FloatMatrix logits = hidden * at.second;
  logits.rowwise() += at.second_bias;
  return logits;
}

/// Hidden units left out with probability `dropout`, the others enlarged to keep the mean (Srivastava et al. 2014).
FloatMatrix dropout_mask(Eigen::Index rows, Eigen::Index columns, double dropout, RandomStream& stream) {
  FloatMatrix mask(rows, columns);
  const auto kept = static_cast<float>(1.0 / (1.0 - dropout));
  for (Eigen::Index i = 0; i < mask.size(); ++i) mask.data()[i] = stream.uniform() < dropout ? 0.0F : kept;
  return mask;
}

/// Adam (Kingma and Ba 2015, alg. 1) with the penalty's gradient included.
class Adam {
 public:
  Adam(const Parameters& shape, double rate) : mean_(zeros_like(shape)), square_(zeros_like(shape)), rate_(rate) {}

  void step(Parameters& at, const Parameters& gradient) {
    ++steps_;
    const double scale = rate_ * std::sqrt(1.0 - std::pow(kSquareDecay, steps_)) / (1.0 - std::pow(kMeanDecay, steps_));
    update(at.first, gradient.first, mean_.first, square_.first, scale);
    update(at.second, gradient.second, mean_.second, square_.second, scale);
    update(at.first_bias, gradient.first_bias, mean_.first_bias, square_.first_bias, scale);
    update(at.second_bias, gradient.second_bias, mean_.second_bias, square_.second_bias, scale);
  }

 private:
  static constexpr double kMeanDecay = 0.9, kSquareDecay = 0.999;

  template <class Block>
  static void update(Block& at, const Block& gradient, Block& mean, Block& square, double scale) {
    const auto keep = static_cast<float>(kMeanDecay), keep_square = static_cast<float>(kSquareDecay);
    mean = keep * mean + (1.0F - keep) * gradient;
    square.array() = keep_square * square.array() + (1.0F - keep_square) * gradient.array().square();
    at.array() -= static_cast<float>(scale) * mean.array() / (square.array().sqrt() + 1e-8F);
  }

  Parameters mean_, square_;
  double rate_;
  int steps_ = 0;
};

/// Rows to learn from and rows to stop by; a prompt's rows are on one side.
struct InnerSplit {
  std::vector<Eigen::Index> learn, stop;
};

InnerSplit inner_split(const FitData& data, double share, RandomStream stream) {
  const std::set<std::size_t> distinct(data.prompts.begin(), data.prompts.end());
  const std::vector<std::size_t> prompts(distinct.begin(), distinct.end());
  const auto wanted = static_cast<std::size_t>(std::lround(share * static_cast<double>(prompts.size())));
  std::set<std::size_t> held;
  for (const auto i : stream.sample(prompts.size(), std::clamp<std::size_t>(wanted, 1, prompts.size() - 1)))
    held.insert(prompts[i]);
  InnerSplit split;
  for (Eigen::Index row = 0; row < data.rows(); ++row) {
    (held.contains(data.prompts[static_cast<std::size_t>(row)]) ? split.stop : split.learn).push_back(row);
  }
  return split;
}

/// One fit under way.
class Fit {
 public:
  Fit(const FitData& data, const DesignMatrix<float>& design, const HeadOptions& options, const RandomStream& stream)
      : data_(data),
        options_(options),
        split_(inner_split(data, options.inner_share, stream.substream("inner split"))),
        order_(stream.substream("order")),
        drops_(stream.substream("dropout")),
        learn_(design.rows_of(split_.learn)),
        stop_(design.rows_of(split_.stop)),
        at_(initial(data, static_cast<Eigen::Index>(options.hidden), stream)),
        adam_(at_, options.learning_rate) {}

  /// Runs until the inner loss stops falling; gives the parameters at its least.
  Parameters run() {
    Parameters best = at_;
    double least = inner_loss();
    std::size_t waited = 0;  // epochs since the least loss
    for (std::size_t epoch = 0; epoch < options_.epochs && waited < options_.patience; ++epoch) {
      run_epoch();
      const double loss = inner_loss();
      waited = loss < least ? 0 : waited + 1;
      if (waited > 0) continue;
      least = loss;
      best = at_;
    }
    return best;
  }

 private:
  double inner_loss() const {
    auto logits = logits_of(at_, hidden_units(at_, stop_));
    return output_residuals(logits, data_.classes(split_.stop, Eigen::all));
  }

  void run_epoch() {
    const auto order = order_.permutation(split_.learn.size());
    for (std::size_t first = 0; first < order.size(); first += options_.batch) {
      const auto last = std::min(first + options_.batch, order.size());
      run_batch(
          {order.begin() + static_cast<std::ptrdiff_t>(first), order.begin() + static_cast<std::ptrdiff_t>(last)});
    }
  }

  void run_batch(const std::vector<Eigen::Index>& places) {
    std::vector<Eigen::Index> rows;
    for (const auto place : places) rows.push_back(split_.learn[static_cast<std::size_t>(place)]);
    const auto design = learn_.rows_of(places);
    const auto mask = dropout_mask(design.rows(), at_.first.cols(), options_.dropout, drops_);
    const FloatMatrix hidden = hidden_units(at_, design).cwiseProduct(mask);
    auto residuals = logits_of(at_, hidden);
    output_residuals(residuals, data_.classes(rows, Eigen::all));
    residuals /= static_cast<float>(rows.size());
    adam_.step(at_, gradient(design, hidden, mask, residuals));
  }

  Parameters gradient(const DesignMatrix<float>& design, const FloatMatrix& hidden, const FloatMatrix& mask,
                      const FloatMatrix& residuals) const {
    const auto penalty = static_cast<float>(options_.l2 / static_cast<double>(split_.learn.size()));
    const FloatMatrix active = (hidden.array() > 0.0F).cast<float>() * mask.array();
    const FloatMatrix by_hidden = (residuals * at_.second.transpose()).cwiseProduct(active);
    Parameters by;
    by.first = design.transposed_times(by_hidden) + penalty * at_.first;
    by.first_bias = by_hidden.colwise().sum();
    by.second = hidden.transpose() * residuals + penalty * at_.second;
    by.second_bias = residuals.colwise().sum();
    return by;
  }

  const FitData& data_;
  const HeadOptions& options_;
  InnerSplit split_;
  RandomStream order_, drops_;
  DesignMatrix<float> learn_, stop_;
  Parameters at_;
  Adam adam_;
};

AffineLayer layer_of(const FloatMatrix& weights, const FloatRow& bias) {
  return {static_cast<std::size_t>(weights.rows()),
          static_cast<std::size_t>(weights.cols()),
          {weights.data(), weights.data() + weights.size()},
          {bias.data(), bias.data() + bias.size()}};
}

}  // namespace

Head fit_mlp(const FitData& data, const HeadOptions& options) {
  const DesignMatrix<float> design(data.features, data.scale);
  Head head;
  for (std::size_t member = 0; member < options.members; ++member) {
    const auto fitted = Fit(data, design, options, RandomStream(options.seed, "mlp head", member)).run();
    head.members.push_back({{layer_of(fitted.first, fitted.first_bias), layer_of(fitted.second, fitted.second_bias)}});
  }
  return head;
}

}  // namespace valence
