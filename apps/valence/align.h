#pragma once

namespace CLI {
class App;
}

namespace valence {

struct Session;

// The parts of `valence align`, each in the file of its name.
void add_align_choice(CLI::App& align, Session& session);
void add_align_data(CLI::App& align, Session& session);
void add_align_export(CLI::App& align, Session& session);
void add_align_in_context(CLI::App& align, Session& session);
void add_align_preview(CLI::App& align, Session& session);
void add_align_values(CLI::App& align, Session& session);  ///< where evaluators are built

}  // namespace valence
