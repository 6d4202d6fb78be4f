#include "hvae_plan.h"

#include <algorithm>

#include "valence/base/text.h"

namespace valence {
namespace {

constexpr std::string_view kPlain = "plain";  // the condition without induction

bool follows_paper(const Settings& settings) { return settings.text("protocol") == "paper"; }

/// A choice whose "auto" the protocol decides.
std::string decided(const Settings& settings, std::string_view name, std::string_view by_default,
                    std::string_view by_paper) {
  const auto& text = settings.text(name);
  if (text != "auto") return text;
  return std::string(follows_paper(settings) ? by_paper : by_default);
}

std::size_t dialogues_of(const Settings& settings) {
  const auto given = settings.integer("dialogues");
  if (given > 0) return static_cast<std::size_t>(given);
  return follows_paper(settings) ? 10 : 30;
}

std::vector<std::string> all_conditions() {
  std::vector<std::string> names;
  for (const auto category : kSvoCategories) names.emplace_back(to_string(category));
  names.emplace_back(kPlain);
  return names;
}

Result<std::vector<std::string>> conditions_of(const Settings& settings) {
  const auto known = all_conditions();
  if (settings.text("values") == "auto") {
    return follows_paper(settings) ? std::vector(known.begin(), known.end() - 1) : known;
  }
  std::vector<std::string> conditions;
  for (const auto& part : split(settings.text("values"), ",")) {
    auto name = trim(part);
    if (std::ranges::find(known, name) == known.end()) {
      const auto near = nearest(name, known);
      return fail(ErrorCode::kUsage, "setting \"values\": unknown value \"{}\"{}; expected some of {}, separated by commas",
                  name, near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near), join(known, ", "));
    }
    if (std::ranges::find(conditions, name) != conditions.end()) {
      return fail(ErrorCode::kUsage, "setting \"values\": \"{}\" is named twice", name);
    }
    conditions.push_back(std::move(name));
  }
  return conditions;
}

/// What a dialogue is assigned; the same under every condition.
struct Assignment {
  std::size_t wording;
  bool version_b;
  LayoutDesign layouts;
};

OrderDesign order_at(const std::string& layouts, std::size_t level) {
  if (layouts == "paper") return OrderDesign::kPaper;
  if (layouts == "rotation") return OrderDesign::kRotations;
  return level == 0 ? OrderDesign::kPaper : OrderDesign::kReversed;
}

std::vector<Assignment> assignments_of(const Settings& settings, std::size_t wordings, std::uint64_t seed) {
  constexpr std::array kSets = {LabelSet::kLetters, LabelSet::kDigits, LabelSet::kWords};
  const auto count = dialogues_of(settings);
  const auto layouts = decided(settings, "layouts", "slider", "paper");
  const bool paper = layouts == "paper";
  const RandomStream stream(seed, "hvae assignment");
  // The published run has one wording; elsewhere they rotate, whatever the layouts.
  const auto wording = balanced_assignment(count, follows_paper(settings) ? 1 : wordings, stream.substream("wording"));
  const auto order = balanced_assignment(count, 2, stream.substream("order"));
  const auto version = balanced_assignment(count, 2, stream.substream("version"));
  const auto labels = balanced_assignment(count, kSets.size(), stream.substream("labels"));
  std::vector<Assignment> assignments;
  for (std::size_t d = 0; d < count; ++d) {
    assignments.push_back({wording[d], !paper && version[d] == 1,
                           {.orders = order_at(layouts, order[d]), .labels = paper ? LabelSet::kLetters : kSets[labels[d]]}});
  }
  return assignments;
}

Sampling sampling_of(const Settings& settings) {
  Sampling sampling;
  sampling.temperature = settings.number("temperature");
  sampling.max_tokens = static_cast<int>(settings.integer("max_tokens"));
  return sampling;
}

/// What a condition's value is called; empty for the plain condition.
std::string name_of(const HvaeWordings& wordings, const Settings& settings, const std::string& condition) {
  if (condition == kPlain) return "";
  const auto wanted = decided(settings, "competitive_name", "competitive", "hyper-competitive");
  const auto id = condition == "competitive" && wanted == "hyper-competitive" ? "hyper_competitive" : condition;
  const auto found = std::ranges::find(wordings.names, id, &std::pair<std::string, std::string>::first);
  return found == wordings.names.end() ? condition : found->second;
}

Result<HvaeScript> common_script(const Settings& settings) {
  HvaeScript script;
  script.goal = settings.flag("goal");
  script.sampling = sampling_of(settings);
  script.histories = decided(settings, "histories", "independent", "sampled") == "sampled" ? Histories::kSampled
                                                                                           : Histories::kIndependent;
  script.manner.route = follows_paper(settings) ? Route::kSampled : Route::kExact;
  script.manner.sampling = script.sampling;
  VALENCE_TRY(script.manner.format, format_from(settings.text("format")));
  VALENCE_TRY(script.manner.normalisation, normalisation_from(settings.text("normalisation")));
  if (script.manner.route == Route::kSampled && script.manner.format == AnswerFormat::kText) {
    return fail(ErrorCode::kUsage, "format = text needs exact probabilities, and protocol = paper draws answers; use "
                                   "format = letter or protocol = default");
  }
  return script;
}

HvaeWording plain_wording(const SliderWording& slider) {
  HvaeWording wording;
  wording.slider = slider;
  return wording;
}

std::vector<SliderItem> in_version(std::span<const SliderItem> primary, bool version_b) {
  std::vector<SliderItem> items(primary.begin(), primary.end());
  if (version_b) std::ranges::reverse(items);
  return items;
}

}  // namespace

