// A study that trains, killed in the middle of it: needs the trainer.
#ifdef VALENCE_TRAINER
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "model/llama_tiny.h"
#include "program.h"
#include "support/environment.h"
#include "valence/base/files.h"

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

/// Whether nobody trains into a folder any more, within ten seconds.
bool is_let_go(const std::filesystem::path& folder) {
  for (int look = 0; look < 2000; ++look) {
    if (*FileLock::try_acquire(folder / "lock", 0)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

class StudyTraining : public ::testing::Test {
 protected:
  static void put_study(const Scratch& folder) {
    test::write_tiny({}, folder / "tiny.gguf");
    put_file(folder / "trained.toml", kTrainingStudy);
  }

  static Outcome study(const Scratch& folder) { return run(folder.path(), {"study", "run", "trained.toml"}); }

  test::ScratchCache cache_;
  Environment trainer_{"VALENCE_TRAIN", VALENCE_TRAINER};
  Environment waiting_{"OMP_WAIT_POLICY", "passive"};
};

TEST_F(StudyTraining, KilledInTheMiddleItGoesOnToTheSameAdapter) {
  const Scratch whole, killed;
  put_study(whole);
  put_study(killed);
  const auto undisturbed = study(whole);
  ASSERT_EQ(undisturbed.status, 0) << undisturbed.err;

  const auto child = start(killed.path(), {"study", "run", "trained.toml"});
  for (int look = 0; look < 12000 && file_in(killed.path(), "checkpoint.bin").empty(); ++look)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ::kill(child, SIGKILL);
  wait_for(child, killed.path());
  ASSERT_TRUE(is_let_go(file_in(killed.path(), "checkpoint.bin").parent_path())) << "the trainer still works there";
  ASSERT_TRUE(file_in(killed.path(), "outcome.json").empty()) << "the trainer went on to its end alone";

  const auto resumed = study(killed);
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_GT(read_json(file_in(killed.path(), "outcome.json"))["resumed_from"].get<int>(), 0);
  EXPECT_EQ(trained_in(killed), trained_in(whole));
}

}  // namespace
}  // namespace valence::testing
#endif
