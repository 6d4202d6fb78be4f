#include "valence/evaluate/shipped_evaluator.h"

#include <filesystem>
#include <optional>
#include <set>

#include "valence/base/digest.h"
#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/evaluate/cross_validate.h"
#include "valence/evaluate/evaluator_file.h"
#include "valence/evaluate/prompt_split.h"
#include "valence/evaluate/recipe.h"
#include "valence/evaluate/vector_features.h"
#include "valence/evaluate/vector_store.h"

namespace valence {
namespace {

/// An evaluator that is made when it is first asked for, from FULCRA's labels of all prompts or of one side of the split.
struct Shipped {
  std::string recipe;
  std::optional<PromptSide> side;
};

constexpr std::string_view kShipped = "fulcra";
/// Changes whenever the same data and recipe would give another evaluator.
constexpr std::uint64_t kMaking = 2;

/// [dimension][class]
std::vector<double> label_shares(const HeldOut& held) {
  std::vector<double> shares(held.dims * kLabelClasses, 0.0);
  for (std::size_t i = 0; i < held.labels.size(); ++i) {
    shares[(i % held.dims) * kLabelClasses + class_of(held.labels[i])] += 1.0 / static_cast<double>(held.rows());
  }
  return shares;
}

std::vector<double> mean_probabilities(const HeldOut& held) {
  std::vector<double> means(held.dims * kLabelClasses, 0.0);
  for (std::size_t i = 0; i < held.probabilities.values.size(); ++i) {
    means[i % means.size()] += held.probabilities.values[i] / static_cast<double>(held.rows());
  }
  return means;
}

Result<LabelledData> shipped_data(const std::filesystem::path& file, std::optional<PromptSide> side) {
  VALENCE_TRY(const auto space, load_space("schwartz10"));
  VALENCE_TRY(const auto names, dimension_names(space));
  VALENCE_TRY(auto data, read_labelled(file, names));
  return side ? on_side(data, *side) : std::move(data);
}

/// What "fulcra", "fulcra:NAME" and those of one side stand for; nothing else stands for anything.
std::optional<Shipped> shipped_of(std::string_view name) {
  if (name == kShipped) return Shipped{"words", std::nullopt};
  if (name == "fulcra_training") return Shipped{"words", PromptSide::kTraining};
  if (name == "fulcra_held_out") return Shipped{"answer_words", PromptSide::kHeldOut};
  if (name.starts_with(kShipped) && name.substr(kShipped.size()).starts_with(':'))
    return Shipped{std::string(name.substr(kShipped.size() + 1)), std::nullopt};
  return std::nullopt;
}

Result<Evaluator> make_shipped(const std::filesystem::path& file, std::optional<PromptSide> side,
                               const EvaluatorRecipe& recipe, const FeatureFamilies& families, Progress& progress,
                               const std::stop_token& stop) {
  VALENCE_TRY(const auto data, shipped_data(file, side));
  VALENCE_CHECK(prepare_features(families, texts_of(data.rows)));
  progress.start("training the evaluator (once)", fits_of(recipe), "fits");
  VALENCE_TRY(auto evaluator, train_evaluator(data, families, recipe, progress, stop));
  progress.finish();
  VALENCE_TRY(evaluator.provenance().unseen, read_unseen_responders(data, families, recipe, progress, stop));
  VALENCE_TRY(const auto digest, sha256_file(file));
  evaluator.provenance().data = kShipped;
  evaluator.provenance().data_sha256 = digest.hex();
  return evaluator;
}

Result<std::filesystem::path> kept_at(const std::filesystem::path& file, std::optional<PromptSide> side,
                                      const EvaluatorRecipe& recipe) {
  VALENCE_TRY(const auto data, sha256_file(file));
  Hasher hasher;
  hasher.add(data).add(kMaking).add(side ? static_cast<std::uint64_t>(*side) + 1 : 0).add(recipe_text(recipe));
  return cache_folder() / "evaluators" / fmt::format("{}-{}.evaluator", kShipped, hasher.finish().hex().substr(0, 16));
}

/// A copy that is damaged, or was made with another file of a model, is made anew.
bool can_be_kept(const Result<Evaluator>& kept) {
  return kept || (kept.error().code != ErrorCode::kCorrupt && kept.error().code != ErrorCode::kMismatch);
}

Result<Evaluator> open_shipped(const Shipped& which, Progress& progress, const std::stop_token& stop) {
  VALENCE_TRY(const auto recipe, load_recipe(which.recipe));
  VALENCE_TRY(const auto vectors, VectorStore::open_for(recipe.features(), stop, &progress));
  VALENCE_TRY(const auto families, open_feature_families(recipe.features(), "schwartz10", vectors.options()));
  VALENCE_TRY(const auto file, fulcra_path());
  VALENCE_TRY(const auto path, kept_at(file, which.side, recipe));
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  VALENCE_TRY(const auto lock, FileLock::acquire(path.string() + ".lock"));
  if (std::filesystem::exists(path)) {
    auto kept = load_evaluator(path, families);
    if (can_be_kept(kept)) return kept;
  }
  VALENCE_TRY(auto made, make_shipped(file, which.side, recipe, families, progress, stop));
  VALENCE_CHECK(save_evaluator(made, path));
  return made;
}

Result<Evaluator> open_file(const std::string& path, const std::stop_token& stop) {
  VALENCE_TRY(const auto needs, evaluator_needs(path));
  VectorOptions options;
  options.stop = stop;
  VALENCE_TRY(const auto families, open_feature_families(needs.features, needs.space, options));
  return load_evaluator(path, families);
}

}  // namespace

Result<std::vector<UnseenResponder>> read_unseen_responders(const LabelledData& data, const FeatureFamilies& families,
                                                            const EvaluatorRecipe& recipe, Progress& progress,
                                                            const std::stop_token& stop) {
  std::vector<std::string> responders;
  for (const auto& row : data.rows) responders.push_back(row.responder);
  if (std::set<std::string>(responders.begin(), responders.end()).size() < 2) return std::vector<UnseenResponder>{};
  VALENCE_TRY(const auto folds, folds_by_name(responders));
  auto plain = recipe;  // thresholds do not matter for soft values
  plain.thresholds.goal = TuningGoal::kNone;
  progress.start("reading responders that were left out", folds.count * fits_of(plain), "fits");
  VALENCE_TRY(const auto held, cross_validate(data, folds, families, plain, progress, stop));
  progress.finish();
  std::vector<UnseenResponder> unseen;
  for (std::size_t fold = 0; fold < folds.count; ++fold) {
    const auto part = held.subset(folds.inside(fold));
    unseen.push_back({folds.names[fold], part.rows(), mean_probabilities(part), label_shares(part)});
  }
  return unseen;
}

Result<Evaluator> open_evaluator(const std::string& name, Progress& progress, const std::stop_token& stop) {
  const auto shipped = shipped_of(name);
  return shipped ? open_shipped(*shipped, progress, stop) : open_file(name, stop);
}

Result<void> find_evaluator(const std::string& name) {
  std::error_code error;
  if (shipped_of(name) || std::filesystem::is_regular_file(name, error)) return {};
  const auto near = nearest(name, {"fulcra", "fulcra_training", "fulcra_held_out"});
  return fail(ErrorCode::kUsage, "there is no evaluator {}{}", printable(name),
              near.empty() ? ": name fulcra, fulcra_training, fulcra_held_out or a file of valence evaluator train"
                           : fmt::format("; did you mean {}?", near));
}

}  // namespace valence
