#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>

#include "model/llama_tiny.h"
#include "valence/align/aligner.h"

namespace valence::testing {

/// A tiny random model to be aligned, and the trainer where this build has one.
class Trained : public ::testing::Test {
 protected:
  Trained() {
    test::write_tiny({}, folder_ / "tiny.gguf");
    base_.model.name = (folder_ / "tiny.gguf").string();
    base_.model.engine.threads = 1;
    base_.model.engine.format = "as_is";
#ifdef VALENCE_TRAINER
    ::setenv("VALENCE_TRAIN", VALENCE_TRAINER, 1);
#endif
  }
  ~Trained() override { ::unsetenv("VALENCE_TRAIN"); }

  /// What an aligner may read, with everything of the test's own filled in.
  AlignContext context(const Settings& settings) {
    return {.base = base_, .settings = settings, .store = *store_, .folder = folder_ / "out", .seed = 1, .stop = {}};
  }

  test::ScratchFolder folder_;
  SubjectSpec base_;
  std::unique_ptr<Store> store_ = Store::open(folder_ / "v.db").value();
};

}  // namespace valence::testing
