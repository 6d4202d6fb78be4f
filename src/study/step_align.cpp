#include <optional>

#include "reward_steps.h"
#include "steps.h"
#include "valence/align/file_training.h"
#include "valence/align/training.h"

namespace valence::study {
namespace {

constexpr std::size_t kHashDigits = 12;  // of the step's hash: what another setting makes goes into another folder

/// What an align step says, as read.
struct AlignWish {
  const Aligner* aligner = nullptr;
  Settings settings;
  std::string subject, target;       ///< full names; target may be empty
  std::vector<std::string> rewards;  ///< full names of the reward models that the settings name as steps
  const Instrument* instrument = nullptr;
  std::optional<Settings> asked;
  std::uint64_t seed = 0;
  std::string untrainable;  ///< why the subject's weights cannot be trained; empty: they can, or need not
};

class AlignStep final : public Step {
 public:
  AlignStep(std::string name, AlignWish wish) : Step("align", std::move(name)), wish_(std::move(wish)) {}

  std::vector<std::string> needs() const override {
    auto names = wish_.target.empty() ? std::vector{wish_.subject} : std::vector{wish_.subject, wish_.target};
    names.insert(names.end(), wish_.rewards.begin(), wish_.rewards.end());
    return names;
  }

  Result<Digest> own_hash() const override {
    Hasher hasher;
    hasher.add("align 1").add(wish_.aligner->card().id).add(wish_.aligner->card().version).add(wish_.seed);
    VALENCE_TRY(const auto settings, settings_with(named_by_step));
    VALENCE_CHECK(add_settings(hasher, settings));
    if (wish_.instrument) hasher.add(wish_.instrument->card().id).add(wish_.instrument->card().version);
    if (wish_.asked) VALENCE_CHECK(add_settings(hasher, *wish_.asked));
    return hasher.finish();
  }

  std::string what(const StepMap& steps) const override {
    return fmt::format("{} · {}", wish_.aligner->card().id, model_of(steps, wish_.subject));
  }

  Result<RunId> run(const StepContext& context) const override {
    VALENCE_TRY(const auto base, context.subject(wish_.subject));
    std::optional<Target> target;
    if (!wish_.target.empty()) {
      VALENCE_TRY(target, context.target(wish_.target));
    }
    VALENCE_TRY(const auto settings, settings_with(folders_of(context)));
    const AlignContext given{.base = base,
                             .target = target ? &*target : nullptr,
                             .instrument = wish_.instrument,
                             .asked = wish_.asked ? &*wish_.asked : nullptr,
                             .settings = settings,
                             .store = context.store,
                             .folder = context.folder / full_name() / context.hash.substr(0, kHashDigits),
                             .seed = wish_.seed,
                             .stop = context.stop,
                             .progress = context.progress,
                             .reuse = context.reuse};
    VALENCE_TRY(const auto aligned, align(*wish_.aligner, given));
    return aligned.run;
  }

  Result<void> ready() const override {
    if (!wish_.untrainable.empty()) return fail(ErrorCode::kUsage, "{}", wish_.untrainable);
    VALENCE_TRY(const auto settings, settings_with(made_before));
    return wish_.aligner->ready({nullptr, wish_.instrument, wish_.asked ? &*wish_.asked : nullptr, settings});
  }

  bool is_still_there(const Store& store, RunId run) const override {
    return rates() ? reward_model_of(store, run).has_value() : load_aligned(store, run).has_value();
  }
  bool rates() const override { return wish_.aligner->card().rates; }

 private:
  Result<Settings> settings_with(const FolderOf& folder_of) const {
    return with_folders(*wish_.aligner, wish_.settings, wish_.rewards, folder_of);
  }

  AlignWish wish_;
};

Result<const Aligner*> aligner_at(const Node& table) {
  VALENCE_TRY(const auto id, table.string_at("method"));
  auto found = find_aligner(id);
  if (!found) return tl::unexpected(table.find("method")->error(found.error().message));
  return *found;
}

Result<void> read_instrument(const Node& table, AlignWish& wish) {
  if (!wish.aligner->card().needs_instrument) {
    for (const auto* key : {"instrument", "asked"}) {
      if (const auto* given = table.find(key))
        return tl::unexpected(given->error(fmt::format("method {} learns from no instrument; leave \"{}\" out", wish.aligner->card().id, key)));
    }
    return {};
  }
  VALENCE_TRY(wish.instrument, instrument_at(table, "instrument"));
  VALENCE_TRY(wish.asked, settings_at(table, "asked", wish.instrument->settings()));
  return {};
}

/// Scores are what every method but choice alignment works towards.
Result<void> check_kind(const Aligner& aligner, const Target* target) {
  if (target == nullptr || !target->opinions || aligner.card().id == "choice") return {};
  return fail(ErrorCode::kUsage,
              "target {} holds answer distributions, and method {} works towards scores; method = \"choice\" with "
              "instrument = \"opinions\" learns them",
              target->id, aligner.card().id);
}

Result<void> check_request(const Node& table, const StepNames& names, const AlignWish& wish) {
  const auto* target = wish.target.empty() ? nullptr : names.find(wish.target)->target();
  auto checked = check_kind(*wish.aligner, target);
  if (checked)
    checked = wish.aligner->check({target, wish.instrument, wish.asked ? &*wish.asked : nullptr, wish.settings});
  if (checked) return {};
  const auto* place = table.find("target");
  return tl::unexpected((place ? *place : table).error(checked.error().message));
}

}  // namespace

Result<std::unique_ptr<Step>> read_align_step(const std::string& name, const Node& table, const StepNames& names,
                                              const StudyDefaults& defaults) {
  VALENCE_CHECK(table.allow_only({"method", "subject", "target", "instrument", "asked", "settings", "seed"}));
  AlignWish wish;
  VALENCE_TRY(wish.aligner, aligner_at(table));
  VALENCE_TRY(wish.settings, settings_at(table, "settings", wish.aligner->settings()));
  VALENCE_TRY(wish.subject, names.at(table, "subject", {"subject", "align"}));
  if (table.find("target") || wish.aligner->card().needs_target) {
    VALENCE_TRY(wish.target, names.at(table, "target", {"target"}));
  }
  VALENCE_TRY(wish.rewards, reward_steps(table, *wish.aligner, wish.settings, names));
  VALENCE_CHECK(read_instrument(table, wish));
  VALENCE_CHECK(check_request(table, names, wish));
  VALENCE_TRY(wish.seed, seed_at(table, defaults));
  const auto* spec = names.find(wish.subject)->subject();  // null: another alignment's
  if (const auto able = spec != nullptr ? require_weights(*spec) : Result<void>(); wish.aligner->card().changes_weights && !able)
    wish.untrainable = able.error().message;
  return std::make_unique<AlignStep>(name, std::move(wish));
}

}  // namespace valence::study
