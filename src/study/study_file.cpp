#include <algorithm>

#include "valence/base/files.h"
#include "valence/base/text.h"
#include "valence/study/study.h"

namespace valence {
namespace {

Result<void> check_keys(const Node& root) {
  std::vector<std::string> known = {"id", "title", "note", "seed", "reuse", "report"};
  for (const auto& kind : step_kinds()) known.emplace_back(kind.id);
  VALENCE_TRY(const auto table, root.as_table());
  for (const auto& [key, node] : table) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const auto near = nearest(key, known);
    return tl::unexpected(node.error(
        fmt::format("unknown key \"{}\"; {}", printable(key),
                    near.empty() ? "expected one of " + join(known, ", ") : "did you mean \"" + near + "\"?")));
  }
  return {};
}

/// Files and folders are called after studies and their steps, so none may name a place elsewhere.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

Result<void> read_head(const Node& root, Study& study) {
  VALENCE_TRY(study.id, root.string_at("id"));
  if (!is_plain_name(study.id))
    return tl::unexpected(root.find("id")->error(
        fmt::format("\"id\" should be small letters, digits, - and _, got \"{}\"", printable(study.id))));
  VALENCE_TRY(study.title, root.string_at("title"));
  VALENCE_TRY(study.note, root.string_or("note", ""));
  VALENCE_TRY(study.reuse, root.bool_or("reuse", false));
  VALENCE_TRY(const auto seed, root.integer_or("seed", 0));
  if (seed < 0)
    return tl::unexpected(root.find("seed")->error(fmt::format("\"seed\" should be 0 or more, got {}", seed)));
  study.seed = static_cast<std::uint64_t>(seed);
  return {};
}

Result<void> read_report(const Node& root, Study& study) {
  study.report.out = fmt::format("out/{}.html", study.id);
  const auto* table = root.find("report");
  if (!table) return {};
  VALENCE_CHECK(table->allow_only({"out", "title", "note"}));
  VALENCE_TRY(study.report.out, table->string_or("out", study.report.out));
  if (!study.report.out.ends_with(".html")) {
    return tl::unexpected(table->find("out")->error(
        fmt::format("the report of a study ends in .html, not \"{}\"", printable(study.report.out))));
  }
  VALENCE_TRY(study.report.title, table->string_or("title", ""));
  VALENCE_TRY(study.report.note, table->string_or("note", ""));
  return {};
}

/// Subjects and alignments are called by the same key, so they may not share a name.
Result<void> check_name(const std::string& kind, const std::string& name, const Node& table, const StepNames& names) {
  if (!is_plain_name(name))
    return tl::unexpected(table.error(fmt::format(
        "the name of [{}.NAME] should be small letters, digits, - and _, got \"{}\"", kind, printable(name))));
  const bool aligned = kind == "align" && names.find("subject." + name) != nullptr;
  if (aligned)
    return tl::unexpected(
        table.error(fmt::format("\"{}\" is also a subject; give the alignment a name of its own", printable(name))));
  return {};
}

/// Steps of one kind may need each other (an alignment of an alignment), in the order of the file.
Result<void> read_kind(const Node& root, const StepKind& kind, StepNames& names, Study& study) {
  const auto* tables = root.find(kind.id);
  if (!tables) return {};
  VALENCE_TRY(const auto entries, tables->as_table());
  for (const auto& [name, table] : entries) {
    VALENCE_CHECK(check_name(std::string(kind.id), name, table, names));
    VALENCE_TRY(auto step, kind.read(name, table, names, {study.seed}));
    names.add(*step);
    study.steps.push_back(std::move(step));
  }
  return {};
}

Result<Study> study_from(const Node& root, const std::filesystem::path& file) {
  VALENCE_CHECK(check_keys(root));
  Study study;
  study.file = file;
  VALENCE_CHECK(read_head(root, study));
  VALENCE_CHECK(read_report(root, study));
  StepNames names;
  for (const auto& kind : step_kinds()) VALENCE_CHECK(read_kind(root, kind, names, study));
  const bool runs =
      std::any_of(study.steps.begin(), study.steps.end(), [](const auto& step) { return !step->is_input(); });
  if (!runs) return fail(ErrorCode::kUsage, "{}: the study has nothing to run; write a [measure.NAME]", file.string());
  return study;
}

}  // namespace

const Step* Study::find(std::string_view name) const {
  const auto found =
      std::find_if(steps.begin(), steps.end(), [&](const auto& step) { return step->full_name() == name; });
  return found == steps.end() ? nullptr : found->get();
}

Result<Study> read_study(const std::filesystem::path& file) {
  VALENCE_TRY(const auto root, read_toml(file));
  return study_from(root, file);
}

Result<Study> parse_study(std::string_view toml, std::string_view name) {
  VALENCE_TRY(const auto root, parse_toml(toml, name));
  return study_from(root, std::filesystem::path(name));
}

}  // namespace valence
