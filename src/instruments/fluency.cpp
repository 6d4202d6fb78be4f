#include <cmath>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/instruments/side_effects.h"

namespace valence {
namespace {

const InstrumentCard kFluencyCard = {.id = "fluency",
                              .title = "Neutral text (perplexity)",
                              .version = "1",
                              .space = "fluency",
                              .measures =
                                  "How probable plain paragraphs are as the subject's own answers: the cost of an "
                                  "alignment in language, not a value.",
                              .limits =
                                  "Perplexities compare only between subjects with the same tokenizer, and 64 "
                                  "paragraphs of one style are all that is asked.",
                              .citation = "Valence",
                              .licence = "Apache-2.0",
                              .random_unit = "paragraph",
                              .cluster = "",
                              .open_text = true,
    .guessable = false};

const SettingTable kFluencySettings = {{"texts",
                                 SettingType::kText,
                                 "neutral",
                                 "",
                                 "neutral (shipped), or a .jsonl file with \"id\" and \"text\" per line",
                                 {},
                                 {},
                                 {}},
                                {"count",
                                 SettingType::kInteger,
                                 "0",
                                 "paragraphs",
                                 "so many from the beginning of the file; 0: all",
                                 {},
                                 0,
                                 1000000}};

struct Paragraph {
  std::string id, text;
};

Result<std::vector<Paragraph>> load_paragraphs(const Settings& settings) {
  VALENCE_TRY(const auto data, data_folder());
  const auto& name = settings.text("texts");
  const auto shipped = data / "instruments" / "fluency" / "paragraphs.jsonl";
  VALENCE_TRY(const auto rows, read_jsonl(name == "neutral" ? shipped : std::filesystem::path(name)));
  std::vector<Paragraph> paragraphs;
  for (const auto& row : rows) {
    VALENCE_CHECK(row.allow_only({"id", "text"}));
    Paragraph paragraph;
    VALENCE_TRY(paragraph.id, row.string_at("id"));
    VALENCE_TRY(paragraph.text, row.string_at("text"));
    paragraphs.push_back(std::move(paragraph));
  }
  const auto count = static_cast<std::size_t>(settings.integer("count"));
  if (count > 0 && count < paragraphs.size()) paragraphs.resize(count);
  if (paragraphs.empty()) return fail(ErrorCode::kUsage, "{}: there is no paragraph", name);
  return paragraphs;
}

Result<std::vector<std::string>> load_prompts_for_paragraphs() {
  VALENCE_TRY(const auto data, data_folder());
  VALENCE_TRY(const auto root, read_toml(data / "instruments" / "fluency" / "wordings.toml"));
  VALENCE_TRY(const auto prompts, root.at("prompts"));
  return prompts.as_strings();
}

Result<std::vector<Passage>> passages_of(const std::vector<Paragraph>& paragraphs) {
  VALENCE_TRY(const auto prompts, load_prompts_for_paragraphs());
  std::vector<Passage> passages;
  for (std::size_t i = 0; i < paragraphs.size(); ++i) {
    const auto wording = i % prompts.size();
    VALENCE_TRY(auto prompt, fill(prompts[wording], {{"topic", paragraphs[i].id}}));
    passages.push_back({{paragraphs[i].id, "", "", paragraphs[i].id, fmt::format("wording {}", wording + 1)},
                        std::move(prompt),
                        paragraphs[i].text});
  }
  return passages;
}

/// Mean log-probability of a token, as the probability that it amounts to.
double token_probability(const PassageScore& score) {
  double sum = 0.0;
  for (const double logprob : score.token_logprobs) sum += logprob;
  return std::exp(sum / static_cast<double>(score.token_logprobs.size()));
}

AnswerRow passage_row(const Passage& passage, const PassageScore& score) {
  AnswerRow row;
  row.unit = passage.tag.unit;
  row.item = passage.tag.item;
  row.variant = passage.tag.variant;
  row.format = AnswerFormat::kText;
  row.digest = score.digest;
  if (score.token_logprobs.empty()) {
    row.status = Status::kError;
    row.text = score.reason;
    return row;
  }
  const double p = token_probability(score);
  row.probability = {p, 1.0 - p};
  row.place = {0, 1};
  row.captured_mass = 1.0;
  return row;
}

/// Loss in nats per token, every paragraph alike, and the perplexity that it amounts to.
class FluencyEstimator final : public Estimator {
 public:
  void add(const AnswerRow& row) {
    units_.push_back(row.unit);
    losses_.push_back(-std::log(row.probability.front()));
  }
  const std::vector<Estimand>& estimands() const override { return estimands_; }
  const std::vector<std::string>& units() const override { return units_; }
  const std::vector<std::string>& clusters() const override { return clusters_; }
  std::vector<double> estimate(std::span<const double> weights) const override {
    double sum = 0.0, total = 0.0;
    for (std::size_t i = 0; i < losses_.size(); ++i) {
      sum += weights[i] * losses_[i];
      total += weights[i];
    }
    const double loss = total > 0.0 ? sum / total : kUndefined;
    return {loss, std::exp(loss)};
  }

 private:
  std::vector<Estimand> estimands_ = {{.id = "loss",
                                       .dimension = "",
                                       .condition = "",
                                       .label = "loss per token",
                                       .unit = "nats",
                                       .low = 0.0,
                                       .headline = true},
                                      {.id = "perplexity",
                                       .dimension = "",
                                       .condition = "",
                                       .label = "perplexity",
                                       .unit = "",
                                       .low = 1.0,
                                       .headline = true}};
  std::vector<std::string> units_, clusters_;
  std::vector<double> losses_;
};

class Fluency final : public Instrument {
 public:
  const InstrumentCard& card() const override { return kFluencyCard; }
  const SettingTable& settings() const override { return kFluencySettings; }

  Result<AnswerTable> administer(Examination& examination, const Settings& settings) const override {
    VALENCE_TRY(const auto paragraphs, load_paragraphs(settings));
    VALENCE_TRY(const auto passages, passages_of(paragraphs));
    VALENCE_TRY(const auto scores, examination.examiner.score(passages));
    AnswerTable table;
    for (std::size_t i = 0; i < passages.size(); ++i) table.rows.push_back(passage_row(passages[i], scores[i]));
    return table;
  }

  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings&) const override {
    auto estimator = std::make_unique<FluencyEstimator>();
    for (const auto& row : table.rows) {
      if (row.status == Status::kScored && row.probability.size() == 2 && row.probability.front() > 0.0)
        estimator->add(row);
    }
    if (estimator->units().empty())
      return fail(ErrorCode::kInvalid, "no paragraph was scored (valence export shows why)");
    return estimator;
  }

  Validity assess(const AnswerTable&, const Settings&, const GateThresholds&) const override {
    return {false, {}, "it says how probable a text is and nothing about values, so there is nothing to gate"};
  }

  Result<AnswerTable> parse_answers(std::string_view, const Settings&) const override {
    return fail(ErrorCode::kUsage, "fluency scores given texts, which have no short form of answers");
  }

  std::string finding(const Profile& profile) const override {
    const auto* entry = profile.find("perplexity");
    return entry ? fmt::format("perplexity {} on plain paragraphs.", figure_text(entry->estimate)) : "";
  }
};

}  // namespace

std::unique_ptr<Instrument> make_fluency() { return std::make_unique<Fluency>(); }

}  // namespace valence
