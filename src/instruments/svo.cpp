#include "valence/instruments/svo.h"

#include <algorithm>

#include "attained.h"
#include "parts.h"
#include "svo_answers.h"
#include "svo_estimator.h"
#include "svo_lines.h"
#include "svo_wording.h"
#include "valence/instruments/answer_key.h"

namespace valence {
namespace {

SettingTable plain_slider_settings() {
  SettingTable table = {
      {"items",
       SettingType::kChoice,
       "primary",
       "",
       "the six primary items; all fifteen with the secondary ones; the secondary ones alone; generated lines; or for "
       "training: "
       "lines and secondary items, so that the primary ones stay unseen",
       {"primary", "all", "secondary", "generated", "training"},
       {},
       {}},
      {"lines",
       SettingType::kInteger,
       "24",
       "lines",
       "how many lines are generated (items generated and training)",
       {},
       1,
       200},
      {"line_seed", SettingType::kInteger, "0", "", "seed of the generated lines", {}, 0, 1e9},
      wordings_setting(),
      wording_part_setting(),
      {"layouts",
       SettingType::kChoice,
       "slider",
       "",
       "orders of the options: slider (as published and reversed), paper (as published), rotation or shuffled (stress "
       "tests: "
       "every option stands once at every place)",
       {"slider", "paper", "rotation", "shuffled"},
       {},
       {}},
      {"shuffles",
       SettingType::kInteger,
       "9",
       "orders",
       "of each question (layouts shuffled): with a multiple of nine every option stands at every place equally often",
       {},
       1,
       90},
      {"labels",
       SettingType::kChoice,
       "balanced",
       "",
       "labels of the options: all sets in turn, or one",
       {"balanced", "letters", "digits", "words"},
       {},
       {}},
      {"version",
       SettingType::kChoice,
       "a",
       "",
       "order in which given answers stand (valence score): version A, or B with the items reversed",
       {"a", "b"},
       {},
       {}},
  };
  const auto common = slider_settings();
  table.insert(table.end(), common.begin(), common.end());
  return table;
}

InstrumentCard plain_slider_card() {
  return {
      .id = "svo",
      .title = "SVO Slider Measure",
      .version = "2",
      .space = "svo_ring",
      .measures = "How a subject that nobody instructed divides coins between itself and a stranger, as an angle from "
                  "competitive (−16°) to altruistic (61°).",
      .limits = "Six hypothetical divisions of coins: it does not show how a subject acts where something is at stake.",
      .citation = "Murphy, R. O., Ackermann, K. A., & Handgraaf, M. J. J. (2011). Measuring Social Value Orientation. "
                  "Judgment and Decision Making, 6(8), 771–781.",
      .licence = "CC BY (measure), Apache-2.0 (wording)",
      .random_unit = "administration",
      .cluster = "",
  };
}

std::vector<OrderDesign> orders_of(const std::string& layouts) {
  if (layouts == "paper") return {OrderDesign::kPaper};
  if (layouts == "rotation") return {OrderDesign::kRotations};
  if (layouts == "shuffled") return {OrderDesign::kRandom};
  return {OrderDesign::kPaper, OrderDesign::kReversed};
}

Result<std::vector<LabelSet>> label_sets_of(const Settings& settings) {
  const auto& name = settings.text("labels");
  // The text format has no labels: one set stands for none, or the same question would be put three times.
  if (settings.text("format") == "text") return std::vector{LabelSet::kLetters};
  if (name == "balanced") return std::vector{LabelSet::kLetters, LabelSet::kDigits, LabelSet::kWords};
  VALENCE_TRY(const auto set, label_set_from(name));
  return std::vector{set};
}

bool asks_lines(const Settings& settings) {
  return settings.text("items") == "generated" || settings.text("items") == "training";
}

/// Whether the items have an angle: all six primary ones are among them.
bool asks_primary(const Settings& settings) {
  return settings.text("items") == "primary" || settings.text("items") == "all";
}

/// The items that these settings put, in order.
Result<std::vector<SliderItem>> asked_items(const SvoMeasure& measure, const Settings& settings) {
  std::vector<SliderItem> items;
  const auto& which = settings.text("items");
  const auto add = [&](std::span<const SliderItem> more) { items.insert(items.end(), more.begin(), more.end()); };
  if (asks_primary(settings)) add(measure.primary());
  if (which == "all" || which == "secondary" || which == "training") add(measure.secondary());
  if (!asks_lines(settings)) return items;
  VALENCE_TRY(const auto lines,
              generated_sliders(static_cast<std::size_t>(settings.integer("lines")),
                                static_cast<std::uint64_t>(settings.integer("line_seed")), measure.primary()));
  add(lines);
  return items;
}

/// One wording is one administration: every item in every layout, each asked by itself.
Result<std::vector<Question>> plain_questions(const SvoMeasure& measure, const Settings& settings) {
  VALENCE_TRY(auto all, slider_wordings());
  auto wordings = wordings_in(std::move(all), settings.text("wording_part"));
  const auto wanted = static_cast<std::size_t>(settings.integer("wordings"));
  if (wanted > 0 && wanted < wordings.size()) wordings.resize(wanted);
  VALENCE_TRY(const auto sets, label_sets_of(settings));
  SliderManner manner;
  VALENCE_TRY(manner.format, format_from(settings.text("format")));
  VALENCE_TRY(manner.normalisation, normalisation_from(settings.text("normalisation")));
  VALENCE_TRY(const auto items, asked_items(measure, settings));
  const auto shuffles = static_cast<std::size_t>(settings.integer("shuffles"));
  std::vector<Question> questions;
  for (std::size_t w = 0; w < wordings.size(); ++w) {
    for (const auto& item : items) {
      for (const auto order : orders_of(settings.text("layouts"))) {
        for (const auto set : sets) {
          manner.layouts = {.orders = order, .labels = set, .count = shuffles};
          VALENCE_TRY(auto question, slider_question(item, wordings[w], manner, {}));
          question.tag.unit = fmt::format("administration-{:02}", w + 1);
          questions.emplace_back(std::move(question));
        }
      }
    }
  }
  return questions;
}

class PlainSlider final : public Instrument {
 public:
  const InstrumentCard& card() const override { return card_; }
  const SettingTable& settings() const override { return settings_; }

