#include "valence/evaluate/evaluator.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "evaluator_judge.h"
#include "evaluator_label.h"
#include "evaluator_picture.h"
#include "evaluator_text.h"
#include "session.h"
#include "valence/base/digest.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/evaluate/cross_validate.h"
#include "valence/evaluate/evaluator_file.h"
#include "valence/evaluate/evidence.h"
#include "valence/evaluate/quality.h"
#include "valence/evaluate/recipe.h"
#include "valence/evaluate/shipped_evaluator.h"
#include "valence/evaluate/touche.h"
#include "valence/evaluate/vector_store.h"
#include "version.h"

namespace valence {
namespace {

constexpr std::string_view kTouche = "touche:";  // before the folder of its files
constexpr std::string_view kShipped = "fulcra";  // the data set that comes with the program
constexpr auto kEvaluatorHelp =
    "file that valence evaluator train wrote, fulcra, or fulcra:RECIPE (valence evaluator recipes)";

// ---- shared

/// A space by its id, or of a file.
Result<Space> space_called(const std::string& space) { return space.ends_with(".toml") ? read_space(space) : load_space(space); }

Result<DimensionNames> names_of_space(const std::string& space) {
  VALENCE_TRY(const auto loaded, space_called(space));
  return dimension_names(loaded);
}

/// Either a file that train wrote or a judge.
Result<void> require_reader(const std::string& evaluator, const JudgeFlags& judge) {
  if (evaluator.empty() != judge.given()) {
    return fail(ErrorCode::kUsage, "{}", judge.given() ? "say either an evaluator's file or --judge, not both"
                                                       : "say who reads: a file of valence evaluator train, or --judge MODEL");
  }
  return {};
}

Result<std::filesystem::path> data_path(const std::string& data) {
  if (data == kShipped) return fulcra_path();
  return std::filesystem::path(data);
}

Result<LabelledData> read_data(const std::string& data, const std::string& space, TouchePart part) {
  VALENCE_TRY(const auto names, names_of_space(space));
  if (data.starts_with(kTouche)) return read_touche(data.substr(kTouche.size()), names, part);
  VALENCE_TRY(const auto path, data_path(data));
  return read_labelled(path, names);
}

std::string reading_text(const LabelReading& reading) {
  return fmt::format(
      "{} labels could not be read, {} dimensions were labelled more than once ({} of them tied, taken as upheld)",
      reading.unparsable, reading.repeated, reading.ties);
}

Json reading_json(const LabelReading& reading) {
  return {{"unparsable", reading.unparsable}, {"repeated", reading.repeated}, {"ties", reading.ties}};
}

// ---- train

struct TrainCommand {
  std::string data = std::string(kShipped), space = "schwartz10", out, named, head = "logistic";
  std::vector<std::string> auxiliary;  ///< files of further labels, or "touche:FOLDER"
  EvaluatorPart part;                  ///< unless a recipe is named
  EvaluatorRecipe recipe;
  std::size_t folds = 5;
  bool by_responder = false, baseline = false, curve = false;
  QualityOptions quality;
  CalibrationPicture picture;

  Result<void> run(const Session& session);

