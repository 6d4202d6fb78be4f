#include "steps.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/store/run_scope.h"

namespace valence {

const std::vector<StepKind>& step_kinds() {
  static const std::vector<StepKind> kinds = {
      {"subject", "who is examined", study::read_subject_step},
      {"target", "a position that people chose", study::read_target_step},
      {"align", "brings a subject nearer to a target", study::read_align_step},
      {"measure", "puts an instrument to a subject", study::read_measure_step},
      {"gap", "how far measurements are from a target", study::read_gap_step},
      {"change", "what changed between two measurements", study::read_change_step},
      {"content", "whether answers follow a target by their content", study::read_content_step},
      {"saydo", "whether a subject does what it says of itself", study::read_saydo_step},
      {"tax", "what an alignment cost", study::read_tax_step}};
  return kinds;
}

namespace study {

Result<Settings> settings_at(const Node& table, std::string_view key, const SettingTable& specs) {
  const auto* node = table.find(key);
  return node ? Settings::resolve(specs, *node)
              : Settings::resolve(specs, std::vector<std::pair<std::string, std::string>>());
}

Result<const Instrument*> instrument_at(const Node& table, std::string_view key) {
  VALENCE_TRY(const auto id, table.string_at(key));
  auto found = find_instrument(id);
  if (!found) return tl::unexpected(table.find(key)->error(found.error().message));
  return *found;
}

Result<void> check_comparable(const Node& place, const StepNames& names, const std::string& before,
                              const std::string& after) {
  const auto &first = *names.find(before), &second = *names.find(after);
  if (before == after) return tl::unexpected(place.error(fmt::format("{} is held against itself", before)));
  if (first.instrument() != second.instrument())
    return tl::unexpected(place.error(fmt::format("{} and {} are of different instruments", before, after)));
  const auto theirs = second.asked();
  for (const auto& [name, value] : first.asked()) {
    const auto other = std::ranges::find(theirs, name, &std::pair<std::string, std::string>::first);
    if (other == theirs.end() || other->second == value) continue;
    return tl::unexpected(place.error(
        fmt::format("{} and {} are asked differently ({} = {} and {}), so that a change could be that of the questions; "
                    "give both the same settings",
                    before, after, name, value, other->second)));
  }
  return {};
}

Result<std::uint64_t> seed_at(const Node& table, const StudyDefaults& defaults) {
  VALENCE_TRY(const auto seed, table.integer_or("seed", static_cast<std::int64_t>(defaults.seed)));
  if (seed < 0)
    return tl::unexpected(table.find("seed")->error(fmt::format("\"seed\" should be 0 or more, got {}", seed)));
  return static_cast<std::uint64_t>(seed);
}

std::string model_of(const StepMap& steps, const std::string& subject) {
  const Step* step = steps.at(subject);
  while (!step->subject()) step = steps.at(step->needs().front());  // an alignment's first need is its base
  return step->subject()->model.name;
}

Result<RunId> file_result(const StepContext& context, std::string_view kind, const std::string& subject,
                          const Json& settings, const Json& result) {
  RunRecord record;
  record.key = context.hash;
  record.instrument = kind;
  record.subject = subject;
  record.settings = to_text(settings);
  record.provenance = to_text(Json{{"step", context.hash}});
  VALENCE_TRY(const auto scope, RunScope::begin(context.store, record));
  const auto done = context.store.finish(scope.run(), {record.instrument, {}, {}}, to_text(result));
  if (!done) return tl::unexpected(scope.ended(done.error()));
  return scope.run();
}

}  // namespace study
}  // namespace valence
