// valence align preview: training data as the model will see it, token by token, with what is learned marked.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "align.h"
#include "session.h"
#include "subject_options.h"
#include "valence/base/table.h"
#include "valence/base/text.h"
#include "valence/train/example.h"

namespace valence {
namespace {

struct PreviewCommand {
  SubjectOptions subject;
  std::string data;
  std::size_t rows = 1;

  Result<void> run(const Session& session) const;
};

Json path_json(const AnswerPath& path, const std::vector<TokenView>& tokens) {
  Json json = {
      {"group", path.group}, {"value", path.value}, {"learned_from", path.learned_from}, {"tokens", Json::array()}};
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    json["tokens"].push_back({{"id", tokens[i].id},
                              {"text", tokens[i].text},
                              {"control", tokens[i].control},
                              {"learned", i >= path.learned_from}});
  }
  return json;
}

/// A token on one line: control tokens by name, the rest in quotes with line ends spelled out.
std::string shown(const TokenView& token) {
  if (token.control) return token.text;
  return fmt::format("\"{}\"", printable(replace_all(token.text, "\n", "\\n")));
}

std::string path_text(const AnswerPath& path, const std::vector<TokenView>& tokens) {
  TextTable table({{"token", Align::kRight}, {"id", Align::kRight}, {"learned", Align::kLeft}, {"text", Align::kLeft}});
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    table.add(
        {std::to_string(i + 1), std::to_string(tokens[i].id), i >= path.learned_from ? "yes" : "", shown(tokens[i])});
  }
  return fmt::format("{}  {} of {} tokens are learned, value {}\n", table.text(), path.learned(), path.tokens.size(),
                     significant(path.value));
}

/// Labelled answers are shown beside one to another prompt, so enough records to hold one.
std::size_t count_to_render(std::span<const TrainingRecord> records, std::size_t rows) {
  const auto same_prompt = [&](const TrainingRecord& record) {
    return std::ranges::equal(record.prompt, records.front().prompt,
                              [](const Message& a, const Message& b) { return a.role == b.role && a.text == b.text; });
  };
  const auto other = std::ranges::find_if_not(records, same_prompt) - records.begin();
  return std::min(std::max(rows, static_cast<std::size_t>(other) + 1), records.size());
}

Result<void> PreviewCommand::run(const Session& session) const {
  VALENCE_TRY(const auto records, read_training_data(data));
  VALENCE_TRY(const auto model, subject.open());
  VALENCE_TRY(
      const auto rendered,
      render_data(*model.model, std::span(records).first(count_to_render(records, rows)), model.render, std::numeric_limits<std::size_t>::max()));
  Json list = Json::array();
  for (std::size_t i = 0; i < std::min(rows, rendered.examples.size()); ++i) {
    const auto& example = rendered.examples[i];
    Json entry = {{"id", example.id}, {"paths", Json::array()}};
    for (std::size_t p = 0; p < example.paths.size(); ++p) {
      const auto& path = example.paths[p];
      VALENCE_TRY(const auto tokens, model.model->view({path.tokens, ""}));
      entry["paths"].push_back(path_json(path, tokens));
      if (!session.json)
        fmt::print("{}, answer {} of {}\n{}\n", example.id, p + 1, example.paths.size(), path_text(path, tokens));
    }
    list.push_back(std::move(entry));
  }
  if (session.json)
    session.print({{"kind", to_string(records.front().kind)}, {"records", records.size()}, {"examples", list}});
  return {};
}

}  // namespace

void add_align_preview(CLI::App& align, Session& session) {
  auto command = std::make_shared<PreviewCommand>();
  auto* app = align.add_subcommand("preview", "Show training data as rendered tokens, with what is learned marked");
  command->subject.add_flags(*app);
  app->add_option("--data", command->data, "JSON Lines file of training data (docs/formats.md, \"Training data\")")
      ->required();
  app->add_option("--rows", command->rows, "records to show")->check(CLI::Range(1, 1000))->capture_default_str();
  app->footer(examples({"valence align preview --data pairs.jsonl --model smollm2",
                        "valence align preview --data talk.jsonl --rows 3 --json"}));
  app->callback([command, &session] { session.finish(command->run(session)); });
}

}  // namespace valence
