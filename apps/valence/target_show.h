#pragma once

#include <CLI/CLI.hpp>
#include <span>
#include <string>

#include "session.h"
#include "valence/values/opinions.h"
#include "valence/values/target.h"

namespace valence {

/// A target as lines for the terminal: what it is, where it comes from, its values with their intervals.
Result<std::string> target_text(const Target& target);
Result<Json> target_document(const Target& target);
/// An answer distribution per question.
std::string opinions_text(const OpinionTarget& target);

/// Writes a picture of the targets when `file` is not empty.
Result<void> write_picture(std::span<const Target> targets, const std::string& file);

// The subcommands of `valence target`, each in the file of its name.
void add_target_ask(CLI::App& app, Session& session);
void add_target_compare(CLI::App& app, Session& session);
void add_target_import(CLI::App& app, Session& session);

}  // namespace valence
