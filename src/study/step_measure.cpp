#include "steps.h"
#include "valence/align/item_split.h"
#include "valence/instruments/answer_key.h"
#include "valence/instruments/measure.h"

namespace valence::study {
namespace {

class MeasureStep final : public Step {
 public:
  MeasureStep(std::string name, const Instrument& instrument, Settings settings, std::string subject, bool held_out,
              std::uint64_t seed)
      : Step("measure", std::move(name)),
        instrument_(instrument),
        settings_(std::move(settings)),
        subject_(std::move(subject)),
        held_out_(held_out),
        seed_(seed) {}

  std::vector<std::string> needs() const override { return {subject_}; }
  const Instrument* instrument() const override { return &instrument_; }
  Result<std::string> space() const override { return instrument_.space(settings_); }

  std::vector<std::pair<std::string, std::string>> asked() const override {
    auto all = settings_.values();
    all.emplace_back("the step's items", held_out_ ? "held_out" : "all");
    all.emplace_back("seed", std::to_string(seed_));
    return all;
  }

  Result<void> can_be_answered_by(const Target& target) const override {
    VALENCE_TRY(const auto key, instrument_.answer_key(target, settings_));
    return {};
  }

  Result<Digest> own_hash() const override {
    Hasher hasher;
    hasher.add("measure 1")
        .add(instrument_.card().id)
        .add(instrument_.card().version)
        .add(seed_)
        .add(std::uint64_t{held_out_});
    VALENCE_CHECK(add_settings(hasher, settings_));
    return hasher.finish();
  }

  std::string what(const StepMap& steps) const override {
    return fmt::format("{} · {}", instrument_.card().id, model_of(steps, subject_));
  }

  Result<RunId> run(const StepContext& context) const override {
    VALENCE_TRY(const auto spec, context.subject(subject_));
    VALENCE_TRY(const auto subject, open_subject(spec));
    MeasureOptions options{.seed = seed_, .reuse = context.reuse, .stop = context.stop, .progress = context.progress};
    if (held_out_) {
      VALENCE_TRY(auto split, split_items(instrument_, settings_));
      options.leave_out = std::move(split.searched);
    }
    return measure_once(instrument_, settings_, subject, context.store, options);
  }

 private:
  const Instrument& instrument_;
  Settings settings_;
  std::string subject_;
  bool held_out_;
  std::uint64_t seed_;
};

Result<bool> held_out_at(const Node& table, const Instrument& instrument, const Settings& settings) {
  VALENCE_TRY(const auto items, table.string_or("items", "all"));
  if (items == "all") return false;
  if (items != "held_out") {
    return tl::unexpected(
        table.find("items")->error(fmt::format("\"items\" should be all or held_out, got \"{}\"", items)));
  }
  const auto split = split_items(instrument, settings);
  if (!split) return tl::unexpected(table.find("items")->error(split.error().message));
  return true;
}

}  // namespace

Result<std::unique_ptr<Step>> read_measure_step(const std::string& name, const Node& table, const StepNames& names,
                                                const StudyDefaults& defaults) {
  VALENCE_CHECK(table.allow_only({"instrument", "subject", "items", "seed", "settings"}));
  VALENCE_TRY(const auto* instrument, instrument_at(table, "instrument"));
  VALENCE_TRY(auto settings, settings_at(table, "settings", instrument->settings()));
  VALENCE_TRY(auto subject, names.at(table, "subject", {"subject", "align"}));
  VALENCE_TRY(const bool held_out, held_out_at(table, *instrument, settings));
  VALENCE_TRY(const auto seed, seed_at(table, defaults));
  return std::make_unique<MeasureStep>(name, *instrument, std::move(settings), std::move(subject), held_out, seed);
}

}  // namespace valence::study