std::vector<std::size_t> balanced_assignment(std::size_t count, std::size_t levels, RandomStream stream) {
  // Levels are shuffled too, or the first ones would always be those that come once more often.
  const auto level = stream.permutation(levels);
  const auto place = stream.permutation(count);
  std::vector<std::size_t> assigned(count);
  for (std::size_t i = 0; i < count; ++i) assigned[place[i]] = level[i % levels];
  return assigned;
}

SettingTable hvae_settings() {
  SettingTable table = {
      {"protocol", SettingType::kChoice, "default", "",
       "paper: as published (sampled answers in sequence, one order, ten dialogues per value); sets what is \"auto\"",
       {"default", "paper"}, {}, {}},
      {"dialogues", SettingType::kInteger, "0", "dialogues", "per condition; 0: 30, with protocol = paper 10", {}, 0, 10000},
      {"values", SettingType::kText, "auto", "",
       "conditions, separated by commas: altruistic, prosocial, individualistic, competitive, plain (no induction); auto: "
       "all, with protocol = paper the first four",
       {}, {}, {}},
      {"goal", SettingType::kBool, "true", "", "let the subject name a goal and quote it in every question", {}, {}, {}},
      {"histories", SettingType::kChoice, "auto", "",
       "independent: each item right after the goal, exact joint probabilities; sampled: in sequence, drawn answers stay in "
       "view; auto: independent, with protocol = paper sampled",
       {"auto", "independent", "sampled"}, {}, {}},
      {"layouts", SettingType::kChoice, "auto", "",
       "slider: order, version and labels balanced over dialogues; paper: as published; rotation: every cyclic shift (stress "
       "test); auto: slider, with protocol = paper paper",
       {"auto", "slider", "paper", "rotation"}, {}, {}},
      {"competitive_name", SettingType::kChoice, "auto", "",
       "what the fourth value is called; auto: competitive, with protocol = paper hyper-competitive",
       {"auto", "competitive", "hyper-competitive"}, {}, {}},
      {"target_set", SettingType::kChoice, "reachable", "",
       "angles that value rationality asks for: the most extreme real answers, or the ideal directions of the ring",
       {"reachable", "ideal"}, {}, {}},
      {"temperature", SettingType::kNumber, "1", "", "of the drawn replies", {}, 0.0, 5.0},
      {"max_tokens", SettingType::kInteger, "128", "tokens", "longest drawn reply", {}, 1, 4096},
  };
  const auto common = slider_settings();
  table.insert(table.end(), common.begin(), common.end());
  return table;
}

Result<std::vector<HvaeScript>> hvae_scripts(const Settings& settings, std::uint64_t seed) {
  VALENCE_TRY(const auto measure, load_svo_measure());
  VALENCE_TRY(const auto wordings, hvae_wordings());
  VALENCE_TRY(const auto plain, slider_wordings());
  VALENCE_TRY(const auto conditions, conditions_of(settings));
  VALENCE_TRY(auto script, common_script(settings));
  script.ordinals = wordings.ordinals;
  const auto assignments = assignments_of(settings, wordings.wordings.size(), seed);
  std::vector<HvaeScript> scripts;
  for (const auto& condition : conditions) {
    script.condition = condition;
    script.value_name = name_of(wordings, settings, condition);
    for (std::size_t d = 0; d < assignments.size(); ++d) {
      const auto& assigned = assignments[d];
      script.unit = fmt::format("dialogue-{:02}", d + 1);
      script.wording = wordings.wordings[assigned.wording];
      if (condition == kPlain) script.wording = plain_wording(plain[assigned.wording % plain.size()]);
      script.manner.layouts = assigned.layouts;
      script.items = in_version(measure.primary(), assigned.version_b);
      scripts.push_back(script);
    }
  }
  return scripts;
}

Result<SliderScoring> hvae_scoring(const Settings& settings) {
  SliderScoring scoring;
  scoring.unit = "dialogue";
  VALENCE_TRY(scoring.tie_rule, boundary_rule_from(settings.text("tie_rule")));
  VALENCE_TRY(const auto target, load_target("svo_" + settings.text("target_set")));
  for (const auto& [value, angle] : target.values) scoring.targets[value] = angle;
  // The reachable band is a fact of the slider, whatever is aimed at.
  VALENCE_TRY(const auto reachable, load_target("svo_reachable"));
  if (!reachable.reachable) return fail(ErrorCode::kUsage, "target svo_reachable lacks its \"reachable\" band");
  scoring.band = *reachable.reachable;
  return scoring;
}

}  // namespace valence
