#include <algorithm>
#include <nlohmann/json.hpp>

#include "steps.h"
#include "valence/base/json.h"
#include "valence/base/text.h"
#include "valence/instruments/opinions.h"
#include "valence/instruments/target_gap.h"
#include "valence/report/gap_json.h"
#include "valence/report/report_files.h"
#include "valence/values/gap_measures.h"

namespace valence::study {
namespace {

struct GapWish {
  std::string before, after, target;  ///< full names; `after` may be empty
  std::vector<std::string> distances;
  std::uint64_t seed = 0;
};

class GapStep final : public Step {
 public:
  GapStep(std::string name, GapWish wish) : Step("gap", std::move(name)), wish_(std::move(wish)) {}

  std::vector<std::string> needs() const override {
    std::vector<std::string> names = {wish_.before};
    if (!wish_.after.empty()) names.push_back(wish_.after);
    names.push_back(wish_.target);
    return names;
  }

  Result<Digest> own_hash() const override {
    Hasher hasher;
    hasher.add("gap 2").add(wish_.seed).add(std::uint64_t{kGapReplicates});
    for (const auto& distance : wish_.distances) hasher.add(distance);
    return hasher.finish();
  }

  std::string what(const StepMap& steps) const override {
    return fmt::format("{} · {}", steps.at(wish_.before)->instrument()->card().id, wish_.after.empty() ? "one" : "two");
  }

  Result<RunId> run(const StepContext& context) const override {
    VALENCE_TRY(const auto target, context.target(wish_.target));
    VALENCE_TRY(const auto before, report_run(context, wish_.before));
    VALENCE_TRY(auto json, wish_.after.empty() ? one(before, target) : two(context, before, target));
    return file_result(context, "gap", before.record.subject, settings_json(), json);
  }

 private:
  static Result<ReportRun> report_run(const StepContext& context, const std::string& step) {
    VALENCE_TRY(const auto run, context.run_of(step));
    return load_report_run(context.store, run);
  }

  Json settings_json() const {
    return {{"before", wish_.before},
            {"after", wish_.after},
            {"target", wish_.target},
            {"distances", wish_.distances},
            {"seed", wish_.seed}};
  }

  Result<TargetGap> gap_to(const Target& target, const ReportRun& run) const {
    if (target.opinions) return opinion_gap(run.answers, *target.opinions, options());
    VALENCE_TRY(const auto settings, settings_of(run));
    return target_gap(*run.instrument, {&settings, &run.answers}, goal_of(target), wish_.distances, options());
  }

  Result<ComparedGap> gaps_to(const Target& target, const ReportRun& before, const ReportRun& after) const {
    if (target.opinions) return compare_opinion_gaps(before.answers, after.answers, *target.opinions, options());
    VALENCE_TRY(const auto first, settings_of(before));
    VALENCE_TRY(const auto second, settings_of(after));
    return compare_gaps(*before.instrument, {&first, &before.answers}, {&second, &after.answers}, goal_of(target),
                        wish_.distances, options());
  }

  Result<Json> one(const ReportRun& run, const Target& target) const {
    VALENCE_TRY(const auto gap, gap_to(target, run));
    Json json = gap_json(target, gap);
    json["run"] = run.record.id;
    return json;
  }

  Result<Json> two(const StepContext& context, const ReportRun& before, const Target& target) const {
    VALENCE_TRY(const auto after, report_run(context, wish_.after));
    VALENCE_TRY(const auto gaps, gaps_to(target, before, after));
    return compared_gap_json(before, after, target, gaps);
  }

  ProfileOptions options() const { return {.replicates = kGapReplicates, .seed = wish_.seed}; }

  GapWish wish_;
};

Result<std::string> measurement_at(const Node& table, std::string_view key, const StepNames& names,
                                   const Target& target) {
  VALENCE_TRY(auto step, names.at(table, key, {"measure"}));
  VALENCE_TRY(const auto space, names.find(step)->space());
  if (space == target.space) return step;
  return tl::unexpected(table.find(key)->error(
      fmt::format("{} measures in the space {}, the target lives in {}", step, space, target.space)));
}

/// Angles have distances of their own: value rationality only where the target says what real answers can reach.
Result<void> check_ring_distance(const std::string& distance, const Target& target) {
  std::vector<std::string> known = {"angle_distance"};
  if (target.reachable) known.emplace_back("value_rationality");
  if (std::find(known.begin(), known.end(), distance) != known.end()) return {};
  if (distance == "value_rationality")
    return fail(ErrorCode::kUsage, "distance \"{}\": target {} names no reachable range; write \"angle_distance\"",
                distance, target.id);
  const auto near = nearest(distance, known);
  return fail(ErrorCode::kUsage, "unknown distance \"{}\" of angles; {}", printable(distance),
              near.empty() ? "expected one of " + join(known, ", ") : "did you mean \"" + near + "\"?");
}

Result<void> check_distance(const std::string& distance, const Target& target, SpaceKind kind) {
  if (kind == SpaceKind::kRing) return check_ring_distance(distance, target);
  VALENCE_TRY(const auto* measure, find_gap_measure(distance));
  if (applies(*measure, to_string(target.scale))) return {};
  return fail(ErrorCode::kUsage,
              "distance \"{}\" is for {} scores, target {} is given as {} ones; choose another (valence gap --help)",
              distance, measure->scores == GapScores::kUnit ? "unit" : "centred or unit", target.id,
              to_string(target.scale));
}

/// Everything is checked here: the distances come last in a study, after hours of training perhaps.
Result<void> read_distances(const Node& table, const Target& target, std::vector<std::string>& distances) {
  const auto* node = table.find("distances");
  if (!node) return {};
  if (target.opinions)
    return tl::unexpected(node->error(fmt::format(
        "distances are chosen among those of scores, and target {} holds answer distributions; leave them out",
        target.id)));
  VALENCE_TRY(distances, node->as_strings());
  VALENCE_TRY(const auto entries, node->as_array());
  VALENCE_TRY(const auto space, load_space(target.space));
  for (std::size_t i = 0; i < distances.size(); ++i) {
    const auto checked = check_distance(distances[i], target, space.kind);
    if (!checked) return tl::unexpected(entries[i].error(checked.error().message));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Step>> read_gap_step(const std::string& name, const Node& table, const StepNames& names,
                                            const StudyDefaults& defaults) {
  VALENCE_CHECK(table.allow_only({"before", "after", "target", "distances", "seed"}));
  GapWish wish;
  VALENCE_TRY(wish.target, names.at(table, "target", {"target"}));
  const auto& target = *names.find(wish.target)->target();
  VALENCE_TRY(wish.before, measurement_at(table, "before", names, target));
  if (table.find("after")) {
    VALENCE_TRY(wish.after, measurement_at(table, "after", names, target));
    VALENCE_CHECK(check_comparable(*table.find("after"), names, wish.before, wish.after));
  }
  VALENCE_CHECK(read_distances(table, target, wish.distances));
  VALENCE_TRY(wish.seed, seed_at(table, defaults));
  return std::make_unique<GapStep>(name, std::move(wish));
}

}  // namespace valence::study
