#include "valence/evaluate/evaluator.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "evaluator_text.h"
#include "session.h"
#include "valence/base/digest.h"
#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/base/text.h"
#include "valence/evaluate/cross_validate.h"
#include "valence/evaluate/evaluator_file.h"
#include "valence/evaluate/evidence.h"
#include "valence/evaluate/quality.h"
#include "version.h"

namespace valence {
namespace {

constexpr std::string_view kShipped = "fulcra";  // the data set that comes with the program

// ---- shared

/// A space by its id, or of a file.
Result<DimensionNames> names_of_space(const std::string& space) {
  VALENCE_TRY(const auto loaded, space.ends_with(".toml") ? read_space(space) : load_space(space));
  return dimension_names(loaded);
}

Result<std::filesystem::path> data_path(const std::string& data) {
  if (data == kShipped) return fulcra_path();
  return std::filesystem::path(data);
}

Result<LabelledData> read_data(const std::string& data, const std::string& space) {
  VALENCE_TRY(const auto names, names_of_space(space));
  VALENCE_TRY(const auto path, data_path(data));
  return read_labelled(path, names);
}

/// Every family that this program can make features of.
Result<FeatureFamilies> feature_families() { return text_feature_families(); }

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
  std::string data = std::string(kShipped), space = "schwartz10", out, head = "logistic";
  EvaluatorRecipe recipe;
  std::size_t folds = 5;
  bool by_responder = false, baseline = false, curve = false;
  QualityOptions quality;

  Result<void> run(const Session& session);

 private:
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

EvaluatorRecipe baseline_recipe(const EvaluatorRecipe& like) {
  auto recipe = like;
  recipe.features = {"tfidf"};
  recipe.head.kind = HeadKind::kLogistic;
  return recipe;
}

constexpr std::array kCurveShares{0.125, 0.25, 0.5, 1.0};

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
  if (!session.json) fmt::print("{}", quality_text(reports, session.out));
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
  VALENCE_TRY(const auto path, data_path(data));
  VALENCE_TRY(const auto digest, sha256_file(path));
  evaluator.provenance().data = data == kShipped ? data : path.filename().string();
  evaluator.provenance().data_sha256 = digest.hex();
  evaluator.provenance().program = version_text();
  return evaluator;
}

Result<void> TrainCommand::run(const Session& session) {
  VALENCE_TRY(recipe.head.kind, head_kind(head));
  recipe.head.seed = recipe.seed;
  quality.seed = recipe.seed;
  VALENCE_TRY(const auto labelled, read_data(data, space));
  VALENCE_TRY(const auto families, feature_families());
  const auto progress = session.progress();
  Json document = {{"data", data}, {"responses", labelled.rows.size()}, {"labels", reading_json(labelled.reading)}};
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
    if (!session.json) fmt::print("\n  evaluator: {} (penalty {})\n", out, significant(evaluator.recipe().head.l2));
  }
  if (session.json) session.print(document);
  return {};
}