 private:
  Result<LabelledData> labelled_data() const;
  Result<void> settle_recipe();
  Result<FeatureFamilies> open_families(const LabelledData& labelled, const VectorOptions& options) const;
  Result<Folds> folds_for(const LabelledData& labelled) const;
  Result<std::vector<HeldOut>> held_out(const LabelledData& labelled, const FeatureFamilies& families,
                                        Progress& progress, const std::stop_token& stop) const;
  Result<Json> report(const Session& session, const LabelledData& labelled, const FeatureFamilies& families,
                      Progress& progress) const;
  Result<Json> report_curve(const Session& session, const LabelledData& labelled, const FeatureFamilies& families,
                            Progress& progress) const;
  Result<Evaluator> fit(const LabelledData& labelled, const FeatureFamilies& families, Progress& progress,
                        const std::stop_token& stop) const;
};

constexpr std::string_view kBaselineFeatures = "tfidf";
constexpr std::array kPenalties{0.03, 0.1, 0.3};  // to choose from

/// Words and logistic heads with the same penalties to choose from as are offered by default, in the same folds.
EvaluatorRecipe baseline_recipe(const EvaluatorRecipe& like) {
  auto recipe = like;
  recipe.parts = {EvaluatorPart{{std::string(kBaselineFeatures)},
                                HeadOptions{.kind = HeadKind::kLogistic},
                                {kPenalties.begin(), kPenalties.end()}}};
  return recipe;
}

constexpr std::array kCurveShares{0.125, 0.25, 0.5, 1.0};

Result<LabelledData> TrainCommand::labelled_data() const {
  VALENCE_TRY(auto labelled, read_data(data, space, TouchePart::kTraining));
  for (const auto& file : auxiliary) {
    VALENCE_TRY(const auto more, read_data(file, space, TouchePart::kTraining));
    auto joined = with_auxiliary(std::move(labelled), more);
    if (!joined) return tl::unexpected(with_context(joined.error(), file));
    labelled = *std::move(joined);
  }
  return labelled;
}

Result<void> TrainCommand::settle_recipe() {
  quality.seed = recipe.seed;
  VALENCE_TRY(part.head.kind, head_kind(head));
  if (named.empty()) {
    recipe.parts = {part};
  } else {
    const auto seed = recipe.seed;
    VALENCE_TRY(recipe, load_recipe(named));
    recipe.seed = seed;
  }
  for (auto& one : recipe.parts) one.head.seed = recipe.seed;
  return {};
}

/// Those of the recipe and of the baseline, with the vectors of all responses.
Result<FeatureFamilies> TrainCommand::open_families(const LabelledData& labelled, const VectorOptions& options) const {
  const auto ids = recipe.features();
  VALENCE_TRY(auto families, open_feature_families(ids, labelled.names.space, options));
  auto texts = texts_of(labelled.rows);
  const auto more = texts_of(labelled.auxiliary);
  texts.insert(texts.end(), more.begin(), more.end());
  VALENCE_CHECK(prepare_features(families, texts));
  if (baseline && std::find(ids.begin(), ids.end(), kBaselineFeatures) == ids.end()) {
    VALENCE_TRY(const auto words, text_feature_families());
    VALENCE_TRY(auto family, find_family(words, kBaselineFeatures));
    families.push_back(std::move(family));
  }
  return families;
}

Result<Folds> TrainCommand::folds_for(const LabelledData& labelled) const {
  if (!by_responder) return grouped_folds(prompt_keys(labelled.rows), folds, recipe.seed);
  std::vector<std::string> responders;
  for (const auto& row : labelled.rows) responders.push_back(row.responder);
  return folds_by_name(responders);
}

/// The recipe's predictions first, then those it is compared with.
Result<std::vector<HeldOut>> TrainCommand::held_out(const LabelledData& labelled, const FeatureFamilies& families,
                                                    Progress& progress, const std::stop_token& stop) const {
  VALENCE_TRY(const auto split, folds_for(labelled));
  std::vector<EvaluatorRecipe> recipes = {recipe};
  if (baseline) recipes.push_back(baseline_recipe(recipe));
  std::vector<HeldOut> held;
  for (const auto& one : recipes) {
    progress.start(fmt::format("cross-validating {}", describe(one)), split.count * fits_of(one), "fits");
    VALENCE_TRY(auto predictions, cross_validate(labelled, split, families, one, progress, stop));
    progress.finish();
    held.push_back(std::move(predictions));
  }
  for (const auto kind :
       {TrivialEvaluator::kMajority, TrivialEvaluator::kAllUnrelated, TrivialEvaluator::kAlwaysUpheld}) {
    held.push_back(trivial_held_out(labelled, split, kind));
  }
  return held;
}

Result<Json> TrainCommand::report(const Session& session, const LabelledData& labelled, const FeatureFamilies& families,
                                  Progress& progress) const {
  VALENCE_TRY(const auto held, held_out(labelled, families, progress, session.stop));
  std::vector<QualityReport> reports;
  Json all = Json::array();
  for (const auto& predictions : held) {
    VALENCE_TRY(auto one, quality_report(predictions, labelled.names.dimensions, quality));
    all.push_back(to_json(one));
    reports.push_back(std::move(one));
  }
  VALENCE_CHECK(picture.draw(reports.front()));
  if (!session.json) fmt::print("{}{}", quality_text(reports, session.out), picture.line());
  Json document = {{"folds", by_responder ? "one per responder" : fmt::format("{} by prompt", folds)},
                   {"quality", all}};
  if (baseline) {
    VALENCE_TRY(const auto differences, compare_quality(held[1], held[0], quality));
    document["gain"] = differences_json(held[1].evaluator, held[0].evaluator, differences);
    if (!session.json) fmt::print("{}", differences_text(held[1].evaluator, held[0].evaluator, differences));
  }
  return document;
}

Result<Json> TrainCommand::report_curve(const Session& session, const LabelledData& labelled,
                                        const FeatureFamilies& families, Progress& progress) const {
  VALENCE_TRY(const auto split, folds_for(labelled));
  progress.start("learning curve", split.count * fits_of(recipe) * kCurveShares.size(), "fits");
  VALENCE_TRY(const auto points,
              learning_curve(labelled, split, families, recipe, kCurveShares, progress, session.stop));
  progress.finish();
  Json all = Json::array();
  if (!session.json) fmt::print("\nLearning curve (training responses: macro-F1, F1(-1), accuracy)\n");
  for (const auto& point : points) {
    VALENCE_TRY(const auto one, quality_report(point.held_out, labelled.names.dimensions, quality));
    all.push_back({{"training_rows", point.mean_rows},
                   {"macro_f1", to_json(one.of("macro_f1"))},
                   {"f1_opposed", to_json(one.of("f1_opposed"))},
                   {"accuracy", to_json(one.of("accuracy"))}});
    if (session.json) continue;
    const auto& macro = one.of("macro_f1");
    fmt::print("  {:6.0f}: {:.3f} [{:.3f}, {:.3f}], {:.3f}, {:.3f}\n", point.mean_rows, macro.value, macro.low,
               macro.high, one.of("f1_opposed").value, one.of("accuracy").value);
  }
  return all;
}

Result<Evaluator> TrainCommand::fit(const LabelledData& labelled, const FeatureFamilies& families, Progress& progress,
                                    const std::stop_token& stop) const {
  progress.start("training on everything", fits_of(recipe), "fits");
  VALENCE_TRY(auto evaluator, train_evaluator(labelled, families, recipe, progress, stop));
  progress.finish();
  VALENCE_TRY(evaluator.provenance().unseen, read_unseen_responders(labelled, families, recipe, progress, stop));
  VALENCE_TRY(const auto path, data_path(data));
  VALENCE_TRY(const auto digest, sha256_file(path));
  evaluator.provenance().data = data == kShipped ? data : path.filename().string();
  evaluator.provenance().data_sha256 = digest.hex();
  evaluator.provenance().program = version_text();
  return evaluator;
}

Result<void> TrainCommand::run(const Session& session) {
  VALENCE_CHECK(settle_recipe());
  if (folds == 0 && !by_responder && picture.wanted())
    return fail(ErrorCode::kUsage, "--picture draws what cross-validation finds: leave out --folds 0");
  VALENCE_TRY(const auto labelled, labelled_data());
  const auto progress = session.progress();
  VALENCE_TRY(const auto vectors, VectorStore::open_for(recipe.features(), session.stop, progress.get()));
  VALENCE_TRY(const auto families, open_families(labelled, vectors.options()));
  Json document = {{"data", data},
                   {"responses", labelled.rows.size()},
                   {"auxiliary", labelled.auxiliary.size()},
                   {"labels", reading_json(labelled.reading)}};
  if (!session.json)
    fmt::print("{} labelled responses; {}\n\n", with_thousands(labelled.rows.size()), reading_text(labelled.reading));
  if (folds > 0 || by_responder) {
    VALENCE_TRY(const auto figures, report(session, labelled, families, *progress));
    document.update(figures);
  }
  if (curve) {
    VALENCE_TRY(document["learning_curve"], report_curve(session, labelled, families, *progress));
  }
  if (!out.empty()) {
    VALENCE_TRY(const auto evaluator, fit(labelled, families, *progress, session.stop));
    VALENCE_CHECK(save_evaluator(evaluator, out));
    document["evaluator"] = evaluator_json(evaluator);
    document["out"] = out;
    if (!session.json) fmt::print("\n  evaluator: {} ({})\n{}", out, penalties_text(evaluator), unseen_text(evaluator));
  }
  if (session.json) session.print(document);
  return {};
}

void add_train(CLI::App& parent, Session& session) {
  auto command = std::make_shared<TrainCommand>();
  command->part.l2_grid.assign(kPenalties.begin(), kPenalties.end());
  auto* app =
      parent.add_subcommand("train", "Cross-validate a recipe on labelled responses, then train it on all of them");
  app->add_option("data", command->data,
                  "JSONL in FULCRA's shape (docs/formats.md), or \"fulcra\" for the split that is shipped")
      ->capture_default_str();
  auto* named =
      app->add_option("--recipe", command->named,
                      "a shipped recipe (valence evaluator recipes) or a TOML file, instead of the options below");
  const auto own = [&](CLI::Option* option) { return option->excludes(named)->capture_default_str(); };
  own(app->add_option("--features", command->part.features,
                      "families put beside each other: tfidf, tfidf_prompt, tfidf_response, dictionary; with a model: "
                      "minilm, minilm_prompt, minilm_response, minilm_sentences, definitions, states:MODEL@LAYER")
          ->delimiter(','));
  own(app->add_option("--head", command->head, "ridge, logistic, ordinal or mlp"));
  own(app->add_option("--l2", command->part.l2_grid, "penalties to choose from, within the training folds")
          ->delimiter(','));
  own(app->add_option("--hidden", command->part.head.hidden, "units of the mlp"));
  own(app->add_option("--members", command->part.head.members, "fits whose probabilities the mlp averages"));
  app->add_option("--auxiliary", command->auxiliary,
                  "further labels that every fold learns from and none is judged by: JSONL, or touche:FOLDER with "
                  "Touché's training arguments")
      ->allow_extra_args(false);
  app->add_option("--space", command->space, "value space: an id, or a TOML file")->capture_default_str();
  app->add_option("--folds", command->folds, "folds by prompt; 0: train only")->capture_default_str();
  app->add_flag("--by-responder", command->by_responder, "leave one responder out instead of folds by prompt");
  app->add_flag("--baseline", command->baseline, "compare with tf-idf and logistic heads in the same folds");
  app->add_flag("--learning-curve", command->curve, "figures after training on 1/8, 1/4 and 1/2 of the prompts");
  app->add_option("--replicates", command->quality.replicates, "of the bootstrap over prompts")
      ->check(CLI::Range(100, 100000))
      ->capture_default_str();
  app->add_option("--seed", command->recipe.seed, "of folds, bootstrap and mlp")
      ->check(seed_number())
      ->capture_default_str();
  app->add_option("-o,--out", command->out, "where the evaluator goes; without it nothing is kept");
  command->picture.add_flag(*app);
  app->footer(examples({"valence evaluator train --out schwartz.evaluator --picture calibration.svg",
                        "valence evaluator train mine.jsonl --features tfidf,dictionary --head ridge",
                        "valence evaluator train --features minilm,states:smollm2@15 --head mlp --baseline",
                        "valence evaluator train --recipe words --by-responder --json"}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

// ---- recipes

Result<void> show_recipes(const Session& session) {
  VALENCE_TRY(const auto cards, list_recipes());
  Json all = Json::array();
  TextTable table({{"name", Align::kLeft}, {"recipe", Align::kLeft}, {"features", Align::kLeft}});
  for (const auto& [name, title] : cards) {
    VALENCE_TRY(const auto recipe, load_recipe(name));
    all.push_back({{"name", name}, {"title", title}, {"features", recipe.features()}, {"recipe", describe(recipe)}});
    table.add({name, title, join(recipe.features(), ", ")});
  }
  if (session.json) {
    session.print({{"recipes", all}});
  } else {
    fmt::print("{}", table.text());
  }
  return {};
}

void add_recipes(CLI::App& parent, Session& session) {
  auto* app = parent.add_subcommand("recipes", "Ways of making an evaluator that come with the program");
  app->footer(examples({"valence evaluator recipes", "valence evaluator apply fulcra:words --text \"…\""}));
  app->callback([&session] { session.finish(show_recipes(session)); });
}

// ---- test

struct TestCommand {
  std::string evaluator, data;
  std::string space = "schwartz10";
  QualityOptions quality;
  CalibrationPicture picture;
  JudgeFlags judge;

  Result<void> run(const Session& session) const;
};

Result<void> TestCommand::run(const Session& session) const {
  if (judge.given() && data.empty()) {  // the only file is the data
    if (evaluator.empty()) return fail(ErrorCode::kUsage, "say which labelled responses: valence evaluator test --judge MODEL FILE.jsonl");
    VALENCE_TRY(const auto values, space_called(space));
    VALENCE_TRY(const auto labelled, read_data(evaluator, space, TouchePart::kValidation));
    return test_judge(session, judge, values, labelled, evaluator, quality, picture);
  }
  VALENCE_CHECK(require_reader(evaluator, judge));
  if (data.empty()) return fail(ErrorCode::kUsage, "say which labelled responses: valence evaluator test EVALUATOR FILE.jsonl");
  const auto progress = session.progress();
  VALENCE_TRY(const auto loaded, open_evaluator(evaluator, *progress, session.stop));
  VALENCE_TRY(const auto labelled, read_data(data, space, TouchePart::kValidation));
  const auto unseen = unseen_rows(loaded, labelled);
  const auto seen = labelled.rows.size() - unseen.size();
  if (unseen.empty()) {
    return fail(
        ErrorCode::kMismatch,
        "{}: the evaluator was fitted on every response of this file; test it on others, or cross-validate with "
        "valence evaluator train",
        data);
  }
  VALENCE_TRY(const auto held, hold_out(loaded, labelled.subset(unseen)));
  VALENCE_TRY(const auto report, quality_report(held, labelled.names.dimensions, quality));
  VALENCE_CHECK(picture.draw(report));
  if (session.json) {
    Json document = {{"evaluator", evaluator_json(loaded)},
                     {"data", data},
                     {"left_out_as_seen", seen},
                     {"labels", reading_json(labelled.reading)},
                     {"quality", to_json(report)}};
    session.print(document);
    return {};
  }
  fmt::print("{}{}", quality_text({report}, session.out), picture.line());
  if (seen > 0) fmt::print("  {} responses that the evaluator was fitted on are left out\n", with_thousands(seen));
  return {};
}

void add_test(CLI::App& parent, Session& session) {
  auto command = std::make_shared<TestCommand>();
  auto* app =
      parent.add_subcommand("test", "Figures of a saved evaluator on labelled responses that it was not fitted on");
  app->add_option("evaluator", command->evaluator, std::string(kEvaluatorHelp) + "; none with --judge");
  app->add_option("data", command->data, "labelled responses: JSONL, or touche:FOLDER with Touché's validation arguments");
  command->judge.add_flags(*app);
  command->judge.add_sample_flag(*app);
  app->add_option("--space", command->space, "value space of the labels: an id, or a TOML file")->capture_default_str();
  app->add_option("--seed", command->quality.seed, "of the bootstrap")->check(seed_number())->capture_default_str();
  command->picture.add_flag(*app);
  app->footer(examples({"valence evaluator test schwartz.evaluator mine.jsonl --picture calibration.svg",
                        "valence evaluator test schwartz.evaluator mine.jsonl --json",
                        "valence evaluator test --judge smollm2 --judge-rows 50 fulcra"}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

// ---- apply

struct ApplyCommand {
  std::string evaluator, prompt, response, input, space = "schwartz10";
  bool evidence = false;
  JudgeFlags judge;

  Result<void> run(const Session& session) const;
  Result<std::vector<PromptedText>> texts() const;
};

/// JSONL with `prompt` (may be absent) and `response`; any other file is one text.
Result<std::vector<PromptedText>> read_texts(const std::string& file) {
  if (!file.ends_with(".jsonl")) {
    VALENCE_TRY(auto text, read_file(file));
    VALENCE_CHECK(require_utf8(text, file));
    return std::vector{PromptedText{"", std::move(text)}};
  }
  VALENCE_TRY(const auto lines, read_jsonl(file));
  std::vector<PromptedText> texts;
  for (const auto& line : lines) {
    PromptedText text;
    VALENCE_TRY(text.prompt, line.string_or("prompt", ""));
    VALENCE_TRY(text.response, line.string_at("response"));
    texts.push_back(std::move(text));
  }
  if (texts.empty())
    return fail(ErrorCode::kUsage, "{}: no texts; expected one JSON object per line with \"response\"", file);
  return texts;
}

Result<std::vector<PromptedText>> ApplyCommand::texts() const {
  if (response.empty() == input.empty()) {
    return fail(ErrorCode::kUsage, "say what to read: --text, or --input with a file (valence evaluator apply --help)");
  }
  if (!input.empty()) return read_texts(input);
  VALENCE_CHECK(require_utf8(prompt + response, "the text"));
  return std::vector{PromptedText{prompt, response}};
}

Result<void> ApplyCommand::run(const Session& session) const {
  VALENCE_CHECK(require_reader(evaluator, judge));
  VALENCE_TRY(const auto given, texts());
  if (judge.given()) {
    if (evidence) return fail(ErrorCode::kUsage, "--evidence is for trained evaluators: a judge would have to be asked anew for every sentence");
    VALENCE_TRY(const auto values, space_called(space));
    return apply_judge(session, judge, values, given);
  }
  const auto progress = session.progress();
  VALENCE_TRY(const auto loaded, open_evaluator(evaluator, *progress, session.stop));
  progress->start("evaluating", given.size(), "texts");
  Json all = Json::array();
  for (const auto& text : given) {
    if (session.stop.stop_requested())
      return fail(ErrorCode::kStopped, "stopped after {} of {} texts", all.size(), given.size());
    VALENCE_TRY(const auto probabilities, loaded.evaluate(std::span(&text, 1)));
    std::vector<EvidenceSpan> spans;
    if (evidence) {
      VALENCE_TRY(spans, evidence_of(loaded, text));
    }
    all.push_back(evaluation_json(loaded, probabilities, 0, text, spans));
    progress->advance(1);
    if (!session.json) fmt::print("{}\n", evaluation_text(loaded, probabilities, text, spans));
  }
  progress->finish();
  if (session.json) session.print({{"evaluator", evaluator_json(loaded)}, {"texts", all}});
  return {};
}

void add_apply(CLI::App& parent, Session& session) {
  auto command = std::make_shared<ApplyCommand>();
  auto* app = parent.add_subcommand("apply", "Read a text, or a file of texts: which values does it uphold or oppose?");
  app->add_option("evaluator", command->evaluator, std::string(kEvaluatorHelp) + "; none with --judge");
  app->add_option("-t,--text", command->response, "the response, or any text");
  app->add_option("-p,--prompt", command->prompt, "what it answers");
  app->add_option("-i,--input", command->input, "a text file, or JSONL with \"response\" and perhaps \"prompt\"");
  app->add_flag("--evidence", command->evidence, "show the sentences that carry it");
  command->judge.add_flags(*app);
  app->add_option("--space", command->space, "value space that a judge reads by: an id, or a TOML file")->capture_default_str()->needs("--judge");
  app->footer(
      examples({"valence evaluator apply schwartz.evaluator --text \"I will not help you to hurt anyone.\" --evidence",
                "valence evaluator apply schwartz.evaluator --input responses.jsonl --json"}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace

void add_evaluator(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand("evaluator",
                                 "Train, test and apply evaluators of the values that a response upholds or opposes");
  sub->require_subcommand(1);
  sub->footer(examples(
      {"valence evaluator train --out schwartz.evaluator", "valence evaluator apply schwartz.evaluator --text \"…\""}));
  add_train(*sub, session);
  add_recipes(*sub, session);
  add_test(*sub, session);
  add_apply(*sub, session);
  add_evaluator_labels(*sub, session);
}

}  // namespace valence
