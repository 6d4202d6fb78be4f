#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <numeric>

#include "support/schwartz.h"
#include "support/scratch.h"
#include "valence/base/json.h"
#include "valence/evaluate/evaluator_file.h"
#include "valence/evaluate/prompt_split.h"
#include "valence/evaluate/shipped_evaluator.h"
#include "valence/instruments/measure.h"
#include "valence/model/scripted.h"

namespace valence {
namespace {

using testing::put_file;
using testing::schwartz;
using testing::Scratch;

/// The whole chain on canned responses that the evaluator never saw: half of FULCRA's prompts train the evaluator, the other half is what a scripted subject says.
class FulcraChain : public ::testing::Test {
 protected:
  struct Halves {
    LabelledData seen, unseen;
  };

  static const Halves& halves() {
    static const auto made = [] {
      const auto names = dimension_names(schwartz()).value();
      const auto all = read_labelled(fulcra_path().value(), names).value();
      const auto keys = prompt_keys(all.rows);
      std::vector<std::size_t> seen, unseen;
      for (std::size_t i = 0; i < keys.size(); ++i) (std::hash<std::string>{}(keys[i]) % 2 == 0 ? seen : unseen).push_back(i);
      return Halves{all.subset(seen), all.subset(unseen)};
    }();
    return made;
  }

  /// An evaluator of the first `rows` seen rows.
  static Evaluator trained(std::size_t rows, bool look_at_unseen_responders) {
    EvaluatorRecipe recipe;
    recipe.parts.front().head.l2 = 0.03;
    recipe.thresholds.goal = TuningGoal::kNone;
    std::vector<std::size_t> which(std::min(rows, halves().seen.rows.size()));
    std::iota(which.begin(), which.end(), std::size_t{0});
    const auto data = halves().seen.subset(which);
    const auto families = text_feature_families().value();
    auto evaluator = train_evaluator(data, families, recipe, *silent_progress()).value();
    if (look_at_unseen_responders) {
      evaluator.provenance().unseen = read_unseen_responders(data, families, recipe, *silent_progress()).value();
    }
    return evaluator;
  }

  std::string small_evaluator() const {
    const auto file = scratch_ / "small.evaluator";
    if (!save_evaluator(trained(100, false), file)) throw std::runtime_error("not saved");
    return file.string();
  }

  /// At most 60 prompts: where it does not matter how well the evaluator reads.
  static LabelledData few() {
    std::vector<std::size_t> which(60);
    std::iota(which.begin(), which.end(), std::size_t{0});
    return halves().unseen.subset(which);
  }

  /// One response per prompt, whichever has the smallest hash.
  void write_subject(const LabelledData& data) {
    std::map<std::string, const LabelledResponse*> chosen;
    for (const auto& row : data.rows) {
      auto& one = chosen[prompt_key(row.text.prompt)];
      if (one == nullptr || response_id(row.text) < response_id(one->text)) one = &row;
    }
    std::string prompts, replies;
    for (const auto& [key, choice] : chosen) {
      const auto& row = *choice;
      prompts += Json{{"prompt", row.text.prompt}}.dump() + "\n";
      replies += Json{{"prompt", row.text.prompt}, {"response", row.text.response}}.dump() + "\n";
      asked_.push_back(row);
    }
    put_file(scratch_ / "prompts.jsonl", prompts);
    put_file(scratch_ / "replies.jsonl", replies);
  }

  Measurement measure_subject(const std::string& model, const std::string& evaluator) {
    const auto settings = Settings::resolve(instrument_->settings(), {{"prompts", (scratch_ / "prompts.jsonl").string()},
                                                                       {"evaluator", evaluator},
                                                                       {"max-tokens", "2000"}}).value();
    const Subject subject{.name = "s", .model = open_scripted(model).value(), .system_prompt = {}, .examples = {}, .render = {}};
    auto store = Store::open(scratch_ / "runs.db").value();
    MeasureOptions options;
    options.fresh = true;
    auto measured = measure(*instrument_, settings, subject, *store, options);
    if (!measured) throw std::runtime_error(measured.error().message);
    return std::move(*measured);
  }
  std::string canned() { return "canned?file=" + (scratch_ / "replies.jsonl").string(); }

  double labelled_mean(std::size_t dimension) const {
    double sum = 0.0;
    for (const auto& row : asked_) sum += row.labels[dimension];
    return sum / static_cast<double>(asked_.size());
  }

  static const ValidityCheck* check(const Validity& validity, std::string_view id) {
    for (const auto& entry : validity.checks) {
      if (entry.id == id) return &entry;
    }
    return nullptr;
  }

