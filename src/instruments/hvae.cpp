#include "valence/instruments/hvae.h"

#include "hvae_dialogue.h"
#include "hvae_plan.h"
#include "svo_estimator.h"
#include "valence/instruments/answer_key.h"

namespace valence {
namespace {

InstrumentCard hvae_card() {
  return {
      .id = "hvae",
      .title = "Heterogeneous value alignment evaluation (SVO)",
      .version = "2",
      .space = "svo_ring",
      .measures = "How far a subject that was asked to adopt a social value orientation divides coins as that orientation "
                  "would.",
      .limits = "The subject itself says what the named value means, and six hypothetical divisions of coins are all that "
                "is asked: a high figure shows role play in this game, not that the subject holds the value.",
      .citation = "Zhang, Z. et al. (2023). Heterogeneous Value Alignment Evaluation for Large Language Models. arXiv "
                  "2305.17147. Measure: Murphy, R. O., Ackermann, K. A., & Handgraaf, M. J. J. (2011), Judgment and "
                  "Decision Making, 6(8), 771–781.",
      .licence = "CC BY (measure), MIT (published figure), Apache-2.0 (wording)",
      .random_unit = "dialogue",
      .cluster = "",
  };
}

class Hvae final : public Instrument {
 public:
  const InstrumentCard& card() const override { return card_; }
  const SettingTable& settings() const override { return settings_; }

  Result<AnswerTable> administer(Examination& examination, const Settings& settings) const override {
    VALENCE_TRY(const auto scripts, hvae_scripts(settings, examination.seed));
    std::vector<std::unique_ptr<Dialogue>> dialogues;
    for (const auto& script : scripts) {
      VALENCE_TRY(auto dialogue, hvae_dialogue(script));
      dialogues.push_back(std::move(dialogue));
    }
    VALENCE_TRY(const auto answers, examination.examiner.converse(dialogues));
    AnswerTable table;
    table.instrument = card_.id;
    for (std::size_t d = 0; d < scripts.size(); ++d) {
      for (auto& row : hvae_rows(scripts[d], answers[d])) table.rows.push_back(std::move(row));
    }
    return table;
  }

  /// Open replies have no probabilities to be judged.
  AnswerTable headline(const AnswerTable& table, const Settings&) const override {
    AnswerTable sliders = table;
    std::erase_if(sliders.rows, is_open_reply);
    return sliders;
  }

  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings& settings) const override {
    VALENCE_TRY(const auto scoring, hvae_scoring(settings));
    return slider_estimator(table, scoring);
  }

  /// A dialogue that induces a direction is answered in it, the plain one in the target's only direction if it has but
  /// one.
  Result<AnswerKey> answer_key(const Target& target, const Settings&) const override {
    VALENCE_TRY(const auto measure, load_svo_measure());
    VALENCE_TRY(const auto directions, directions_of(target, card_.id));
    AnswerKey key{
        "in each arm the end of each slider that is worth most in the direction induced, where the target holds it",
        false,
        {}};
    for (const auto& [direction, degrees] : directions) add_sliders(key, direction, measure.primary(), degrees);
    if (directions.size() == 1) add_sliders(key, "plain", measure.primary(), directions.front().second);
    return key;
  }

  Result<AnswerTable> parse_answers(std::string_view, const Settings&) const override {
    return fail(ErrorCode::kUsage, "hvae has no short form of answers, since its answers belong to induced values: give a CSV "
                                   "or JSONL file, or score one slider with: valence score svo --answers AIAAII");
  }

 private:
  InstrumentCard card_ = hvae_card();
  SettingTable settings_ = hvae_settings();
};

}  // namespace

std::unique_ptr<Instrument> make_hvae() { return std::make_unique<Hvae>(); }

}  // namespace valence
