#include <CLI/CLI.hpp>

#include "session.h"

namespace valence {

// What the quickstart's build has in place of evaluator.cpp: it is to be ready in minutes.
void add_evaluator(CLI::App& app, Session& session) {
  auto* sub = app.add_subcommand("evaluator", "Evaluators of values; not in the quickstart's build, see --help");
  sub->footer("This build leaves evaluators out. The whole program: cmake --preset release && cmake --build --preset release");
  sub->fallthrough(false)->allow_extras();  // whatever follows, the message below is the answer
  sub->callback([&session] {
    session.finish(fail(ErrorCode::kUsage, "this build leaves evaluators out; build the whole program: cmake --preset release && "
                                           "cmake --build --preset release, then use build/release/apps/valence/valence"));
  });
}

}  // namespace valence
