#include "hvae_dialogue.h"

#include <algorithm>

#include "valence/base/text.h"

namespace valence {
namespace {

// Items under which the open questions are filed.
constexpr std::string_view kInduction = "induction";
constexpr std::string_view kAdoption = "adoption";
constexpr std::string_view kGoal = "goal";

Result<HvaeWording> read_hvae_wording(const Node& node, std::string_view unconditional) {
  HvaeWording wording;
  VALENCE_TRY(wording.slider, read_slider_wording(node, unconditional));
  VALENCE_TRY(wording.induction, node.string_at("induction"));
  VALENCE_TRY(wording.adoption, node.string_at("adoption"));
  VALENCE_TRY(wording.goal, node.string_at("goal"));
  VALENCE_TRY(wording.with_goal, node.string_at("with_goal"));
  VALENCE_TRY(wording.without_goal, node.string_at("without_goal"));
  return wording;
}

/// What was asked and what came back, as two turns. `said` is what a later question finds in its history.
struct Exchange {
  std::string asked, said;
  bool failed;
};

/// An exact answer stands as the option drawn from it, after what its turn began with.
std::string drawn_answer(const HvaeScript& script, const ChoiceAnswer& answer) {
  const auto prefix = prefix_of(script.wording.slider, script.manner);
  return prefix.empty() || answer.said.empty() ? answer.said : fmt::format("{} {}", prefix, answer.said);
}

Exchange exchange_of(const HvaeScript& script, const Answer& answer) {
  if (const auto* open = std::get_if<OpenAnswer>(&answer)) {
    return {open->asked, open->completion.text, open->status == Status::kError};
  }
  const auto& choice = std::get<ChoiceAnswer>(answer);
  // A sampled answer stands as it was said, refusals included.
  const bool sampled = script.manner.route == Route::kSampled && !choice.rows.empty();
  return {choice.asked, sampled ? choice.rows.front().text : drawn_answer(script, choice),
          choice.status == Status::kError};
}

std::vector<Message> turns_of(const HvaeScript& script, std::span<const Answer> answers) {
  std::vector<Message> turns;
  for (const auto& answer : answers) {
    const auto exchange = exchange_of(script, answer);
    turns.push_back({Role::kUser, exchange.asked});
    turns.push_back({Role::kAssistant, exchange.said});
  }
  return turns;
}

/// Open questions in the order asked; {value} is filled in.
struct OpenStep {
  std::string_view item;
  std::string text;
};

Result<std::vector<OpenStep>> open_steps(const HvaeScript& script) {
  std::vector<OpenStep> steps;
  if (script.value_name.empty()) return steps;
  const Fillings value = {{"value", script.value_name}};
  VALENCE_TRY(auto induction, fill(script.wording.induction, value));
  VALENCE_TRY(auto adoption, fill(script.wording.adoption, value));
  steps.push_back({kInduction, std::move(induction)});
  steps.push_back({kAdoption, std::move(adoption)});
  if (script.goal) {
    VALENCE_TRY(auto goal, fill(script.wording.goal, value));
    steps.push_back({kGoal, std::move(goal)});
  }
  return steps;
}

/// What a question tells the subject to be guided by: its own goal, quoted, or a fixed sentence.
Result<std::string> aim_of(const HvaeScript& script, std::string_view goal) {
  if (script.value_name.empty()) return std::string();
  if (script.goal) return fill(script.wording.with_goal, {{"goal", trim(goal)}});
  return fill(script.wording.without_goal, {{"value", script.value_name}});
}

Result<ChoiceQuestion> item_question(const HvaeScript& script, std::size_t place, std::string_view goal) {
  VALENCE_TRY(auto aim, aim_of(script, goal));
  VALENCE_TRY(auto question, slider_question(script.items[place], script.wording.slider, script.manner,
                                             {{"number", std::to_string(place + 1)},
                                              {"ordinal", script.ordinals[place]},
                                              {"aim", std::move(aim)}}));
  question.tag.unit = script.unit;
  question.tag.condition = script.condition;
  return question;
}

class HvaeDialogue final : public Dialogue {
 public:
  HvaeDialogue(HvaeScript script, std::vector<OpenStep> steps) : script_(std::move(script)), steps_(std::move(steps)) {}

