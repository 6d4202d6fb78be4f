#include "steps.h"
#include "valence/base/text.h"
#include "valence/values/opinions.h"

namespace valence::study {
namespace {

class SubjectStep final : public Step {
 public:
  SubjectStep(std::string name, SubjectSpec spec) : Step("subject", std::move(name)), spec_(std::move(spec)) {}
  bool is_input() const override { return true; }
  Result<Digest> own_hash() const override { return subject_identity(spec_); }
  std::string what(const StepMap&) const override { return display_name(spec_); }
  Result<RunId> run(const StepContext&) const override { return fail(ErrorCode::kInvalid, "subjects are not run"); }
  const SubjectSpec* subject() const override { return &spec_; }

 private:
  SubjectSpec spec_;
};

class TargetStep final : public Step {
 public:
  TargetStep(std::string name, Target target) : Step("target", std::move(name)), target_(std::move(target)) {}
  bool is_input() const override { return true; }
  Result<Digest> own_hash() const override { return sha256(identity_text(target_)); }
  std::string what(const StepMap&) const override { return target_.label; }
  Result<RunId> run(const StepContext&) const override { return fail(ErrorCode::kInvalid, "targets are not run"); }
  const Target* target() const override { return &target_; }

 private:
  Target target_;
};

Result<Target> target_from(const Node& table) {
  VALENCE_TRY(const auto id, table.string_at("target"));
  VALENCE_TRY(const auto map, table.string_or("map", ""));
  auto target = load_any_target(id, map);
  if (!target) return tl::unexpected(table.find(map.empty() ? "target" : "map")->error(target.error().message));
  const auto* node = table.find("dimensions");
  if (!node) return target;
  VALENCE_TRY(const auto dimensions, node->as_strings());
  target = narrowed(*std::move(target), dimensions);
  if (!target) return tl::unexpected(node->error(target.error().message));
  return target;
}

}  // namespace

Result<std::unique_ptr<Step>> read_subject_step(const std::string& name, const Node& table, const StepNames&,
                                                const StudyDefaults&) {
  VALENCE_TRY(auto spec, subject_from(table));
  return std::make_unique<SubjectStep>(name, std::move(spec));
}

Result<std::unique_ptr<Step>> read_target_step(const std::string& name, const Node& table, const StepNames&,
                                               const StudyDefaults&) {
  VALENCE_CHECK(table.allow_only({"target", "map", "dimensions"}));
  VALENCE_TRY(auto target, target_from(table));
  return std::make_unique<TargetStep>(name, std::move(target));
}

}  // namespace valence::study