void add_train(CLI::App& parent, Session& session) {
  auto command = std::make_shared<TrainCommand>();
  command->recipe.l2_grid = {0.03, 0.1, 0.3};
  auto* app =
      parent.add_subcommand("train", "Cross-validate a recipe on labelled responses, then train it on all of them");
  app->add_option("data", command->data,
                  "JSONL in FULCRA's shape (docs/formats.md), or \"fulcra\" for the split that is shipped")
      ->capture_default_str();
  app->add_option("--features", command->recipe.features,
                  "families put beside each other: tfidf, tfidf_prompt, tfidf_response, dictionary")
      ->delimiter(',')
      ->capture_default_str();
  app->add_option("--head", command->head, "ridge, logistic, ordinal or mlp")->capture_default_str();
  app->add_option("--l2", command->recipe.l2_grid, "penalties to choose from, within the training folds")
      ->delimiter(',')
      ->capture_default_str();
  app->add_option("--hidden", command->recipe.head.hidden, "units of the mlp")->capture_default_str();
  app->add_option("--members", command->recipe.head.members, "fits whose probabilities the mlp averages")
      ->capture_default_str();
  app->add_option("--space", command->space, "value space: an id, or a TOML file")->capture_default_str();
  app->add_option("--folds", command->folds, "folds by prompt; 0: train only")->capture_default_str();
  app->add_flag("--by-responder", command->by_responder, "leave one responder out instead of folds by prompt");
  app->add_flag("--baseline", command->baseline, "compare with tf-idf and logistic heads in the same folds");
  app->add_flag("--learning-curve", command->curve, "figures after training on 1/8, 1/4 and 1/2 of the prompts");
  app->add_option("--replicates", command->quality.replicates, "of the bootstrap over prompts")
      ->check(CLI::Range(100, 100000))
      ->capture_default_str();
  app->add_option("--seed", command->recipe.seed, "of folds, bootstrap and mlp")->check(seed_number())->capture_default_str();
  app->add_option("-o,--out", command->out, "where the evaluator goes; without it nothing is kept");
  app->footer(examples({"valence evaluator train --out schwartz.evaluator",
                        "valence evaluator train mine.jsonl --features tfidf,dictionary --head ridge",
                        "valence evaluator train --by-responder --baseline --json"}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

// ---- test

struct TestCommand {
  std::string evaluator, data;
  std::string space = "schwartz10";
  QualityOptions quality;

  Result<void> run(const Session& session) const;
};

Result<void> TestCommand::run(const Session& session) const {
  VALENCE_TRY(const auto families, feature_families());
  VALENCE_TRY(const auto loaded, load_evaluator(evaluator, families));
  VALENCE_TRY(const auto labelled, read_data(data, space));
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
  if (session.json) {
    Json document = {{"evaluator", evaluator_json(loaded)},
                     {"data", data},
                     {"left_out_as_seen", seen},
                     {"labels", reading_json(labelled.reading)},
                     {"quality", to_json(report)}};
    session.print(document);
    return {};
  }
  fmt::print("{}", quality_text({report}, session.out));
  if (seen > 0) fmt::print("  {} responses that the evaluator was fitted on are left out\n", with_thousands(seen));
  return {};
}

void add_test(CLI::App& parent, Session& session) {
  auto command = std::make_shared<TestCommand>();
  auto* app =
      parent.add_subcommand("test", "Figures of a saved evaluator on labelled responses that it was not fitted on");
  app->add_option("evaluator", command->evaluator, "file that valence evaluator train wrote")->required();
  app->add_option("data", command->data, "labelled responses, JSONL")->required();
  app->add_option("--space", command->space, "value space of the labels: an id, or a TOML file")->capture_default_str();
  app->add_option("--seed", command->quality.seed, "of the bootstrap")->check(seed_number())->capture_default_str();
  app->footer(examples({"valence evaluator test schwartz.evaluator mine.jsonl",
                        "valence evaluator test schwartz.evaluator mine.jsonl --json"}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

// ---- apply

struct ApplyCommand {
  std::string evaluator, prompt, response, input;
  bool evidence = false;

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
  VALENCE_TRY(const auto given, texts());
  VALENCE_TRY(const auto families, feature_families());
  VALENCE_TRY(const auto loaded, load_evaluator(evaluator, families));
  const auto progress = session.progress();
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
  app->add_option("evaluator", command->evaluator, "file that valence evaluator train wrote")->required();
  app->add_option("-t,--text", command->response, "the response, or any text");
  app->add_option("-p,--prompt", command->prompt, "what it answers");
  app->add_option("-i,--input", command->input, "a text file, or JSONL with \"response\" and perhaps \"prompt\"");
  app->add_flag("--evidence", command->evidence, "show the sentences that carry it");
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
  add_test(*sub, session);
  add_apply(*sub, session);
}

}  // namespace valence
