#include "valence/train/operations.h"

#include <algorithm>

#include "valence/base/text.h"

namespace valence {
namespace {

using enum SettingType;

/// What every operation has. `rate`: its default learning rate. `full`: all weights can be trained; not where the model
/// as it was is needed beside the one that moves.
SettingTable common(const std::string& rate, bool full = true) {
  return {
      {"tuning",
       kChoice,
       "lora",
       "",
       full ? "what is trained: a low-rank adapter, or all weights (full; for small models, with a smaller learning "
              "rate)"
            : "what is trained: a low-rank adapter",
       full ? std::vector<std::string>{"lora", "full"} : std::vector<std::string>{"lora"},
       {},
       {}},
      {"rank", kInteger, "8", "", "rank of the adapter", {}, 1, 1024},
      {"alpha",
       kNumber,
       "16",
       "",
       "scale of the adapter: alpha / rank, or alpha / sqrt(rank) when rank-stabilised",
       {},
       0,
       4096},
      {"rank_stabilised", kBool, "false", "", "divide alpha by the square root of the rank", {}, {}, {}},
      {"dropout", kNumber, "0", "", "dropout in front of the adapter", {}, 0, 0.9},
      {"modules",
       kText,
       "all",
       "",
       "projections that get an adapter: all, or a list such as attn_q,attn_v",
       {},
       {},
       {}},
      {"update_rule", kChoice, "adamw", "", "how gradients become steps", {"adamw", "sgd"}, {}, {}},
      {"learning_rate", kNumber, rate, "", "step size at the schedule's top", {}, 0, 1},
      {"schedule",
       kChoice,
       "constant",
       "",
       "how the learning rate goes after the warm-up",
       {"constant", "linear", "cosine"},
       {},
       {}},
      {"warmup", kNumber, "0.05", "share", "share of the steps over which the learning rate rises from 0", {}, 0, 1},
      {"weight_decay", kNumber, "0", "", "decoupled weight decay", {}, 0, 1},
      {"max_gradient_norm", kNumber, "1", "", "gradients are scaled down to this norm; 0 = never", {}, 0, 1e6},
      {"epochs", kNumber, "1", "", "times that the data is gone through", {}, 0.001, 1000},
      {"steps", kInteger, "0", "steps", "steps instead of epochs; 0 = by epochs", {}, 0, 10000000},
      {"batch", kInteger, "8", "examples", "examples of one step, of all processes together", {}, 1, 65536},
      {"pass_tokens",
       kInteger,
       "2048",
       "tokens",
       "most tokens of one forward pass; a step's examples are accumulated over passes",
       {},
       16,
       1048576},
      {"longest", kInteger, "1024", "tokens", "records with a longer path are left out, and counted", {}, 8, 1048576},
      {"products",
       kChoice,
       "f32",
       "",
       "products with frozen weights: f32, or auto: bf16 where a measurement at the start says it is much faster",
       {"f32", "auto"},
       {},
       {}},
      {"trainer_device", kChoice, "cpu", "", "what the trainer computes on (cuda: untested)", {"cpu", "cuda"}, {}, {}},
      {"checkpoint_every", kInteger, "25", "steps", "how often all that is needed to go on is written", {}, 1, 1000000},
      {"most_kl",
       kNumber,
       "0",
       "nats",
       "stop when the mean drift from the start, per learned token, exceeds this; 0 = never",
       {},
       0,
       1000}};
}

SettingTable with(SettingTable table, SettingTable own) {
  table.insert(table.end(), own.begin(), own.end());
  return table;
}

SettingTable with_default(SettingTable table, std::string_view name, std::string fallback) {
  std::ranges::find(table, name, &SettingSpec::name)->fallback = std::move(fallback);
  return table;
}

SettingSpec beta(const std::string& fallback, const std::string& help) {
  return {"beta", kNumber, fallback, "", help, {}, 1e-6, 1000};
}

/// What all operations on rolled-out answers have, then their own. `beta`: the default tie to the reference, and how.
SettingTable rollouts(const std::string& beta, const std::string& tie, std::initializer_list<SettingSpec> own) {
  auto table = with(
      common("5e-5", false),
      {{"beta", kNumber, beta, "", tie, {}, 0, 1000},
       {"clip_low", kNumber, "0.2", "", "ratios to the policy that drew gain nothing below 1 minus this", {}, 0, 1e9},
       {"clip_high", kNumber, "0.2", "", "ratios to the policy that drew gain nothing above 1 plus this", {}, 0, 1e9},
       {"missing_end_penalty",
        kNumber,
        "0",
        "",
        "taken off the reward of an answer that did not end of itself",
        {},
        0,
        1e6},
       {"importance_cap",
        kNumber,
        "3",
        "",
        "most weight of what trainer and sampler see differently; 0 = the difference is not corrected",
        {},
        0,
        1e6}});
  return with(std::move(table), own);
}

std::vector<Operation> make_operations() {
  return {
      {"choice",
       "Cross-entropy of answers to a target distribution, all layouts of a question balanced",
       {RecordKind::kChoice},
       with(common("5e-4"), {{"among_options",
                              kBool,
                              "false",
                              "",
                              "renormalise over the options: what else the model may say is free",
                              {},
                              {},
                              {}}})},
      {"sft", "Supervised fine-tuning on conversations", {RecordKind::kMessages}, common("2e-4")},
      {"dpo",
       "Direct preference optimisation and its relatives with a reference",
       {RecordKind::kPreference},
       with(common("5e-5", false),
            {beta("0.1", "strength of the tie to the reference"),
             {"loss",
              kChoice,
              "sigmoid",
              "",
              "what is made of the margin",
              {"sigmoid", "robust", "hinge", "ipo"},
              {},
              {}},
             {"smoothing", kNumber, "0", "", "share of labels taken to be wrong (sigmoid and robust)", {}, 0, 0.499},
             {"token_mean", kBool, "false", "", "divide each answer's log-ratio by its length (ipo)", {}, {}, {}},
             {"divergence",
              kChoice,
              "reverse_kl",
              "",
              "divergence to the reference",
              {"reverse_kl", "forward_kl", "jensen_shannon", "alpha"},
              {},
              {}},
             {"divergence_alpha", kNumber, "1", "", "alpha of the alpha-divergence", {}, 1e-3, 100},
             {"nll_weight",
              kNumber,
              "0",
              "",
              "weight of the chosen answer's NLL (mean of a token) beside the loss",
              {},
              0,
              1000}})},
      {"kto",
       "Kahneman–Tversky optimisation on answers that are desirable or not",
       {RecordKind::kLabelled},
       with(common("5e-5", false), {beta("0.1", "strength of the tie to the reference"),
                                    {"desirable", kNumber, "1", "", "weight of desirable answers", {}, 0, 1000},
                                    {"undesirable", kNumber, "1", "", "weight of undesirable answers", {}, 0, 1000}})},
      {"simpo",
       "SimPO: preference without a reference, by mean log-probability and a margin",
       {RecordKind::kPreference},
       with(common("5e-5"), {beta("2", "scale of the mean log-probability"),
                             {"gamma", kNumber, "0.5", "", "target margin", {}, 0, 100}})},
      {"cpo",
       "CPO: preference without a reference, with the chosen answer's NLL",
       {RecordKind::kPreference},
       with(common("5e-5"), {beta("0.1", "scale of the log-probability"),
                             {"nll_weight", kNumber, "1", "", "weight of the NLL", {}, 0, 1000}})},
      {"orpo",
       "ORPO: supervised fine-tuning with an odds-ratio preference",
       {RecordKind::kPreference},
       with(common("5e-5"), {{"lambda", kNumber, "0.1", "", "weight of the odds ratio", {}, 0, 1000}})},
      {"slic",
       "SLiC-HF: a hinge on log-probabilities, without a reference",
       {RecordKind::kPreference},
       with(common("5e-5"), {{"margin", kNumber, "1", "nats", "margin of the hinge", {}, 0, 1000}})},
      {"reward",
       "A reward model: a number per answer, the better one's larger",
       {RecordKind::kPreference, RecordKind::kRanked},
       with(common("1e-4"),
            {{"margin", kNumber, "0", "", "by how much the better answer should lead (pairs only)", {}, 0, 100},
             {"centring",
              kNumber,
              "0.01",
              "",
              "weight of the squared sum of a pair's rewards (of a ranking: of twice their mean), to keep them around 0",
              {},
              0,
              10}})},
      {"rrhf",
       "RRHF: ranked answers by mean log-probability, with the best one's NLL",
       {RecordKind::kRanked},
       common("5e-5")},
      {"grpo",
       "GRPO: rolled-out answers against the mean of their prompt's",
       {RecordKind::kRollout},
       rollouts("0", "weight of the KL to the reference (k3) in the loss",
                {{"deviation",
                  kChoice,
                  "sample",
                  "",
                  "by which standard deviation of a prompt's rewards advantages are divided",
                  {"sample", "population", "none"},
                  {},
                  {}},
                 {"reduction",
                  kChoice,
                  "token_mean",
                  "",
                  "how token losses become one: mean of all tokens, mean of the answers' means, or their sum over a "
                  "constant",
                  {"token_mean", "answer_mean", "constant"},
                  {},
                  {}},
                 {"max_tokens",
                  kInteger,
                  "256",
                  "tokens",
                  "longest answer that could be drawn: the constant of reduction = constant",
                  {},
                  1,
                  1048576},
                 {"ratio",
                  kChoice,
                  "token",
                  "",
                  "whose ratio is clipped: each token's, or the answer's geometric mean (GSPO)",
                  {"token", "sequence_mean"},
                  {},
                  {}}})},
      {"rloo",
       "RLOO: rolled-out answers against the mean of their prompt's others, the KL inside the reward",
       {RecordKind::kRollout},
       rollouts("0.05", "weight of the KL to the reference in the reward", {})},
      {"ppo",
       "PPO: rolled-out answers against what a value head expected, the KL inside the reward",
       {RecordKind::kRollout},
       with_default(
           rollouts("0.05", "weight of the KL to the reference in the reward, to begin with",
                    {{"gamma", kNumber, "1", "", "discount of a token", {}, 0, 1},
                     {"lambda", kNumber, "0.95", "", "decay of the advantage estimate (GAE)", {}, 0, 1},
                     {"whiten", kBool, "true", "", "bring all advantages to mean 0 and variance 1", {}, {}, {}},
                     {"value_weight", kNumber, "0.1", "", "weight of the value loss", {}, 0, 1000},
                     {"value_clip",
                      kNumber,
                      "0.2",
                      "",
                      "values gain nothing farther than this from what they were; 0 = not clipped",
                      {},
                      0,
                      1e6},
                     {"kl", kChoice, "k1", "", "estimate of the KL inside the reward", {"k1", "k3"}, {}, {}},
                     {"kl_target",
                      kNumber,
                      "0",
                      "nats",
                      "KL of an answer that beta is adapted to from job to job; 0 = beta stays",
                      {},
                      0,
                      10000},
                     {"kl_gain", kNumber, "0.1", "", "how fast beta is adapted", {}, 0, 10}}),
           "epochs", "4")}};
}

}  // namespace

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = make_operations();
  return all;
}

Result<const Operation*> find_operation(std::string_view id) {
  std::vector<std::string> known;
  for (const auto& operation : operations()) {
    if (operation.id == id) return &operation;
    known.push_back(operation.id);
  }
  const auto near = nearest(id, known);
  return fail(ErrorCode::kUsage, "unknown operation \"{}\"{}; there are {}", id,
              near.empty() ? "" : fmt::format(", did you mean \"{}\"?", near), join(known, ", "));
}

}  // namespace valence
