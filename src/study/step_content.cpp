#include <nlohmann/json.hpp>

#include "steps.h"
#include "valence/base/json.h"
#include "valence/instruments/content_test.h"
#include "valence/report/content_json.h"
#include "valence/report/report_files.h"

namespace valence::study {
namespace {

struct ContentWish {
  std::string before, after, target;  ///< full names; `before` may be empty
};

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
    std::optional<ReportRun> before;
    if (!wish_.before.empty()) {
      VALENCE_TRY(before, load(context, wish_.before));
    }
    VALENCE_TRY(const auto json, content_json(before ? &*before : nullptr, after, target));
    return file_result(context, "content", after.record.subject,
                       {{"before", wish_.before}, {"after", wish_.after}, {"target", wish_.target}}, json);
  }

 private:
  static Result<ReportRun> load(const StepContext& context, const std::string& step) {
    VALENCE_TRY(const auto run, context.run_of(step));
    return load_report_run(context.store, run);
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
  const auto& target = *names.find(wish.target)->target();
  if (const auto told = require_right_answers(target); !told)
    return tl::unexpected(table.find("target")->error(told.error().message));
  const auto answered = names.find(wish.after)->can_be_answered_by(target);
  if (!answered) return tl::unexpected(table.find("target")->error(answered.error().message));
  if (!wish.before.empty()) VALENCE_CHECK(check_comparable(*table.find("after"), names, wish.before, wish.after));
  return std::make_unique<ContentStep>(name, std::move(wish));
}

}  // namespace valence::study
