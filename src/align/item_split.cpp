#include "valence/align/item_split.h"

#include "valence/instruments/questionnaire.h"
#include "valence/instruments/svo.h"

namespace valence {
namespace {

Result<ItemSplit> split_questionnaire(const Settings& settings) {
  VALENCE_TRY(const auto questionnaire, load_questionnaire(settings.text("questionnaire")));
  auto halves = questionnaire_halves(questionnaire);
  return ItemSplit{std::move(halves.training), std::move(halves.held_out),
                   "within each dimension by the hash of the item's text, one to each side in turn"};
}

Result<ItemSplit> split_sliders() {
  VALENCE_TRY(const auto measure, load_svo_measure());
  ItemSplit split;
  split.rule = "secondary sliders searched, primary sliders held out: an angle needs all six";
  for (const auto& item : measure.secondary()) split.searched.insert(item.id);
  for (const auto& item : measure.primary()) split.held_out.insert(item.id);
  return split;
}

}  // namespace

bool has_halves(const Instrument& instrument) {
  const auto& id = instrument.card().id;
  return id == "questionnaire" || id == "svo";
}

Result<ItemSplit> split_items(const Instrument& instrument, const Settings& settings) {
  const auto& id = instrument.card().id;
  if (id == "questionnaire") return split_questionnaire(settings);
  if (id == "svo") return split_sliders();
  return fail(
      ErrorCode::kUsage,
      "the items of {} cannot be halved into those to search on and those to measure on; take svo or questionnaire",
      id);
}

}  // namespace valence
