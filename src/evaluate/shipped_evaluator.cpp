#include "valence/evaluate/shipped_evaluator.h"

#include <filesystem>

#include "valence/base/digest.h"
#include "valence/base/files.h"
#include "valence/evaluate/cross_validate.h"
#include "valence/evaluate/evaluator_file.h"

namespace valence {
namespace {

constexpr std::string_view kShipped = "fulcra";
/// Changes whenever the same data and recipe would give another evaluator.
constexpr std::uint64_t kMaking = 1;

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

Result<LabelledData> shipped_data(const std::filesystem::path& file) {
  VALENCE_TRY(const auto space, load_space("schwartz10"));
  VALENCE_TRY(const auto names, dimension_names(space));
  return read_labelled(file, names);
}

Result<Evaluator> make_shipped(const std::filesystem::path& file, const FeatureFamilies& families, Progress& progress,
                               const std::stop_token& stop) {
  VALENCE_TRY(const auto data, shipped_data(file));
  const auto recipe = shipped_recipe();
  progress.start("training the evaluator (once)", fits_of(recipe), "fits");
  VALENCE_TRY(auto evaluator, train_evaluator(data, families, recipe, progress, stop));
  progress.finish();
  VALENCE_TRY(evaluator.provenance().unseen, read_unseen_responders(data, families, recipe, progress, stop));
  VALENCE_TRY(const auto digest, sha256_file(file));
  evaluator.provenance().data = kShipped;
  evaluator.provenance().data_sha256 = digest.hex();
  return evaluator;
}

Result<std::filesystem::path> kept_at(const std::filesystem::path& file) {
  VALENCE_TRY(const auto data, sha256_file(file));
  const auto recipe = shipped_recipe();
  Hasher hasher;
  hasher.add(data).add(kMaking).add(to_string(recipe.head.kind)).add(fmt::format("{}", recipe.head.l2));
  for (const auto& family : recipe.features) hasher.add(family);
  return cache_folder() / "evaluators" / fmt::format("{}-{}.evaluator", kShipped, hasher.finish().hex().substr(0, 16));
}

Result<Evaluator> open_shipped(const FeatureFamilies& families, Progress& progress, const std::stop_token& stop) {
  VALENCE_TRY(const auto file, fulcra_path());
  VALENCE_TRY(const auto path, kept_at(file));
  std::error_code ignored;
  std::filesystem::create_directories(path.parent_path(), ignored);
  VALENCE_TRY(const auto lock, FileLock::acquire(path.string() + ".lock"));
  if (std::filesystem::exists(path)) {
    auto kept = load_evaluator(path, families);
    if (kept || kept.error().code != ErrorCode::kCorrupt) return kept;  // a damaged copy is made anew
  }
  VALENCE_TRY(auto made, make_shipped(file, families, progress, stop));
  VALENCE_CHECK(save_evaluator(made, path));
  return made;
}

}  // namespace

EvaluatorRecipe shipped_recipe() {
  EvaluatorRecipe recipe;
  recipe.features = {"tfidf"};
  recipe.head.kind = HeadKind::kLogistic;
  recipe.head.l2 = 0.03;
  return recipe;
}

Result<std::vector<UnseenResponder>> read_unseen_responders(const LabelledData& data, const FeatureFamilies& families,
                                                            const EvaluatorRecipe& recipe, Progress& progress,
                                                            const std::stop_token& stop) {
  std::vector<std::string> responders;
  for (const auto& row : data.rows) responders.push_back(row.responder);
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
  VALENCE_TRY(const auto families, text_feature_families());
  return name == kShipped ? open_shipped(families, progress, stop) : load_evaluator(name, families);
}

}  // namespace valence
