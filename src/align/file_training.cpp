#include "valence/align/file_training.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "valence/align/lessons.h"
#include "valence/align/pair_accuracy.h"
#include "valence/align/training.h"
#include "valence/base/json.h"
#include "valence/base/random.h"

namespace valence {
namespace {

using enum SettingType;

constexpr const char* kRewardModel = "reward_model";  // key of the record: the folder

SettingTable file_settings(const Operation& operation) {
  SettingTable table = {
      {"data", kText, "", "", "JSON Lines file that is learned from (docs/formats.md, \"Training data\")", {}, {}, {}},
      {"held_out", kText, "", "", "another such file, looked at before and after; empty: none", {}, {}, {}},
      {"split",
       kChoice,
       "none",
       "",
       "prompts: learn from the training side of the one split of prompts and look at the other side, of held_out or "
       "of "
       "data itself; none: both files whole",
       {"none", "prompts"},
       {},
       {}},
      {"count", kInteger, "0", "records", "so many of the records, drawn by the seed; 0: all", {}, 0, 1e9},
      {"held_out_count", kInteger, "0", "records", "likewise of the held-out ones", {}, 0, 1e9},
      {"leave_out_unreadable",
       kBool,
       "false",
       "",
       "leave out lines that are no record, counted, instead of stopping",
       {},
       {},
       {}}};
  table.insert(table.end(), operation.settings.begin(), operation.settings.end());
  return table;
}

AlignerCard file_card(const Operation& operation) {
  AlignerCard card;
  card.id = operation.id;
  card.title = operation.title;
  card.version = "1";
  card.does = operation.title + ", learned from a file.";
  card.limits =
      "What the file's authors preferred is learned; a reward that finds it on held-out pairs is no evidence of "
      "values.";
  card.changes_weights = true;
  card.needs_target = false;
  card.needs_instrument = false;
  card.rates = operation.id == "reward";
  return card;
}

std::vector<TrainingRecord> records_drawn(std::vector<TrainingRecord> records, const TrainingFileOptions& options) {
  if (options.count == 0 || options.count >= records.size()) return records;
  std::vector<TrainingRecord> some;
  for (const auto i : RandomStream(options.seed, "training records").sample(records.size(), options.count))
    some.push_back(std::move(records[i]));
  return some;
}

/// What the person said first: what the split of prompts goes by.
std::string_view opening_of(const TrainingRecord& record) {
  const auto first = std::ranges::find(record.prompt, Role::kUser, &Message::role);
  return first == record.prompt.end() ? std::string_view() : std::string_view(first->text);
}

struct Files {
  TrainingFile training, held_out;
};

Result<Files> read_files(const AlignContext& context, const Operation& operation) {
  const auto& settings = context.settings;
  VALENCE_TRY(const auto subject, open_subject(context.base));
  TrainingFileOptions options{static_cast<std::size_t>(settings.integer("longest")),
                              settings.flag("leave_out_unreadable"),
                              static_cast<std::size_t>(settings.integer("count")), context.seed};
  const TrainingFileNames names{settings.text("data"), settings.text("held_out"), settings.text("split") == "prompts"};
  Files files;
  options.side = names.side(PromptSide::kTraining);
  VALENCE_TRY(files.training, read_training_file(names.training, operation, subject, options));
  if (!names.has_held_out()) return files;
  options.count = static_cast<std::size_t>(settings.integer("held_out_count"));
  options.side = names.side(PromptSide::kHeldOut);
  VALENCE_TRY(files.held_out, read_training_file(names.held_out_file(), operation, subject, options));
  return files;
}

Json file_counts_json(const TrainingFile& file) {
  return {
      {"records", file.examples.size()}, {"unreadable", file.unreadable.size()}, {"too_long", file.too_long.size()}};
}

class FileAligner final : public Aligner {
 public:
  explicit FileAligner(const Operation& operation)
      : operation_(operation), card_(file_card(operation)), table_(file_settings(operation)) {}

  const AlignerCard& card() const override { return card_; }
  const SettingTable& settings() const override { return table_; }

  Result<void> check(const AlignRequest& request) const override {
    if (!request.settings.text("data").empty()) return {};
    return fail(ErrorCode::kUsage, "{}: name the file to learn from: settings = {{ data = \"pairs.jsonl\" }}",
                card_.id);
  }

  Result<void> ready(const AlignRequest& request) const override {
    for (const std::string key : {"data", "held_out"}) {
      const auto& name = request.settings.text(key);
      std::error_code error;
      if (!name.empty() && !std::filesystem::is_regular_file(name, error))
        return fail(ErrorCode::kNotFound, "{}: there is no file {}", key, printable(name));
    }
    VALENCE_TRY(const auto trainer, find_trainer());
    return {};
  }

