#include "valence/align/item_split.h"

#include <algorithm>
#include <map>
#include <vector>

#include "valence/base/digest.h"
#include "valence/instruments/questionnaire.h"
#include "valence/instruments/svo.h"

namespace valence {
namespace {

struct HashedItem {
  std::string hash, id;
  auto operator<=>(const HashedItem&) const = default;
};

Result<ItemSplit> split_questionnaire(const Settings& settings) {
  VALENCE_TRY(const auto questionnaire, load_questionnaire(settings.text("questionnaire")));
  std::map<std::string, std::vector<HashedItem>> by_dimension;
  for (const auto& item : questionnaire.items)
    by_dimension[item.dimension].push_back({sha256(item.text).hex(), item.id});
  ItemSplit split;
  split.rule = "within each dimension by the hash of the item's text, one to each side in turn";
  bool searched = true;  // carried from dimension to dimension, so that odd numbers even out
  for (auto& [dimension, items] : by_dimension) {
    std::ranges::sort(items);
    for (const auto& item : items) {
      (searched ? split.searched : split.held_out).insert(item.id);
      searched = !searched;
    }
  }
  return split;
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
