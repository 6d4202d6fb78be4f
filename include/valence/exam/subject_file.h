#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "valence/base/node.h"
#include "valence/base/result.h"
#include "valence/exam/examiner.h"
#include "valence/model/open.h"

namespace valence {

/// A subject as it is written down: what a study names, what an aligner leaves behind. Opening it gives a Subject.
///
/// Keys of its TOML table: `model` (needed), `adapters` (array of "PATH" or "PATH:SCALE"), `persona` (system prompt),
/// `name`, `thinking`, `date`, `compute`, `reference`, `threads`, and an array of tables `example` of `role` (user,
/// assistant) and `content`.
struct SubjectSpec {
  ModelSpec model{.name = "smollm2", .adapters = {}, .engine = {}};
  std::string persona;
  std::vector<Message> examples;
  std::string name;  ///< empty: made from model and persona
  RenderOptions render;
};

/// "path.gguf" or "path.gguf:0.5".
Result<AdapterSpec> parse_adapter(const std::string& text);

/// A role that a person or the model may have in an example: kUsage, naming the place, on anything else.
Result<Role> example_role(const Node& message);

/// Errors name file, line, column and key. Paths of adapters are taken as they are written.
Result<SubjectSpec> subject_from(const Node& table);
Result<SubjectSpec> read_subject(const std::filesystem::path& file);
/// A file that read_subject reads: a subject that an aligner made can be measured by itself.
std::string to_toml(const SubjectSpec& spec);

/// The name of a model, or a path that ends in ".toml": a subject file.
Result<SubjectSpec> subject_named(const std::string& name_or_path);

/// What tables call it.
std::string display_name(const SubjectSpec& spec);

Result<Subject> open_subject(const SubjectSpec& spec);

/// Digest of everything that makes this subject this subject, found without opening the weights: content of model and
/// adapter files, engine options, steering, rendering.
Result<Digest> subject_identity(const SubjectSpec& spec);

}  // namespace valence
