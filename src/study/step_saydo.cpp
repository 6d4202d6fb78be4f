#include <nlohmann/json.hpp>

#include "steps.h"
#include "valence/instruments/say_do.h"
#include "valence/report/report_files.h"
#include "valence/report/say_do_json.h"

namespace valence::study {
namespace {

struct SayDoWish {
  std::string says, does;  ///< full names of measurements
  std::uint64_t seed = 0;
};

class SayDoStep final : public Step {
 public:
  SayDoStep(std::string name, SayDoWish wish) : Step("saydo", std::move(name)), wish_(std::move(wish)) {}

  std::vector<std::string> needs() const override { return {wish_.says, wish_.does}; }

  Result<Digest> own_hash() const override {
    Hasher hasher;
    hasher.add("saydo 1").add(wish_.seed).add(std::uint64_t{stats::kDefaultReplicates});
    return hasher.finish();
  }

  std::string what(const StepMap& steps) const override {
    return fmt::format("{} · {}", steps.at(wish_.says)->instrument()->card().id,
                       steps.at(wish_.does)->instrument()->card().id);
  }

  Result<RunId> run(const StepContext& context) const override {
    VALENCE_TRY(const auto first, context.run_of(wish_.says));
    VALENCE_TRY(const auto second, context.run_of(wish_.does));
    VALENCE_TRY(const auto says, load_report_run(context.store, first));
    VALENCE_TRY(const auto does, load_report_run(context.store, second));
    VALENCE_TRY(const auto a, settings_of(says));
    VALENCE_TRY(const auto b, settings_of(does));
    const ProfileOptions options{.replicates = stats::kDefaultReplicates, .seed = wish_.seed};
    auto json = agreement(says, a, does, b, options);
    return file_result(context, "saydo", does.record.subject,
                       {{"says", wish_.says}, {"does", wish_.does}, {"seed", wish_.seed}}, json);
  }

 private:
  /// Too few values that both sides define is a finding of a study, not its end.
  static Json agreement(const ReportRun& says, const Settings& a, const ReportRun& does, const Settings& b,
                        const ProfileOptions& options) {
    const auto result = say_do(*says.instrument, {&a, &says.answers}, *does.instrument, {&b, &does.answers}, options);
    if (result) return say_do_json(says, does, *result);
    auto json = say_do_json(says, does, {});
    json["undefined"] = result.error().message;
    return json;
  }

  SayDoWish wish_;
};

Result<std::string> side_at(const Node& table, std::string_view key, const StepNames& names) {
  VALENCE_TRY(auto step, names.at(table, key, {"measure"}));
  const std::string_view wanted = key == "says" ? "questionnaire" : "fulcra";
  const auto& id = names.find(step)->instrument()->card().id;
  if (id == wanted) return step;
  return tl::unexpected(
      table.find(key)->error(fmt::format("{} should be a run of {}, {} is one of {}", key, wanted, step, id)));
}

}  // namespace

Result<std::unique_ptr<Step>> read_saydo_step(const std::string& name, const Node& table, const StepNames& names,
                                              const StudyDefaults& defaults) {
  VALENCE_CHECK(table.allow_only({"says", "does", "seed"}));
  SayDoWish wish;
  VALENCE_TRY(wish.says, side_at(table, "says", names));
  VALENCE_TRY(wish.does, side_at(table, "does", names));
  VALENCE_TRY(wish.seed, seed_at(table, defaults));
  return std::make_unique<SayDoStep>(name, std::move(wish));
}

}  // namespace valence::study
