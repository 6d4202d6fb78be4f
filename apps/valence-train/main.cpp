// Carries out a training job that `valence align` wrote: valence-train JOB.json [--quiet] [--rate | --export FORM OUT]
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/interrupt.h"
#include "valence/base/progress.h"
#include "valence/train/carry_out.h"

namespace {

constexpr std::string_view kUsageText =
    "usage: valence-train JOB.json [--quiet] [--rate | --export FORM OUT] [--patience SECONDS] [--with-parent]\n\n"
    "Carries out a training job and leaves adapter, checkpoint and outcome.json in its output folder. Run again, it "
    "goes on\n"
    "from the last checkpoint. With --rate it trains nothing: the job's examples are rated by the reward model that "
    "it\n"
    "starts from. With --export what the job taught is written to OUT: FORM is peft or the format of a merged file\n"
    "(f16, q8_0, …). Jobs are written by `valence align` (docs/formats.md, \"Training jobs\").\n\n"
    "Started by torchrun or mpirun, the processes train together (docs/training.md, \"On more than one machine\");\n"
    "--patience: how long one waits for another before it is given up (default 300).\n"
    "--with-parent: stop when the process that started this one ends.\n";

struct CommandLine {
  std::string job;
  bool quiet = false, help = false, rating = false, with_parent = false;
  std::string form, out;  ///< of the export
  std::chrono::seconds patience = std::chrono::minutes(5);
};

/// What is wrong with it, else nothing.
std::string read(const std::vector<std::string_view>& words, CommandLine& line) {
  constexpr int kDay = 86400;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto word = words[i];
    if (word == "--help") {
      line.help = true;
    } else if (word == "--quiet") {
      line.quiet = true;
    } else if (word == "--rate") {
      line.rating = true;
    } else if (word == "--export") {
      if (i + 2 >= words.size()) return "--export takes a form (peft, f16, …) and a path";
      line.form = words[++i];
      line.out = words[++i];
    } else if (word == "--patience") {
      const auto value = i + 1 < words.size() ? words[++i] : std::string_view();
      int seconds = 0;
      const auto read = std::from_chars(value.data(), value.data() + value.size(), seconds);
      if (read.ec != std::errc() || read.ptr != value.data() + value.size() || seconds < 1 || seconds > kDay)
        return fmt::format("--patience takes whole seconds from 1 to {}, got \"{}\"", kDay, value);
      line.patience = std::chrono::seconds(seconds);
    } else if (word == "--with-parent") {
      line.with_parent = true;
    } else if (line.job.empty() && !word.starts_with("-")) {
      line.job = word;
    } else {
      return fmt::format("unknown argument \"{}\"", word);
    }
  }
  if (line.rating && !line.form.empty()) return "--rate and --export exclude each other";
  return line.job.empty() && !line.help ? "no job was named" : "";
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  if (const auto wrong = read({argv + 1, argv + argc}, line); !wrong.empty()) {
    fmt::print(stderr, "valence-train: {}\n{}", wrong, kUsageText);
    return 2;
  }
  if (line.help) {
    fmt::print("{}", kUsageText);
    return 0;
  }
  const auto report = [](const valence::Error& error) {
    fmt::print(stderr, "valence-train: {}\n", error.message);
    return valence::exit_status(error.code);
  };
  if (const auto passive = valence::start_training_process(argv); !passive) return report(passive.error());
  const auto progress = line.quiet ? valence::silent_progress() : valence::terminal_progress();
  const auto stop = valence::stop_on_signal();
  if (line.with_parent) valence::stop_with_parent();
  const auto done = !line.form.empty() ? valence::export_trained(line.job, line.form, line.out)
                    : line.rating      ? valence::rate(line.job, *progress, stop)
                                       : valence::carry_out(line.job, *progress, {stop, line.patience, argv});
  return done ? 0 : report(done.error());
}
