#include "valence/base/random.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <numeric>

#include "valence/base/digest.h"

namespace valence {
namespace {

__extension__ typedef unsigned __int128 Wide;

// Constants of Salmon et al. (2011), table 2.
constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

std::uint32_t low_half(std::uint64_t number) { return static_cast<std::uint32_t>(number); }
std::uint32_t high_half(std::uint64_t number) { return static_cast<std::uint32_t>(number >> 32U); }
std::uint64_t joined(std::uint32_t low, std::uint32_t high) { return (std::uint64_t{high} << 32U) | low; }

std::array<std::uint32_t, 2> key_of(const Digest& digest) {
  std::array<std::uint32_t, 2> key{};
  for (std::size_t i = 0; i < 8; ++i) key[i / 4] |= std::uint32_t{digest.bytes[i]} << (8 * (i % 4));
  return key;
}

// ---- logarithm and exponential from the four operations alone, which IEEE 754 rounds alike everywhere

constexpr double kLn2High = 6.93147180369123816490e-01;  // ln 2 in two parts: the first has 21 zero bits at its end
constexpr double kLn2Low = 1.90821492927058770002e-10;

/// ln x for normal x > 0, within 2 units in the last place: 2 artanh((m - 1) / (m + 1)) + e ln 2.
double natural_log(double x) {
  int exponent = 0;
  double mantissa = std::frexp(x, &exponent);  // in [0.5, 1)
  if (mantissa < std::numbers::sqrt2 / 2.0) {
    mantissa *= 2.0;
    --exponent;
  }
  const double s = (mantissa - 1.0) / (mantissa + 1.0);
  const double square = s * s;
  double series = 0.0;
  for (int k = 21; k >= 3; k -= 2) series = (series + 1.0 / k) * square;
  const double e = exponent;
  return e * kLn2High + (2.0 * s + (2.0 * s * series + e * kLn2Low));
}

/// e to the x for x <= 0, within 2 units in the last place; 0 below the smallest double.
double natural_exp(double x) {
  if (x < -745.2) return 0.0;
  const double halvings = std::floor(x / std::numbers::ln2 + 0.5);
  const double rest = (x - halvings * kLn2High) - halvings * kLn2Low;
  double series = 1.0;
  for (int k = 14; k >= 1; --k) series = 1.0 + series * rest / k;
  return std::ldexp(series, static_cast<int>(halvings));
}

/// ln of a gamma variate with shape >= 1 and scale 1 (Marsaglia and Tsang 2000).
double log_gamma_of_large_shape(RandomStream& stream, double shape) {
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = stream.normal();
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    const double log_v = natural_log(v);
    if (-stream.exponential() < 0.5 * x * x + d - d * v + d * log_v) return natural_log(d) + log_v;
  }
}

/// A shape below 1 is drawn one higher and scaled by U^(1/shape), in logarithms.
double log_gamma(RandomStream& stream, double shape) {
  if (shape >= 1.0) return log_gamma_of_large_shape(stream, shape);
  const double high = log_gamma_of_large_shape(stream, shape + 1.0);
  return high - stream.exponential() / shape;
}

double exp_of(double x) { return x > 0.0 ? 1.0 / natural_exp(-x) : natural_exp(x); }

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const auto a = kMultiplier0 * counter[0];
    const auto b = kMultiplier1 * counter[2];
    counter = {high_half(b) ^ counter[1] ^ key[0], low_half(b), high_half(a) ^ counter[3] ^ key[1], low_half(a)};
    key = {key[0] + kWeyl0, key[1] + kWeyl1};
  }
  return counter;
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t index)
    : RandomStream(key_of(Hasher().add(seed).add(purpose).finish()), index) {}

RandomStream::RandomStream(std::array<std::uint32_t, 2> key, std::uint64_t index)
    : key_(key), counter_{0, 0, low_half(index), high_half(index)} {}

RandomStream RandomStream::substream(std::string_view purpose, std::uint64_t index) const {
  const auto parent = joined(key_[0], key_[1]);
  const auto place = joined(counter_[2], counter_[3]);
  return {key_of(Hasher().add(parent).add(place).add(purpose).finish()), index};
}

void RandomStream::refill() {
  block_ = philox4x32(counter_, key_);
  if (++counter_[0] == 0) ++counter_[1];
  used_ = 0;
}

std::uint64_t RandomStream::bits() {
  if (used_ == block_.size()) refill();
  const auto number = joined(block_[used_], block_[used_ + 1]);
  used_ += 2;
  return number;
}

double RandomStream::uniform() { return static_cast<double>(bits() >> 11U) * 0x1p-53; }

std::size_t RandomStream::below(std::size_t bound) {
  assert(bound > 0);
  const std::uint64_t range = bound;
  const std::uint64_t surplus = (0 - range) % range;  // 2^64 mod range: that many low parts are one draw too many
  for (;;) {
    const Wide product = Wide{bits()} * range;
    if (static_cast<std::uint64_t>(product) >= surplus) return static_cast<std::size_t>(product >> 64U);
  }
}

// Marsaglia's polar method: its square root and our logarithm are portable, sine and cosine are not.
double RandomStream::normal() {
  for (;;) {
    const double x = 2.0 * uniform() - 1.0;
    const double y = 2.0 * uniform() - 1.0;
    const double square = x * x + y * y;
    if (square > 0.0 && square < 1.0) return x * std::sqrt(-2.0 * natural_log(square) / square);
  }
}

double RandomStream::exponential() { return -natural_log(1.0 - uniform()); }

double RandomStream::gamma(double shape) {
  assert(shape > 0.0);
  return exp_of(log_gamma(*this, shape));
}

std::vector<double> RandomStream::dirichlet(std::span<const double> concentration) {
  std::vector<double> shares;
  for (const double shape : concentration) shares.push_back(log_gamma(*this, shape));
  const double largest = shares.empty() ? 0.0 : *std::max_element(shares.begin(), shares.end());
  for (double& share : shares) share = natural_exp(share - largest);
  const double total = std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share /= total;
  return shares;
}

std::size_t RandomStream::categorical(std::span<const double> weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  assert(total > 0.0);
  const double mark = uniform() * total;
  double sum = 0.0;
  std::size_t last = 0;  // of positive weight: rounding may leave the mark just above the sum
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0.0) continue;
    sum += weights[i];
    last = i;
    if (mark < sum) break;
  }
  return last;
}

std::vector<std::size_t> RandomStream::permutation(std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t left = count; left > 1; --left) std::swap(order[left - 1], order[below(left)]);
  return order;
}

// Knuth, The Art of Computer Programming 3.4.2, algorithm S.
std::vector<std::size_t> RandomStream::sample(std::size_t population, std::size_t count) {
  assert(count <= population);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < population && chosen.size() < count; ++i) {
    if (below(population - i) < count - chosen.size()) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace valence
