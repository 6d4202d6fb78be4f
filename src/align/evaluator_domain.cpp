#include "evaluator_domain.h"

#include <algorithm>
#include <vector>

namespace valence {
namespace {

struct Known {
  std::vector<PromptedText> fitted, others;
};

/// The shipped texts, by whether the evaluator was fitted on them.
Result<Known> shipped_texts(const Evaluator& evaluator) {
  VALENCE_TRY(const auto space, load_space("schwartz10"));
  VALENCE_TRY(const auto names, dimension_names(space));
  VALENCE_TRY(const auto file, fulcra_path());
  VALENCE_TRY(const auto data, read_labelled(file, names));
  const auto& ids = evaluator.provenance().fitted_on;
  Known known;
  for (const auto& row : data.rows) {
    (std::ranges::binary_search(ids, response_id(row.text)) ? known.fitted : known.others).push_back(row.text);
  }
  return known;
}

}  // namespace

Result<TrainingDomain> domain_of(const Evaluator& evaluator) {
  VALENCE_TRY(const auto known, shipped_texts(evaluator));
  const auto rows = evaluator.provenance().rows;
  if (known.fitted.size() != rows) {
    return fail(ErrorCode::kUnsupported,
                "the evaluator was fitted on {} texts, of which {} are shipped: where its domain ends is not known",
                rows, known.fitted.size());
  }
  if (known.others.empty()) {
    return fail(ErrorCode::kUnsupported,
                "the evaluator was fitted on all shipped texts: none is left to say where its domain ends");
  }
  return TrainingDomain::of(evaluator, known.fitted, known.others);
}

Result<std::map<std::string, double>> outside_by_prompt(const TrainingDomain& domain, const AnswerTable& table) {
  std::vector<PromptedText> texts;
  std::vector<std::string> prompts;
  for (const auto& row : table.rows) {
    if (row.route == Route::kRead || (row.status != Status::kScored && row.status != Status::kRefused)) continue;
    texts.push_back({row.item, row.text});
    prompts.push_back(row.unit);
  }
  VALENCE_TRY(const auto distances, domain.distances(texts));
  std::map<std::string, double> outside, counts;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    outside[prompts[i]] += distances[i] > domain.limit() ? 1.0 : 0.0;
    counts[prompts[i]] += 1.0;
  }
  for (auto& [prompt, count] : outside) count /= counts[prompt];
  return outside;
}

}  // namespace valence