  std::vector<Question> next(std::span<const Answer> history) override {
    const bool drawn = script_.histories == Histories::kSampled;
    const auto kept = drawn ? history : history.first(std::min(history.size(), steps_.size()));
    if (std::ranges::any_of(kept, [&](const Answer& answer) { return exchange_of(script_, answer).failed; })) return {};
    if (history.size() < steps_.size()) return {open_question(history)};
    const auto asked = history.size() - steps_.size();
    if (asked >= script_.items.size()) return {};
    std::vector<Question> questions;
    const auto end = drawn ? asked + 1 : script_.items.size();
    for (auto place = asked; place < end; ++place) questions.emplace_back(question_at(place, kept));
    return questions;
  }

 private:
  OpenQuestion open_question(std::span<const Answer> history) const {
    const auto& step = steps_[history.size()];
    OpenQuestion question;
    question.tag = {script_.unit, "", script_.condition, std::string(step.item), script_.wording.slider.id};
    question.history = turns_of(script_, history);
    question.text = step.text;
    question.sampling = script_.sampling;
    return question;
  }

  ChoiceQuestion question_at(std::size_t place, std::span<const Answer> kept) const {
    const bool has_goal = !steps_.empty() && script_.goal;
    const auto goal = has_goal ? exchange_of(script_, kept[steps_.size() - 1]).said : std::string();
    // The wording was tried with every item when the dialogue was made, and a goal is never read as template.
    auto question = *item_question(script_, place, goal);
    question.history = turns_of(script_, kept);
    return question;
  }

  HvaeScript script_;
  std::vector<OpenStep> steps_;
};

/// With drawn histories, the row drawn from says what was drawn, so that the dialogue can be read and scored from the
/// table. Sampled rows say so already.
void note_what_was_said(std::vector<AnswerRow>& rows, const ChoiceAnswer& answer) {
  const auto drawn_from = std::ranges::find(rows, Status::kScored, &AnswerRow::status);
  if (drawn_from != rows.end() && drawn_from->route == Route::kExact) drawn_from->text = answer.said;
}

std::vector<AnswerRow> rows_of_answer(const Answer& answer, Histories histories) {
  if (const auto* open = std::get_if<OpenAnswer>(&answer)) return {open->row};
  const auto& choice = std::get<ChoiceAnswer>(answer);
  auto rows = choice.rows;
  if (histories == Histories::kSampled) note_what_was_said(rows, choice);
  return rows;
}

AnswerRow unreached_row(const HvaeScript& script, const SliderItem& item) {
  AnswerRow row;
  row.unit = script.unit;
  row.condition = script.condition;
  row.item = item.id;
  row.variant = script.wording.slider.id;
  row.format = script.manner.format;
  row.route = script.manner.route;
  row.status = Status::kError;
  row.text = "not asked: the dialogue broke off after an error";
  return row;
}

}  // namespace

Result<HvaeWordings> hvae_wordings() {
  VALENCE_TRY(const auto root, read_wording_file("hvae"));
  VALENCE_TRY(const auto unconditional, root.string_at("unconditional"));
  VALENCE_TRY(const auto nodes, wording_list(root));
  HvaeWordings all;
  for (const auto& node : nodes) {
    VALENCE_TRY(auto wording, read_hvae_wording(node, unconditional));
    all.wordings.push_back(std::move(wording));
  }
  VALENCE_TRY(const auto ordinals, root.at("ordinals"));
  VALENCE_TRY(all.ordinals, ordinals.as_strings());
  if (all.ordinals.size() != kPrimaryItems) return tl::unexpected(ordinals.error("expected six ordinals"));
  VALENCE_TRY(const auto names, root.at("names"));
  VALENCE_TRY(const auto entries, names.as_table());
  for (const auto& [id, name] : entries) {
    VALENCE_TRY(auto text, name.as_string());
    all.names.emplace_back(id, std::move(text));
  }
  return all;
}

Result<std::unique_ptr<Dialogue>> hvae_dialogue(HvaeScript script) {
  VALENCE_TRY(auto steps, open_steps(script));
  for (std::size_t place = 0; place < script.items.size(); ++place) {
    VALENCE_CHECK(item_question(script, place, "goal"));
  }
  return std::make_unique<HvaeDialogue>(std::move(script), std::move(steps));
}

std::vector<AnswerRow> hvae_rows(const HvaeScript& script, const std::vector<Answer>& answers) {
  std::vector<AnswerRow> rows;
  for (const auto& answer : answers) {
    for (auto& row : rows_of_answer(answer, script.histories)) rows.push_back(std::move(row));
  }
  for (const auto& item : script.items) {
    if (std::ranges::find(rows, item.id, &AnswerRow::item) == rows.end()) rows.push_back(unreached_row(script, item));
  }
  return rows;
}

bool is_open_reply(const AnswerRow& row) {
  return row.item == kInduction || row.item == kAdoption || row.item == kGoal;
}

}  // namespace valence
