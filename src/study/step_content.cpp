#include <nlohmann/json.hpp>

#include "steps.h"
#include "valence/base/json.h"
#include "valence/instruments/content_test.h"
#include "valence/report/report_files.h"

namespace valence::study {
namespace {

struct ContentWish {
  std::string before, after, target;  ///< full names; `before` may be empty
};

/// The figures that stand beside the accuracy: where the run is, in the instrument's own terms.
Json headline_json(const ReportRun& run) {
  Json figures = Json::array();
  for (const auto& entry : run.profile.entries) {
    if (!entry.estimand.headline) continue;
    figures.push_back(
        {{"label", row_label(entry.estimand)}, {"unit", entry.estimand.unit}, {"estimate", to_json(entry.estimate)}});
  }
  return figures;
}

class ContentStep final : public Step {
 public:
  ContentStep(std::string name, ContentWish wish) : Step("content", std::move(name)), wish_(std::move(wish)) {}

  std::vector<std::string> needs() const override {
    std::vector<std::string> names;
    if (!wish_.before.empty()) names.push_back(wish_.before);
    names.insert(names.end(), {wish_.after, wish_.target});
    return names;
  }

  Result<Digest> own_hash() const override {
    Hasher hasher;
    hasher.add("content 1").add(std::uint64_t{!wish_.before.empty()});
    return hasher.finish();
  }

  std::string what(const StepMap& steps) const override { return steps.at(wish_.after)->instrument()->card().id; }

  Result<RunId> run(const StepContext& context) const override {
    VALENCE_TRY(const auto target, context.target(wish_.target));
    VALENCE_TRY(const auto after, load(context, wish_.after));
    VALENCE_TRY(const auto tested, test(after, target));
    Json json = {{"target", target.label},
                 {"instrument", after.instrument->card().title},
                 {"before", nullptr},
                 {"gain", nullptr},
                 {"after", side(after, tested)}};
    if (!wish_.before.empty()) {
      VALENCE_TRY(const auto before, load(context, wish_.before));
      VALENCE_TRY(const auto first, test(before, target));
      json["before"] = side(before, first);
      if (const auto gain = accuracy_gain(first, tested)) json["gain"] = to_json(*gain);
    }
    return file_result(context, "content", after.record.subject,
                       {{"before", wish_.before}, {"after", wish_.after}, {"target", wish_.target}}, json);
  }

 private:
  static Result<ReportRun> load(const StepContext& context, const std::string& step) {
    VALENCE_TRY(const auto run, context.run_of(step));
    return load_report_run(context.store, run);
  }

  static Result<ContentTest> test(const ReportRun& run, const Target& target) {
    VALENCE_TRY(const auto settings, settings_of(run));
    return content_test(*run.instrument, {&settings, &run.answers}, target, run.profile.validity);
  }

  static Json side(const ReportRun& run, const ContentTest& test) {
    Json json = to_json(test);
    json["run"] = run.record.id;
    json["subject"] = run.profile.subject;
    json["figures"] = headline_json(run);
    return json;
  }

  ContentWish wish_;
};

}  // namespace

Result<std::unique_ptr<Step>> read_content_step(const std::string& name, const Node& table, const StepNames& names,
                                                const StudyDefaults&) {
  VALENCE_CHECK(table.allow_only({"before", "after", "target"}));
  ContentWish wish;
  if (table.find("before")) {
    VALENCE_TRY(wish.before, names.at(table, "before", {"measure"}));
  }
  VALENCE_TRY(wish.after, names.at(table, "after", {"measure"}));
  VALENCE_TRY(wish.target, names.at(table, "target", {"target"}));
  const auto* measured = names.find(wish.after);
  const auto answered = measured->can_be_answered_by(*names.find(wish.target)->target());
  if (!answered) return tl::unexpected(table.find("target")->error(answered.error().message));
  if (!wish.before.empty() && names.find(wish.before)->instrument() != measured->instrument()) {
    return tl::unexpected(
        table.find("after")->error(fmt::format("{} and {} are of different instruments", wish.before, wish.after)));
  }
  return std::make_unique<ContentStep>(name, std::move(wish));
}

}  // namespace valence::study
