#include "valence/evaluate/completeness.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "session.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/evaluate/language.h"
#include "valence/model/embedder.h"

namespace valence {
namespace {

struct CompletenessCommand {
  std::string file, space = "schwartz10";
  EmbedderSpec embedder{.name = "minilm", .adapters = {}, .engine = {}};
  std::vector<std::string> languages;
  CompletenessOptions options;

  Result<void> run(const Session& session) const;
};

// ---- languages

Result<std::vector<std::string>> languages_of(const CompletenessCommand& command, const LanguageList& list) {
  if (!command.languages.empty()) return command.languages;
  const auto known = list.embedders.find(command.embedder.name);
  if (known != list.embedders.end()) return known->second;
  return fail(ErrorCode::kUsage, "which languages {} reads is not known: say them with --languages en,de,…",
              command.embedder.name);
}

/// The language of a row as declared, else as it looks; nothing where it may be any.
std::optional<std::string> language_of(const SafetyRow& row, const LanguageList& list) {
  if (!row.language.empty()) return row.language;
  const auto likely = likely_language(row.text.response, list);
  return likely.empty() ? std::nullopt : std::optional(likely);
}

Result<void> check_languages(const SafetyData& data, const LanguageList& list, const std::vector<std::string>& read,
                             const std::string& embedder) {
  std::size_t others = 0;
  const SafetyRow* first = nullptr;
  for (const auto& row : data.rows) {
    const auto language = language_of(row, list);
    if (!language || std::find(read.begin(), read.end(), *language) != read.end()) continue;
    if (++others == 1) first = &row;
  }
  if (others == 0) return {};
  return fail(ErrorCode::kUsage,
              "{}: this response is in {}, and {} more of {} are in languages that {} does not read (it reads {}), so "
              "its vectors "
              "would say little about them. Name a multilingual embedder (--embedder, with --languages), or leave "
              "these responses "
              "out; where a language was taken for another, \"language\" in the line puts it right",
              first->place, *language_of(*first, list), others - 1, data.rows.size(), embedder, join(read, ", "));
}

// ---- vectors

Result<FeatureMatrix> vectors_of(const SafetyData& data, const EmbedderSpec& spec, const Session& session) {
  VALENCE_TRY(const auto embedder, open_embedder(spec));
  std::vector<std::string> texts;
  for (const auto& row : data.rows)
    texts.push_back(row.text.prompt.empty() ? row.text.response : row.text.prompt + "\n\n" + row.text.response);
  const auto progress = session.progress();
  VALENCE_TRY(const auto table, embed(*embedder, texts, {session.stop, progress.get()}));
  return dense_features(table.rows(), table.dimensions, table.values);
}

// ---- output

std::string verdict(const CompletenessFigure& all) {
  if (all.beyond.low > 0.0) {
    return "the embedding tells safe from unsafe better than the labelled values do, noise in the labels allowed for: "
           "these values are not enough "
           "for these responses";
  }
  if (all.beyond.high < 0.0)
    return "the embedding adds nothing beyond the labelled values (it made predictions a little worse)";
  return "nothing beyond the labelled values was found; that is no proof that they are enough";
}

std::string report_text(const CompletenessReport& report, const CompletenessCommand& command, const Session& session) {
  TextTable table({{"", Align::kLeft},
                   {"responses", Align::kRight},
                   {"unsafe", Align::kRight},
                   {"no values", Align::kRight},
                   {"labelled", Align::kRight},
                   {"gain of the embedding", Align::kLeft},
                   {"beyond label noise", Align::kLeft}});
  for (const auto& figure : report.figures) {
    table.add({figure.genre.empty() ? "all" : figure.genre, with_thousands(figure.rows), with_thousands(figure.unsafe),
               fmt::format("{:.3f}", figure.chance.value), fmt::format("{:.3f}", figure.labels.value),
               figure_text(figure.gain), figure_text(figure.beyond)});
  }
  const auto& all = report.figures.front();
  return fmt::format(
      "{}\n\n{}\n  {}\n  held-out log loss in nats per response, {} folds by prompt; intervals over {} prompts\n"
      "  beyond its prediction of the labels the embedding was used in {} of {} folds\n",
      styled(
          fmt::format("Are the values of {} enough? {} against labelled values", command.space, command.embedder.name),
          Style::kBold, session.out),
      table.text(), verdict(all), report.folds, with_thousands(all.prompts), report.folds_with_embedding, report.folds);
}

Json figure_json(const CompletenessFigure& figure) {
  return {{"genre", figure.genre.empty() ? Json(nullptr) : Json(figure.genre)},
          {"responses", figure.rows},
          {"prompts", figure.prompts},
          {"unsafe", figure.unsafe},
          {"chance", to_json(figure.chance)},
          {"labels", to_json(figure.labels)},
          {"denoised", to_json(figure.denoised)},
          {"gain", to_json(figure.gain)},
          {"beyond", to_json(figure.beyond)}};
}

Json report_json(const CompletenessReport& report, const SafetyData& data, const CompletenessCommand& command) {
  Json document = {{"data", command.file},
                   {"space", command.space},
                   {"embedder", command.embedder.name},
                   {"folds", report.folds},
                   {"folds_with_embedding", report.folds_with_embedding},
                   {"figures", Json::array()},
                   {"explained", Json::object()},
                   {"verdict", verdict(report.figures.front())}};
  for (const auto& figure : report.figures) document["figures"].push_back(figure_json(figure));
  for (std::size_t d = 0; d < report.explained.size(); ++d)
    document["explained"][data.names.dimensions[d]] = number_or_null(report.explained[d]);
  return document;
}

Result<void> CompletenessCommand::run(const Session& session) const {
  VALENCE_TRY(const auto values, space.ends_with(".toml") ? read_space(space) : load_space(space));
  VALENCE_TRY(const auto names, dimension_names(values));
  VALENCE_TRY(const auto data, read_safety_data(file, names));
  VALENCE_TRY(const auto list, language_list());
  VALENCE_TRY(const auto read, languages_of(*this, list));
  VALENCE_CHECK(check_languages(data, list, read, embedder.name));
  VALENCE_TRY(const auto vectors, vectors_of(data, embedder, session));
  auto report = completeness(data, vectors, options);
  if (!report) return tl::unexpected(with_context(std::move(report).error(), file));
  if (session.json) {
    session.print(report_json(*report, data, *this));
  } else {
    fmt::print("{}", report_text(*report, *this, session));
  }
  return {};
}

}  // namespace

void add_completeness(CLI::App& app, Session& session) {
  auto command = std::make_shared<CompletenessCommand>();
  auto* sub = app.add_subcommand("completeness",
                                 "Are the values enough? What an embedding knows of safety beyond labelled values");
  sub->add_option(
         "file", command->file,
         "JSONL: prompt, response, value_types or values, safe, perhaps genre and language (docs/completeness.md)")
      ->required();
  sub->add_option("--embedder", command->embedder.name,
                  "embedding model: registry name, path, URL or hf:owner/repo/file.gguf")
      ->capture_default_str();
  sub->add_option("--languages", command->languages, "that the embedder reads, e.g. en,de; known for minilm")
      ->delimiter(',');
  sub->add_option("--space", command->space, "value space of the labels: an id, or a TOML file")->capture_default_str();
  sub->add_option("--folds", command->options.folds, "folds by prompt")
      ->check(CLI::Range(2, 50))
      ->capture_default_str();
  sub->add_option("--fewest", command->options.fewest, "responses of a genre that is shown by itself")
      ->check(CLI::Range(10, 1000000))
      ->capture_default_str();
  sub->add_option("--seed", command->options.seed, "of folds and bootstrap")
      ->check(seed_number())
      ->capture_default_str();
  sub->footer(examples({"valence completeness labelled.jsonl",
                        "valence completeness labelled.jsonl --embedder multilingual.gguf --languages en,zh --json"}));
  sub->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