  Result<std::string> space(const Settings& settings) const override {
    return asks_primary(settings) ? card_.space : std::string("allocations");
  }

  Result<AnswerTable> administer(Examination& examination, const Settings& settings) const override {
    VALENCE_TRY(const auto measure, load_svo_measure());
    VALENCE_TRY(const auto questions, plain_questions(measure, settings));
    VALENCE_TRY(const auto answers, examination.examiner.ask(questions));
    AnswerTable table;
    table.instrument = card_.id;
    add_choices(table, answers);
    return table;
  }

  Result<std::unique_ptr<Estimator>> prepare(const AnswerTable& table, const Settings& settings) const override {
    if (!asks_primary(settings)) {
      VALENCE_TRY(const auto measure, load_svo_measure());
      VALENCE_TRY(const auto asked, asked_items(measure, settings));
      AllocationItems items;
      for (const auto& item : asked) items[item.id].assign(item.options.begin(), item.options.end());
      return attained_estimator(table, items);
    }
    SliderScoring scoring;
    VALENCE_TRY(scoring.tie_rule, boundary_rule_from(settings.text("tie_rule")));
    return slider_estimator(table, scoring);
  }

  Result<AnswerKey> answer_key(const Target& target, const Settings& settings) const override {
    VALENCE_TRY(const auto measure, load_svo_measure());
    VALENCE_TRY(const auto items, asked_items(measure, settings));
    return slider_key(items, target);
  }

  Result<AnswerTable> parse_answers(std::string_view text, const Settings& settings) const override {
    VALENCE_TRY(const auto measure, load_svo_measure());
    return given_slider_answers(measure, text, settings.text("version") == "b");
  }

 private:
  InstrumentCard card_ = plain_slider_card();
  SettingTable settings_ = plain_slider_settings();
};

}  // namespace

std::unique_ptr<Instrument> make_svo() { return std::make_unique<PlainSlider>(); }

}  // namespace valence
