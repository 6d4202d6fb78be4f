// A study that trains, killed in the middle of it: needs the trainer.
#ifdef VALENCE_TRAINER
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "model/llama_tiny.h"
#include "program.h"
#include "support/environment.h"

namespace valence::testing {
namespace {

constexpr std::string_view kTrainingStudy = R"(
id = "trained"
title = "A study that trains"
[subject.base]
model = "tiny.gguf"
compute = "as_is"
threads = 1
[target.prosocial]
target = "svo_reachable"
dimensions = ["prosocial"]
[align.trained]
method = "choice"
subject = "base"
target = "prosocial"
instrument = "svo"
asked = { items = "generated", lines = 1, wordings = 1, labels = "letters", layouts = "paper" }
settings = { steps = 100, learning_rate = 0.002, checkpoint_every = 1 }
[measure.after]
instrument = "fluency"
subject = "trained"
settings = { count = 4 }
)";

/// The first file of that name anywhere in a folder; empty while there is none.
std::filesystem::path file_in(const std::filesystem::path& folder, std::string_view name) {
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename() == std::filesystem::path(name)) return at->path();
  }
  return {};
}

nlohmann::json read_json(const std::filesystem::path& path) { return nlohmann::json::parse(content_of(path)); }

/// What a trained subject is and says, without what differs from run to run.
nlohmann::json trained_in(const Scratch& folder) {
  const auto report = read_json(folder / "out/trained.json");
  const auto& record = report["alignments"][0]["record"];
  return {record["adapter_sha256"], record["steps"], report["measurements"][0]["entries"]};
}

class StudyTraining : public ::testing::Test {
 protected:
  /// The trainer, as a program that says who it is: it outlives the study that started it.
  StudyTraining() {
    put_file(own_ / "trainer",
             "#!/bin/sh\necho $$ > '" + pid_file().string() + "'\nexec '" VALENCE_TRAINER "' \"$@\"\n");
    std::filesystem::permissions(own_ / "trainer", std::filesystem::perms::owner_all);
  }

  std::filesystem::path pid_file() const { return own_ / "pid"; }
  pid_t trainer_pid() const { return static_cast<pid_t>(std::atoi(content_of(pid_file()).c_str())); }

  static void put_study(const Scratch& folder) {
    test::write_tiny({}, folder / "tiny.gguf");
    put_file(folder / "trained.toml", kTrainingStudy);
  }

  static Outcome study(const Scratch& folder) { return run(folder.path(), {"study", "run", "trained.toml"}); }

  Scratch own_;
  test::ScratchCache cache_;
  Environment trainer_{"VALENCE_TRAIN", (own_ / "trainer").string()};
  Environment waiting_{"OMP_WAIT_POLICY", "passive"};
};

TEST_F(StudyTraining, KilledInTheMiddleItGoesOnToTheSameAdapter) {
  const Scratch whole, killed;
  put_study(whole);
  put_study(killed);
  const auto undisturbed = study(whole);
  ASSERT_EQ(undisturbed.status, 0) << undisturbed.err;
  std::filesystem::remove(pid_file());

  const auto child = start(killed.path(), {"study", "run", "trained.toml"});
  for (int look = 0; look < 12000 && file_in(killed.path(), "checkpoint.bin").empty(); ++look)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(child, SIGKILL);
  wait_for(child, killed.path());
  const auto trainer = trainer_pid();
  ASSERT_GT(trainer, 1) << "it was not started";
  ::kill(trainer, SIGKILL);
  ASSERT_TRUE(file_in(killed.path(), "outcome.json").empty()) << "it was too fast to be killed";

  const auto resumed = study(killed);
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_GT(read_json(file_in(killed.path(), "outcome.json"))["resumed_from"].get<int>(), 0);
  EXPECT_EQ(trained_in(killed), trained_in(whole));
}

}  // namespace
}  // namespace valence::testing
#endif
