#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "model/llama_tiny.h"
#include "support/scratch.h"
#include "valence/base/digest.h"
#include "valence/train/data.h"
#include "valence/train/example.h"
#include "valence/train/job.h"
#include "valence/train/operations.h"

namespace valence::test {

/// Settings of a job, name and value.
using Given = std::vector<std::pair<std::string, std::string>>;

/// A tiny random model in a folder of its own, and jobs that train it on the same few examples.
class TinyRuns : public ::testing::Test {
 protected:
  /// `lines`: training data, JSON Lines.
  explicit TinyRuns(const std::string& lines) {
    write_tiny({}, folder_ / "tiny.gguf");
    const auto model = open_tiny(folder_ / "tiny.gguf");
    examples_ = render_data(*model, *parse_training_data(lines, "d.jsonl"), {}, 1000)->examples;
  }

  /// `name`: of the output folder.
  TrainingJob job_of(const std::string& operation, const std::string& name, const Given& given) const {
    TrainingJob job;
    job.operation = operation;
    job.settings = Settings::resolve((*find_operation(operation))->settings, given).value();
    job.model_name = "tiny";
    job.model = folder_ / "tiny.gguf";
    job.model_sha256 = *sha256_file(job.model);
    job.examples = folder_ / "examples.jsonl";
    testing::put_file(job.examples, to_jsonl(examples_));
    job.examples_sha256 = *sha256_file(job.examples);
    job.held_out = job.examples;
    job.output = folder_ / name;
    job.seed = 1;
    job.threads = 1;
    return job;
  }

  std::filesystem::path written(const TrainingJob& job) const {
    const auto path = folder_ / (job.output.filename().string() + ".json");
    testing::put_file(path, to_text(job));
    return path;
  }

  ScratchFolder folder_;
  std::vector<TrainingExample> examples_;
};

}  // namespace valence::test
