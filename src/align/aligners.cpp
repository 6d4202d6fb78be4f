#include <nlohmann/json.hpp>

#include "valence/align/aligner.h"
#include "valence/align/base_align.h"
#include "valence/align/choice.h"
#include "valence/align/constitutional.h"
#include "valence/align/file_training.h"
#include "valence/align/in_context.h"
#include "valence/align/rlhf.h"
#include "valence/base/files.h"
#include "valence/base/json.h"
#include "valence/base/node.h"
#include "valence/base/settings_digest.h"
#include "valence/base/text.h"
#include "valence/store/run_scope.h"
#include "valence/values/opinions.h"

namespace valence {
namespace {

constexpr std::string_view kRunKind = "align/";

std::vector<std::unique_ptr<Aligner>> make_all() {
  std::vector<std::unique_ptr<Aligner>> all;
  all.push_back(make_in_context());
  all.push_back(make_choice());
  all.push_back(make_base_align());
  all.push_back(make_rlhf());
  all.push_back(make_constitutional());
  for (const auto& operation : file_operations()) all.push_back(make_file_aligner(operation));
  return all;
}

Result<std::string> key_of(const Aligner& aligner, const AlignContext& context) {
  VALENCE_TRY(const auto base, subject_identity(context.base));
  Hasher hasher;
  hasher.add(aligner.card().id).add(aligner.card().version).add(base).add(context.seed);
  if (context.target) hasher.add(identity_text(*context.target));
  if (context.instrument) hasher.add(context.instrument->card().id).add(context.instrument->card().version);
  if (context.asked) VALENCE_CHECK(add_settings(hasher, *context.asked));
  VALENCE_CHECK(add_settings(hasher, context.settings));
  return hasher.finish().hex();
}

Json settings_json(const AlignContext& context) {
  Json json = context.settings.to_json();
  if (context.target) json["target"] = context.target->id;
  if (context.instrument) json["instrument"] = context.instrument->card().id;
  if (context.asked) json["asked"] = context.asked->to_json();
  return json;
}

Result<RunRecord> record_of(const Aligner& aligner, const AlignContext& context) {
  RunRecord record;
  VALENCE_TRY(record.key, key_of(aligner, context));
  record.instrument = fmt::format("{}{}", kRunKind, aligner.card().id);
  record.subject = display_name(context.base);
  record.settings = to_text(settings_json(context));
  record.provenance = to_text(
      Json{{"model", context.base.model.name}, {"seed", context.seed}, {"aligner_version", aligner.card().version}});
  return record;
}

Result<AlignedSubject> align_in(const Aligner& aligner, const AlignContext& context, const RunRecord& record,
                                RunId run) {
  VALENCE_TRY(auto aligned, aligner.align(context, run));
  aligned.run = run;
  VALENCE_TRY(const auto what, parse_json(aligned.record, "record of the alignment"));
  VALENCE_TRY(const auto identity, subject_identity(aligned.subject));
  const Json filed = {{"subject", to_toml(aligned.subject)}, {"identity", identity.hex()}, {"record", what}};
  const AnswerTable drawn{record.instrument, std::exchange(aligned.answers, {}), {}};
  VALENCE_CHECK(context.store.finish(run, drawn, to_text(filed)));
  return aligned;
}

/// A command that failed before it drew or taught anything leaves its claim alone there.
bool holds_nothing_but(const std::filesystem::path& folder, const std::filesystem::path& file) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path() != file) return false;
  }
  return true;
}

/// A folder of trained weights belongs to one alignment: what another would draw and teach is not written over it.
Result<void> claim_folder(const Aligner& aligner, const AlignContext& context, const RunRecord& record) {
  if (!aligner.card().changes_weights || context.folder.empty()) return {};
  const auto file = context.folder / "alignment.json";
  std::error_code error;
  if (!std::filesystem::exists(file, error) || holds_nothing_but(context.folder, file)) {
    return write_file(file, to_text(Json{{"aligner", aligner.card().id},
                                         {"key", record.key},
                                         {"subject", record.subject},
                                         {"settings", settings_json(context)}}, 2) + "\n");
  }
  VALENCE_TRY(const auto text, read_file(file));
  VALENCE_TRY(const auto node, parse_json_node(text, file.string()));
  VALENCE_TRY(const auto key, node.string_at("key"));
  if (key == record.key) return {};
  return fail(ErrorCode::kUsage,
              "{} holds another alignment (of another subject, target, data or settings: see alignment.json there); "
              "name another --out, or remove it",
              context.folder.string());
}

/// The run names files: what lies there now must be what it left there. Runs of older versions do not say.
Result<void> check_identity(const SubjectSpec& subject, const std::string& filed, RunId run) {
  if (filed.empty()) return {};
  auto found = subject_identity(subject);
  if (!found) return tl::unexpected(with_context(std::move(found).error(), fmt::format("what run {} left", run)));
  if (found->hex() == filed) return {};
  return fail(ErrorCode::kMismatch, "the adapter or model that run {} left is another now; align anew", run);
}

}  // namespace

const std::vector<std::unique_ptr<Aligner>>& aligners() {
  static const auto all = make_all();
  return all;
}

Result<const Aligner*> find_aligner(std::string_view id) {
  std::vector<std::string> ids;
  for (const auto& aligner : aligners()) {
    if (aligner->card().id == id) return aligner.get();
    ids.push_back(aligner->card().id);
  }
  const auto near = nearest(id, ids);
  return fail(
      ErrorCode::kUsage, "unknown aligner \"{}\"{}", printable(id),
      near.empty() ? fmt::format("; there are: {}", join(ids, ", ")) : fmt::format("; did you mean \"{}\"?", near));
}

Result<AlignedSubject> align(const Aligner& aligner, const AlignContext& context) {
  const auto& card = aligner.card();
  if (card.needs_target && !context.target) return fail(ErrorCode::kUsage, "aligner {} needs a target", card.id);
  if (card.needs_instrument && !context.instrument)
    return fail(ErrorCode::kUsage, "aligner {} needs an instrument", card.id);
  VALENCE_CHECK(aligner.check({context.target, context.instrument, context.asked, context.settings}));
  VALENCE_TRY(const auto record, record_of(aligner, context));
  VALENCE_CHECK(claim_folder(aligner, context, record));
  VALENCE_TRY(const auto scope, RunScope::begin(context.store, record));
  auto aligned = align_in(aligner, context, record, scope.run());
  if (!aligned) return tl::unexpected(scope.ended(std::move(aligned).error()));
  return aligned;
}

Result<AlignedSubject> load_aligned(const Store& store, RunId id) {
  VALENCE_TRY(const auto run, store.run(id));
  if (!run.instrument.starts_with(kRunKind) || run.state != RunState::kFinished) {
    return fail(ErrorCode::kUsage, "run {} is no finished alignment ({}, {})", id, run.instrument,
                to_string(run.state));
  }
  VALENCE_TRY(const auto json, parse_json(run.profile, fmt::format("run {}", id)));
  if (!json.contains("subject") || !json["subject"].is_string())
    return fail(ErrorCode::kCorrupt, "run {}: the aligned subject is damaged", id);
  VALENCE_TRY(const auto node, parse_toml(json["subject"].get<std::string>(), fmt::format("subject of run {}", id)));
  AlignedSubject aligned;
  VALENCE_TRY(aligned.subject, subject_from(node));
  VALENCE_CHECK(check_identity(aligned.subject, json.value("identity", ""), id));
  aligned.record = to_text(json.value("record", Json::object()));
  aligned.run = id;
  return aligned;
}

}  // namespace valence
