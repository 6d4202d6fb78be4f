#include <CLI/CLI.hpp>

#include "session.h"

namespace valence {
namespace {

/// What a build for measuring only has in place of a command that it leaves out: the quickstart is to be ready in minutes.
void add_left_out(CLI::App& app, Session& session, const char* name, const char* what) {
  auto* sub = app.add_subcommand(name, fmt::format("{}; not in this build (valence {} --help)", what, name));
  sub->footer("This build is for measuring only. The whole program: cmake --preset release && cmake --build --preset release");
  sub->fallthrough(false)->allow_extras();  // whatever follows, the message below is the answer
  sub->callback([&session, name] {
    session.finish(fail(ErrorCode::kUsage, "this build is for measuring only and leaves \"{}\" out; build the whole program: cmake --preset release && "
                                           "cmake --build --preset release, then use build/release/apps/valence/valence", name));
  });
}

}  // namespace

void add_evaluator(CLI::App& app, Session& session) { add_left_out(app, session, "evaluator", "Evaluators of values"); }
void add_completeness(CLI::App& app, Session& session) {
  add_left_out(app, session, "completeness", "Whether values are enough to tell safe responses from unsafe ones");
}
void add_align(CLI::App& app, Session& session) { add_left_out(app, session, "align", "Bring a subject nearer to a target"); }
void add_study(CLI::App& app, Session& session) { add_left_out(app, session, "study", "Measure, align and measure again, from one file"); }
void add_tax(CLI::App& app, Session& session) { add_left_out(app, session, "tax", "What an alignment cost"); }

}  // namespace valence
