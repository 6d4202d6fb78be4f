#pragma once

#include <memory>
#include <string>
#include <vector>

#include "svo_wording.h"
#include "valence/exam/examiner.h"

namespace valence {

/// One wording of the whole dialogue; the fields are explained in data/instruments/hvae/wording.toml.
struct HvaeWording {
  SliderWording slider;
  std::string induction, adoption, goal;
  std::string with_goal, without_goal;
};

struct HvaeWordings {
  std::vector<HvaeWording> wordings;
  std::vector<std::string> ordinals;                          ///< "first" … "sixth"
  std::vector<std::pair<std::string, std::string>> names;     ///< value id → what it is called
};
Result<HvaeWordings> hvae_wordings();

enum class Histories { kIndependent, kSampled };

/// All that one dialogue is made of; text is filled in beforehand, but for what depends on the subject's goal.
struct HvaeScript {
  std::string unit, condition;
  std::string value_name;           ///< empty: no induction, the plain slider
  HvaeWording wording;              ///< of the plain slider, only `slider` is set
  bool goal = true;
  Histories histories = Histories::kIndependent;
  SliderManner manner;
  Sampling sampling;                ///< of the open replies
  std::vector<SliderItem> items;    ///< primary items in the order asked (version A or B)
  std::vector<std::string> ordinals;
};

/// The dialogue of a script: induction, adoption, goal (if any), then the items: all at once when histories are
/// independent, else one after the other, each answer in the history of the next. Ends early where an open reply or,
/// with sampled histories, an answer is missing because of an error: nothing could then stand in the history.
/// The goal is spliced in as literal text, never read as template.
Result<std::unique_ptr<Dialogue>> hvae_dialogue(HvaeScript script);

/// A row per question of the script: those answered, and Status::kError with the reason for items that were not reached.
std::vector<AnswerRow> hvae_rows(const HvaeScript& script, const std::vector<Answer>& answers);

/// Whether a row is the reply to the induction, the adoption or the goal.
bool is_open_reply(const AnswerRow& row);

}  // namespace valence
