#include <nlohmann/json.hpp>

#include "valence/base/text.h"
#include "valence/values/opinions.h"
#include "valence/values/space_map.h"

namespace valence {

bool names_opinions(std::string_view name) { return name.ends_with(".json"); }

Target as_target(OpinionTarget opinions) {
  Target target;
  target.id = opinions.id;
  target.space = "opinions";
  target.label = opinions.label;
  target.provenance = opinions.provenance;
  target.opinions = std::make_shared<const OpinionTarget>(std::move(opinions));
  return target;
}

Result<Target> load_any_target(const std::string& id, std::string_view map) {
  if (!names_opinions(id)) return load_mapped_target(id, map);
  if (!map.empty())
    return fail(ErrorCode::kUsage,
                "{}: maps are for targets of scores, and this holds answer distributions; leave \"{}\" out", id,
                printable(map));
  VALENCE_TRY(auto opinions, read_opinion_target(id));
  return as_target(std::move(opinions));
}

std::string identity_text(const Target& target) {
  return target.opinions ? to_text(to_json(*target.opinions)) : to_toml(target);
}

}  // namespace valence
