#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "valence/base/result.h"

namespace valence::train {

/// Token rewards of one answer: −β k_t at every token, the answer's reward added at the last.
/// `kl`: an estimate of log π_old − log π_ref per token (k1 or k3).
std::vector<double> token_rewards(std::span<const double> kl, double beta, double answer_reward);

struct Gae {
  std::vector<double> advantages;  ///< A_t = Σ_l (γλ)^l δ_{t+l}, not whitened
  std::vector<double> returns;     ///< R_t = A_t + V_t: taken before any whitening
};
/// Generalised advantage estimation (Schulman et al. 2016); the value after the last token is 0.
/// kWrongCount unless there are as many values as rewards.
Result<Gae> generalised_advantages(std::span<const double> rewards, std::span<const double> values, double gamma,
                                   double lambda);

/// Mean 0, population variance 1 (+ 1e-8); `keep_mean` scales only. Fewer than 2 numbers stay as they are.
void whiten(std::span<double> numbers, bool keep_mean = false);

enum class GroupScale {
  kSampleDeviation,      ///< (r − mean) / (s + floor), s with G − 1
  kPopulationDeviation,  ///< the same with G
  kNone                  ///< r − mean (Dr. GRPO)
};
/// GRPO's advantages of the answers to one prompt (Shao et al. 2024). A group whose rewards are all equal gets zeros.
/// kWrongCount below 2 answers.
Result<std::vector<double>> group_advantages(std::span<const double> rewards, GroupScale scale, double floor = 1e-4);

/// RLOO: r_i − mean of the others = G/(G−1) (r_i − mean) (Ahmadian et al. 2024). kWrongCount below 2 answers.
Result<std::vector<double>> leave_one_out_advantages(std::span<const double> rewards);

/// Answers that do not end of themselves lose `penalty`.
void penalise_missing_end(std::span<double> rewards, const std::vector<bool>& ended, double penalty);

/// β held so that KL stays near a target (Ziegler et al. 2019): β ← β(1 + gain · clip(KL/KL* − 1, −0.2, 0.2)).
class AdaptiveKl {
 public:
  AdaptiveKl(double beta, double target, double gain = 0.1) : beta_(beta), target_(target), gain_(gain) {}
  double beta() const { return beta_; }
  void update(double observed);

 private:
  double beta_, target_, gain_;
};

/// k1 = log π − log π_ref and k3 = e^{−k1} − 1 + k1, of one token.
double kl_k1(double logprob, double reference_logprob);
double kl_k3(double log_ratio);

}  // namespace valence::train
