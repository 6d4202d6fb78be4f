#include "valence/align/choice.h"

#include <nlohmann/json.hpp>

#include "valence/align/choice_data.h"
#include "valence/align/training.h"
#include "valence/base/json.h"

namespace valence {
namespace {

const AlignerCard kChoiceCard = {
    .id = "choice",
    .title = "Choice alignment",
    .version = "1",
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
       "scripted:ideal",
       "",
       "whose answers are learned: a model or a scripted subject",
       {},
       {},
       {}},
      {"toward_persona", SettingType::kText, "", "", "system prompt of whoever is learned from", {}, {}, {}},
      {"learn", SettingType::kChoice, "letter", "", "which questions are learned", {"letter", "text", "both"}, {}, {}}};
  const auto& training = (*find_operation("choice"))->settings;
  table.insert(table.end(), training.begin(), training.end());
  return table;
}

/// The operation's own settings among the aligner's.
Result<Settings> training_settings(const Operation& operation, const Settings& settings) {
  std::vector<std::pair<std::string, std::string>> given;
  for (const auto& spec : operation.settings) given.emplace_back(spec.name, settings.text(spec.name));
  return Settings::resolve(operation.settings, given);
}

Result<ChoiceData> learn(const AlignContext& context) {
  const auto& settings = context.settings;
  auto spec = context.base.model;
  spec.name = settings.text("toward");
  VALENCE_TRY(const auto student, open_subject(context.base));
  VALENCE_TRY(std::shared_ptr<LanguageModel> model, open_model(spec));
  const Teacher teacher{std::move(model), settings.text("toward_persona")};
  const ChoiceLessons lessons{settings.text("learn") != "text", settings.text("learn") != "letter",
                              static_cast<std::size_t>(settings.integer("longest"))};
  return choice_data(*context.instrument, *context.asked, student, teacher, lessons, context.seed, context.progress);
}

class ChoiceAligner final : public Aligner {
 public:
  const AlignerCard& card() const override { return kChoiceCard; }
  const SettingTable& settings() const override { return table_; }

  Result<AlignedSubject> align(const AlignContext& context, RunId) const override {
    if (!context.base.model.adapters.empty()) {
      return fail(ErrorCode::kUsage,
                  "{}: training starts from the weights as they are; merge its adapter into them first",
                  display_name(context.base));
    }
    VALENCE_TRY(const auto* operation, find_operation("choice"));
    VALENCE_TRY(auto training, training_settings(*operation, context.settings));
    VALENCE_TRY(const auto registry, ModelRegistry::open());
    VALENCE_TRY(auto file, registry.resolve(context.base.model.name));
    VALENCE_TRY(auto data, learn(context));
    const auto layouts = data.layouts;
    const TrainingRequest request{
        *operation,
        std::move(training),
        std::move(file),
        std::move(data.examples),
        {},
        context.folder,
        context.seed,
        context.base.model.engine.threads,
        "f32",
        fmt::format("{} answered by {}", context.instrument->card().id, context.settings.text("toward"))};
    VALENCE_TRY(const auto run, run_training(request, context.store, {context.stop, context.progress == nullptr}));
    AlignedSubject aligned{context.base, {}, 0};
    aligned.subject.model.adapters.push_back({run.outcome.adapter.string(), 1.0});
    aligned.record = to_text(Json{{"questions", request.examples.size()},
                                  {"layouts", layouts},
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
