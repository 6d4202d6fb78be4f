#include "valence/align/choice.h"

#include <nlohmann/json.hpp>

#include "valence/align/choice_data.h"
#include "valence/align/training.h"
#include "valence/base/json.h"

namespace valence {
namespace {

constexpr std::string_view kTowardTarget = "target";

const AlignerCard kChoiceCard = {
    .id = "choice",
    .title = "Choice alignment",
    .version = "2",
    .does =
        "Trains an adapter on the cross-entropy of the subject's answers to a target's, in all layouts of every "
        "question.",
    .limits = "It teaches answers to questions with options; whether behaviour follows is shown by another instrument.",
    .changes_weights = true,
    .needs_target = false,
    .needs_instrument = true};

SettingTable choice_settings() {
  SettingTable table = {
      {"toward",
       SettingType::kText,
       "target",
       "",
       "whose answers are learned: target (those that the named target amounts to), a model or a scripted subject",
       {},
       {},
       {}},
      {"toward_persona", SettingType::kText, "", "", "system prompt of whoever is learned from", {}, {}, {}},
      {"learn", SettingType::kChoice, "letter", "", "which questions are learned", {"letter", "text", "both"}, {}, {}}};
  const auto& training = (*find_operation("choice"))->settings;
  table.insert(table.end(), training.begin(), training.end());
  return table;
}

bool is_towards_target(const Settings& settings) { return settings.text("toward") == kTowardTarget; }

Result<void> check_teacher(const AlignRequest& request) {
  const bool towards_target = is_towards_target(request.settings);
  if (towards_target && !request.settings.text("toward_persona").empty())
    return fail(ErrorCode::kUsage, "choice: toward_persona is the system prompt of a model that is learned from; a target has none");
  if (towards_target == (request.target != nullptr)) return {};
  if (towards_target)
    return fail(ErrorCode::kUsage,
                "choice: say whose answers are learned: name a target, or a model or scripted subject with toward");
  return fail(ErrorCode::kUsage,
              "choice: both the target {} and toward = \"{}\" say whose answers are learned; leave one out",
              request.target->id, request.settings.text("toward"));
}

Result<Teacher> teacher_of(const AlignContext& context) {
  if (is_towards_target(context.settings)) return target_teacher(*context.instrument, *context.asked, *context.target);
  auto spec = context.base.model;
  spec.name = context.settings.text("toward");
  spec.adapters.clear();  // they are the student's
  VALENCE_TRY(std::shared_ptr<LanguageModel> model, open_model(spec));
  return Teacher{std::move(model), context.settings.text("toward_persona")};
}

/// Who is learned from, for people.
std::string teacher_name(const AlignContext& context) {
  return is_towards_target(context.settings) ? fmt::format("target {}", context.target->id)
                                             : context.settings.text("toward");
}

Result<ChoiceData> learn(const AlignContext& context, const Teacher& teacher) {
  const auto& settings = context.settings;
  VALENCE_TRY(const auto student, open_subject(context.base));
  const ChoiceLessons lessons{settings.text("learn") != "text", settings.text("learn") != "letter",
                              static_cast<std::size_t>(settings.integer("longest"))};
  return choice_data(*context.instrument, *context.asked, student, teacher, lessons, context.seed, context.progress);
}

class ChoiceAligner final : public Aligner {
 public:
  const AlignerCard& card() const override { return kChoiceCard; }
  const SettingTable& settings() const override { return table_; }

  Result<void> check(const AlignRequest& request) const override {
    VALENCE_CHECK(check_teacher(request));
    if (request.target == nullptr) return {};
    VALENCE_TRY(const auto key, request.instrument->answer_key(*request.target, *request.asked));
    return {};
  }

  Result<void> ready(const AlignRequest&) const override {
    VALENCE_TRY(const auto trainer, find_trainer());
    return {};
  }

  Result<AlignedSubject> align(const AlignContext& context, RunId) const override {
    VALENCE_TRY(const auto* operation, find_operation("choice"));
    VALENCE_TRY(auto training, settings_of_operation(*operation, context.settings));
    VALENCE_TRY(const auto registry, ModelRegistry::open());
    VALENCE_TRY(auto file, registry.resolve(context.base.model.name));
    VALENCE_TRY(const auto teacher, teacher_of(context));
    VALENCE_TRY(auto data, learn(context, teacher));
    const auto layouts = data.layouts, unscored = data.unscored, too_long = data.too_long, other_format = data.other_format;
    const auto not_in_target = data.not_in_target(), not_put = data.not_put();
    const TrainingRequest request{
        *operation,
        std::move(training),
        std::move(file),
        context.base.model.adapters,
        std::move(data.examples),
        {},
        context.folder,
        context.seed,
        context.base.model.engine.threads,
        fmt::format("{} answered by {}", context.instrument->card().id, teacher_name(context))};
    VALENCE_TRY(const auto run, run_training(request, context.store, {context.stop, context.progress == nullptr}));
    AlignedSubject aligned{context.base, {}, 0};
    aligned.subject.name = fmt::format("{} aligned to {}", display_name(context.base), teacher_name(context));
    aligned.subject.model = trained_model(context.base.model, run.outcome);
    aligned.record = to_text(Json{{"questions", request.examples.size()},
                                  {"layouts", layouts},
                                  {"unanswered", unscored},
                                  {"too_long", too_long},
                                  {"other_format", other_format},
                                  {"not_in_target", not_in_target},
                                  {"not_put", not_put},
                                  {"toward", teacher_name(context)},
                                  {"rule", teacher.key ? teacher.key->rule : std::string()},
                                  {"steps", run.outcome.steps},
                                  {"tokens", run.outcome.tokens},
                                  {"seconds", run.outcome.seconds},
                                  {"parity", run.outcome.parity},
                                  {"training_run", run.run},
                                  {"adapter", run.outcome.adapter.string()},
                                  {"adapter_sha256", run.outcome.adapter_sha256}});
    return aligned;
  }

 private:
  SettingTable table_ = choice_settings();
};

}  // namespace

std::unique_ptr<Aligner> make_choice() { return std::make_unique<ChoiceAligner>(); }

}  // namespace valence
