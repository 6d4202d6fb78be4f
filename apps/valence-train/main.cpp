// Carries out a training job that `valence align` wrote: valence-train JOB.json [--quiet]
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/interrupt.h"
#include "valence/base/progress.h"
#include "valence/train/carry_out.h"

namespace {

constexpr std::string_view kUsageText =
    "usage: valence-train JOB.json [--quiet]\n\n"
    "Carries out a training job and leaves adapter, checkpoint and outcome.json in its output folder. Run again, it "
    "goes on\n"
    "from the last checkpoint. Jobs are written by `valence align` (docs/formats.md, \"Training jobs\").\n";

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  std::string job;
  bool quiet = false;
  for (const auto word : words) {
    if (word == "--help") {
      fmt::print("{}", kUsageText);
      return 0;
    }
    if (word == "--quiet") {
      quiet = true;
    } else if (job.empty() && !word.starts_with("-")) {
      job = word;
    } else {
      fmt::print(stderr, "valence-train: unknown argument \"{}\"\n{}", word, kUsageText);
      return 2;
    }
  }
  if (job.empty()) {
    fmt::print(stderr, "{}", kUsageText);
    return 2;
  }
  const auto report = [](const valence::Error& error) {
    fmt::print(stderr, "valence-train: {}\n", error.message);
    return valence::exit_status(error.code);
  };
  if (const auto passive = valence::start_training_process(argv); !passive) return report(passive.error());
  const auto progress = quiet ? valence::silent_progress() : valence::terminal_progress();
  const auto done = valence::carry_out(job, *progress, valence::stop_on_signal());
  return done ? 0 : report(done.error());
}
