#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "valence/store/store.h"

namespace valence::testing {

/// Null when it cannot be opened, which fails the test.
inline std::unique_ptr<Store> open(const std::filesystem::path& path, Store::Access access = Store::Access::kReadWrite) {
  auto store = Store::open(path, access);
  EXPECT_TRUE(store) << store.error().message;
  return store ? *std::move(store) : nullptr;
}

inline RunRecord svo_run(std::string key = "k") {
  RunRecord run;
  run.key = std::move(key);
  run.instrument = "svo";
  run.subject = "smollm2";
  run.settings = R"({"dialogues":30})";
  run.provenance = R"({"seed":1})";
  return run;
}

}  // namespace valence::testing
