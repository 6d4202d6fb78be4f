#include "valence/align/in_context.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "search_objective.h"
#include "valence/align/item_split.h"
#include "valence/base/json.h"
#include "valence/base/text.h"

namespace valence {
namespace {

const AlignerCard kInContextCard = {
    .id = "in_context",
    .title = "In-context alignment",
    .version = "1",
    .does =
        "Writes system prompts and examples from the target and keeps the one that brings the "
        "answers nearest to it on half of the items.",
    .limits =
        "It changes what the subject is told, not the model: another prompt undoes it, and "
        "items like those searched on may show more than others do.",
    .changes_weights = false,
    .needs_target = true,
    .needs_instrument = true};

const SettingTable kInContextSettings = {{"prompt_examples",
                                          SettingType::kChoice,
                                          "both",
                                          "",
                                          "prompts with examples in front: both (try with and without), never",
                                          {"both", "never"},
                                          {},
                                          {}},
                                         {"prompt_wordings",
                                          SettingType::kInteger,
                                          "0",
                                          "wordings",
                                          "so many of the wordings are tried, in the order of the file; 0: all",
                                          {},
                                          0,
                                          100}};

/// What one prompt came to on the items searched on.
struct Tried {
  PromptCandidate candidate;
  double loss;
};

/// An instrument asks what its settings say; what is searched on has to be among it.
Result<Settings> asking_searched(const Instrument& instrument, const Settings& asked) {
  if (instrument.card().id != "svo") return asked;
  auto values = asked.values();
  values.emplace_back("items", "all");
  return Settings::resolve(instrument.settings(), values);
}

Subject steered(const Subject& base, const PromptCandidate& candidate) {
  Subject subject = base;
  if (!subject.system_prompt.empty() && !candidate.system.empty()) subject.system_prompt += "\n\n";
  subject.system_prompt += candidate.system;
  subject.examples.insert(subject.examples.end(), candidate.examples.begin(), candidate.examples.end());
  return subject;
}

/// Answers to the items searched on; the held-out ones are not even asked.
Result<AnswerTable> searched_answers(const AlignContext& context, const Settings& asked, const Subject& subject,
                                     const ItemSplit& split, RunId run) {
  auto asking = context.asking();
  asking.leave_out = split.held_out;
  Examiner examiner(subject, &context.store, run, std::move(asking));
  Examination examination{examiner, context.seed, context.progress, context.stop, false};
  VALENCE_TRY(auto table, context.instrument->administer(examination, asked));
  table.instrument = context.instrument->card().id;
  return table;
}

Json candidate_json(const Tried& tried) {
  return {{"id", tried.candidate.id},
          {"system", tried.candidate.system},
          {"examples", tried.candidate.examples.size() / 2},
          {"loss", number_or_null(tried.loss)}};
}

Json record_json(const std::vector<Tried>& tried, const Tried& best, const ItemSplit& split) {
  Json json = {{"split", split.rule},         {"searched", split.searched},
               {"held_out", split.held_out},  {"base_loss", number_or_null(tried.front().loss)},
               {"chosen", best.candidate.id}, {"improved", best.loss < tried.front().loss},
               {"candidates", Json::array()}};
  for (const auto& one : tried) json["candidates"].push_back(candidate_json(one));
  return json;
}

SubjectSpec chosen_subject(const SubjectSpec& base, const Subject& subject) {
  SubjectSpec spec = base;
  spec.name = display_name(base) + " aligned in context";
  spec.persona = subject.system_prompt;
  spec.examples = subject.examples;
  return spec;
}

std::vector<PromptCandidate> first_wordings(std::vector<PromptCandidate> candidates, std::size_t wordings,
                                            bool examples) {
  const std::size_t count = wordings * (examples ? 2 : 1);
  if (wordings > 0 && count < candidates.size()) candidates.resize(count);
  return candidates;
}

bool nearer(const Tried& a, const Tried& b) { return !std::isnan(a.loss) && (std::isnan(b.loss) || a.loss < b.loss); }

class InContext final : public Aligner {
 public:
  const AlignerCard& card() const override { return kInContextCard; }
  const SettingTable& settings() const override { return kInContextSettings; }

  Result<AlignedSubject> align(const AlignContext& context, RunId run) const override {
    const bool examples = context.settings.text("prompt_examples") == "both";
    const auto wordings = static_cast<std::size_t>(context.settings.integer("prompt_wordings"));
    VALENCE_TRY(const auto split, split_items(*context.instrument, *context.asked));
    VALENCE_TRY(const auto asked, asking_searched(*context.instrument, *context.asked));
    VALENCE_TRY(auto candidates, prompt_candidates(*context.target, examples));
    candidates = first_wordings(std::move(candidates), wordings, examples);
    candidates.insert(candidates.begin(), PromptCandidate{"as it is", "", {}});
    VALENCE_TRY(const auto base, open_subject(context.base));
    std::vector<Tried> tried;
    for (const auto& candidate : candidates) {
      VALENCE_TRY(const auto answers, searched_answers(context, asked, steered(base, candidate), split, run));
      VALENCE_TRY(const double loss, search_loss(*context.instrument, asked, answers, *context.target));
      tried.push_back({candidate, loss});
    }
    const auto& best = *std::min_element(tried.begin(), tried.end(), nearer);
    const auto subject = steered(base, best.candidate);
    return AlignedSubject{chosen_subject(context.base, subject), to_text(record_json(tried, best, split)), run};
  }
};

}  // namespace

std::unique_ptr<Aligner> make_in_context() { return std::make_unique<InContext>(); }

}  // namespace valence