  Result<AlignedSubject> align(const AlignContext& context, RunId) const override {
    VALENCE_TRY(auto settings, settings_of_operation(operation_, context.settings));
    VALENCE_TRY(const auto registry, ModelRegistry::open());
    VALENCE_TRY(auto file, registry.resolve(context.base.model.name));
    VALENCE_TRY(auto files, read_files(context, operation_));
    Json record = {{"data", context.settings.text("data")},
                   {"training", file_counts_json(files.training)},
                   {"held_out", file_counts_json(files.held_out)}};
    const TrainingRequest request{operation_,
                                  std::move(settings),
                                  std::move(file),
                                  context.base.model.adapters,
                                  std::move(files.training.examples),
                                  std::move(files.held_out.examples),
                                  context.folder,
                                  context.seed,
                                  context.base.model.engine.threads,
                                  context.settings.text("data")};
    VALENCE_TRY(const auto run, run_training(request, context.store, {context.stop, context.progress == nullptr}));
    const auto& outcome = run.outcome;
    record.update({{"steps", outcome.steps},
                   {"tokens", outcome.tokens},
                   {"seconds", outcome.seconds},
                   {"parity", outcome.parity},
                   {"training_run", run.run},
                   {"adapter", outcome.adapter.string()},
                   {"adapter_sha256", outcome.adapter_sha256}});
    if (card_.rates) record[kRewardModel] = run.folder.string();
    if (!outcome.after.margins.empty()) {
      VALENCE_TRY(const auto accuracy,
                  pair_accuracy(request.examples, request.held_out, outcome.after.margins, context.seed));
      record["pair_accuracy"] = to_json(accuracy);
    }
    AlignedSubject aligned{context.base, to_text(record), 0};
    aligned.subject.name = fmt::format("{} after {}", display_name(context.base), operation_.id);
    aligned.subject.model = trained_model(context.base.model, outcome);
    return aligned;
  }

 private:
  const Operation& operation_;
  AlignerCard card_;
  SettingTable table_;
};

}  // namespace

Result<TrainingFile> read_training_file(const std::string& file, const Operation& operation, const Subject& model,
                                        const TrainingFileOptions& options) {
  TrainingFile read;
  VALENCE_TRY(auto records, read_training_data(file, options.leave_out_unreadable ? &read.unreadable : nullptr));
  if (records.empty()) return fail(ErrorCode::kUsage, "{}: no line is a record", file);
  const auto kind = records.front().kind;
  if (std::ranges::find(operation.data, kind) == operation.data.end()) {
    return fail(ErrorCode::kUsage, "{}: {} learns from {} data, this file holds {} data (valence align list)", file,
                operation.id, to_string(operation.data.front()), to_string(kind));
  }
  if (options.side) {
    std::erase_if(records, [&](const TrainingRecord& record) { return side_of(opening_of(record)) != *options.side; });
    if (records.empty())
      return fail(ErrorCode::kUsage, "{}: no record is on the {} side of the split of prompts", file,
                  to_string(*options.side));
  }
  records = records_drawn(std::move(records), options);
  VALENCE_TRY(auto rendered, render_data(*model.model, records, model.render, options.longest));
  if (rendered.examples.empty())
    return fail(ErrorCode::kUsage, "{}: all {} records are longer than {} tokens (longest)", file, records.size(),
                options.longest);
  read.examples = std::move(rendered.examples);
  read.too_long = std::move(rendered.too_long);
  return read;
}

const std::vector<std::string>& file_operations() {
  static const std::vector<std::string> ids = {"sft", "dpo", "kto", "simpo", "cpo", "orpo", "slic", "reward", "rrhf"};
  return ids;
}

Result<std::filesystem::path> reward_model_of(const Store& store, RunId run) {
  VALENCE_TRY(const auto aligned, load_aligned(store, run));
  VALENCE_TRY(const auto record, parse_json(aligned.record, fmt::format("record of run {}", run)));
  const std::filesystem::path folder = record.value(kRewardModel, std::string());
  if (folder.empty()) return fail(ErrorCode::kUsage, "run {} left no reward model", run);
  std::error_code error;
  if (std::filesystem::exists(folder / "checkpoint.bin", error)) return folder;
  return fail(ErrorCode::kNotFound,
              "the reward model that run {} left is gone: {} holds no checkpoint.bin; train it anew", run,
              folder.string());
}

std::unique_ptr<Aligner> make_file_aligner(const std::string& operation) {
  return std::make_unique<FileAligner>(**find_operation(operation));
}

}  // namespace valence
