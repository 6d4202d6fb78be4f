#include <nlohmann/json.hpp>

#include "steps.h"
#include "valence/base/json.h"
#include "valence/report/comparison_json.h"
#include "valence/report/report_files.h"

namespace valence::study {
namespace {

struct ChangeWish {
  std::string before, after;  ///< full names of measurements
  std::uint64_t seed = 0;
};

class ChangeStep final : public Step {
 public:
  ChangeStep(std::string name, ChangeWish wish) : Step("change", std::move(name)), wish_(std::move(wish)) {}

  std::vector<std::string> needs() const override { return {wish_.before, wish_.after}; }

  Result<Digest> own_hash() const override {
    Hasher hasher;
    hasher.add("change 1").add(wish_.seed).add(std::uint64_t{stats::kDefaultReplicates});
    return hasher.finish();
  }

  std::string what(const StepMap& steps) const override { return steps.at(wish_.before)->instrument()->card().id; }

  Result<RunId> run(const StepContext& context) const override {
    VALENCE_TRY(const auto first, context.run_of(wish_.before));
    VALENCE_TRY(const auto second, context.run_of(wish_.after));
    VALENCE_TRY(const auto before, load_report_run(context.store, first));
    VALENCE_TRY(const auto after, load_report_run(context.store, second));
    VALENCE_TRY(const auto a, settings_of(before));
    VALENCE_TRY(const auto b, settings_of(after));
    const ProfileOptions options{.replicates = stats::kDefaultReplicates, .seed = wish_.seed};
    VALENCE_TRY(const auto differences,
                compare(*before.instrument, {&a, &before.answers}, {&b, &after.answers}, options));
    const auto json = comparison_json(before, after, differences, answer_agreement(before.answers, after.answers));
    return file_result(context, "change", before.record.subject,
                       {{"before", wish_.before}, {"after", wish_.after}, {"seed", wish_.seed}}, json);
  }

 private:
  ChangeWish wish_;
};

}  // namespace

Result<std::unique_ptr<Step>> read_change_step(const std::string& name, const Node& table, const StepNames& names,
                                               const StudyDefaults& defaults) {
  VALENCE_CHECK(table.allow_only({"before", "after", "seed"}));
  ChangeWish wish;
  VALENCE_TRY(wish.before, names.at(table, "before", {"measure"}));
  VALENCE_TRY(wish.after, names.at(table, "after", {"measure"}));
  VALENCE_CHECK(check_comparable(*table.find("after"), names, wish.before, wish.after));
  VALENCE_TRY(wish.seed, seed_at(table, defaults));
  return std::make_unique<ChangeStep>(name, std::move(wish));
}

}  // namespace valence::study