  const Instrument* instrument_ = *find_instrument("fulcra");
  Scratch scratch_;
  std::vector<LabelledResponse> asked_;
};

TEST_F(FulcraChain, RecoversTheLabelsOfResponsesThatTheEvaluatorNeverSaw) {
  write_subject(halves().unseen);
  ASSERT_TRUE(save_evaluator(trained(halves().seen.rows.size(), true), scratch_ / "half.evaluator"));
  const auto measured = measure_subject(canned(), (scratch_ / "half.evaluator").string());
  std::size_t defined = 0;
  for (const auto& dimension : schwartz().dimensions) {
    const auto* entry = measured.profile.find(dimension.id + ".unit");
    const auto& estimate = entry->estimate;
    if (std::isnan(estimate.value)) continue;
    ++defined;
    const double truth = labelled_mean(dimension.index);
    EXPECT_GE(truth, estimate.low - entry->systematic) << dimension.id << " " << figure_text(estimate);
    EXPECT_LE(truth, estimate.high + entry->systematic) << dimension.id << " " << figure_text(estimate);
    EXPECT_NEAR(estimate.value, truth, 0.1) << dimension.id;  // the band is wide; the figure itself is near
  }
  EXPECT_GE(defined, 5u);
  EXPECT_TRUE(check(measured.profile.validity, "content_sensitivity")->passed);
  EXPECT_TRUE(check(measured.profile.validity, "evasion")->passed);
}

TEST_F(FulcraChain, SaysThatTransportIsUnknownWhereTheEvaluatorNamesNoUnseenResponder) {
  write_subject(few());
  const auto validity = measure_subject(canned(), small_evaluator()).profile.validity;
  EXPECT_FALSE(check(validity, "transport")->passed);
  EXPECT_FALSE(validity.interpretable());
}

TEST_F(FulcraChain, ASubjectThatRefusesEverythingIsNotCalledAligned) {
  write_subject(few());
  const auto measured = measure_subject("refusing?rate=1", small_evaluator());
  EXPECT_FALSE(measured.profile.validity.interpretable());
  EXPECT_FALSE(check(measured.profile.validity, "evasion")->passed);
  EXPECT_FALSE(check(measured.profile.validity, "content_sensitivity")->passed);
  EXPECT_EQ(measured.profile.find("refused")->estimate.value, 1.0);
}

TEST_F(FulcraChain, ASubjectWithoutContentIsNotInterpretable) {
  write_subject(few());
  const auto measured = measure_subject("random", small_evaluator());
  EXPECT_FALSE(check(measured.profile.validity, "content_sensitivity")->passed);
}

TEST_F(FulcraChain, TheSameRunGivesTheSameProfile) {
  write_subject(few());
  const auto evaluator = small_evaluator();
  EXPECT_EQ(to_json(measure_subject(canned(), evaluator).profile), to_json(measure_subject(canned(), evaluator).profile));
}

TEST_F(FulcraChain, AnEvaluatorOfAnotherSpaceIsRefused) {
  write_subject(few());
  const auto settings = Settings::resolve(instrument_->settings(), {{"prompts", (scratch_ / "prompts.jsonl").string()},
                                                                     {"evaluator", small_evaluator()}, {"space", "touche20"}});
  const Subject subject{.name = "s", .model = open_scripted("ideal").value(), .system_prompt = {}, .examples = {}, .render = {}};
  Examiner examiner(subject, nullptr, 0, {});
  Examination examination{examiner, 0};
  EXPECT_EQ(instrument_->administer(examination, *settings).error().message,
            "the evaluator reads schwartz10, not touche20: name its space with --space schwartz10");
}

// A reward and what watches it.
TEST(ShippedEvaluators, OfTheTwoSidesShareNoRow) {
  const auto training = open_evaluator("fulcra_training", *silent_progress()).value();
  const auto held_out = open_evaluator("fulcra_held_out", *silent_progress()).value();
  const auto &a = training.provenance().fitted_on, &b = held_out.provenance().fitted_on;
  std::vector<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  EXPECT_TRUE(both.empty());
  EXPECT_EQ(a.size() + b.size(), 1718u);
  EXPECT_NE(training.recipe().features(), held_out.recipe().features());
}

TEST_F(FulcraChain, ASideOfTheSplitIsAskedAlone) {
  write_subject(few());
  const auto settings = Settings::resolve(instrument_->settings(), {{"prompts", (scratch_ / "prompts.jsonl").string()},
                                                                     {"evaluator", small_evaluator()},
                                                                     {"side", "held_out"}}).value();
  const Subject subject{.name = "s", .model = open_scripted(canned()).value(), .system_prompt = {}, .examples = {}, .render = {}};
  Examiner examiner(subject, nullptr, 0, {});
  Examination examination{examiner, 0};
  const auto table = instrument_->administer(examination, settings).value();
  EXPECT_GT(table.rows.size(), 0u);
  for (const auto& row : table.rows) {
    if (row.route == Route::kRead) continue;
    EXPECT_EQ(side_of(row.item), PromptSide::kHeldOut);
  }
}

}  // namespace
}  // namespace valence
