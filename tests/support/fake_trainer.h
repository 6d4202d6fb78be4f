#pragma once

#include <filesystem>
#include <string>

#include "support/scratch.h"
#include "valence/base/digest.h"

namespace valence::testing {

/// A shell script in the trainer's place. Into the folder of its job it puts an adapter, a checkpoint and an outcome,
/// whatever the job says; asked to rate answers, it fails.
inline void put_fake_trainer(const std::filesystem::path& path) {
  const std::string outcome = "{\"adapter\": \"%s/adapter.gguf\", \"adapter_sha256\": \"" + sha256("weights").hex() +
                              "\", \"steps\": 1, \"resumed_from\": 0, \"tokens\": 1, \"seconds\": 1, \"machine\": "
                              "\"none\", \"parity\": \"none\"}";
  put_file(path,
           "#!/bin/sh\n[ \"$2\" = --rate ] && exit 1\nfolder=$(dirname \"$1\")\n"
           "printf weights > \"$folder/adapter.gguf\"\nprintf state > \"$folder/checkpoint.bin\"\n"
           "printf '" +
               outcome + "' \"$folder\" > \"$folder/outcome.json\"\n");
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

}  // namespace valence::testing
