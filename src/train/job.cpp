#include "valence/train/job.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "valence/base/files.h"
#include "valence/base/node.h"
#include "valence/train/operations.h"

namespace valence {
namespace {

constexpr std::int64_t kVersion = 1;

/// Settings that came after jobs had been carried out, with what those computed with: at that value they take no part
/// in what identifies a job, so that older jobs and checkpoints stay what they are.
constexpr std::pair<std::string_view, std::string_view> kLaterSettings[] = {{"trainer_device", "cpu"}};

bool is_later_at_rest(const std::string& name, const std::string& value) {
  return std::ranges::any_of(kLaterSettings,
                             [&](const auto& later) { return later.first == name && later.second == value; });
}

Result<Digest> digest_at(const Node& node, std::string_view key) {
  VALENCE_TRY(const auto value, node.at(key));
  VALENCE_TRY(const auto hex, value.as_string());
  auto digest = Digest::from_hex(hex);
  if (!digest) return tl::unexpected(value.error("should be a SHA-256 in hexadecimal"));
  return digest;
}

Result<std::filesystem::path> path_or_empty(const Node& node, std::string_view key) {
  VALENCE_TRY(const auto text, node.string_or(key, ""));
  return std::filesystem::path(text);
}

/// A whole number of 0 or more; the default when the key is absent.
Result<std::uint64_t> natural_or(const Node& node, std::string_view key, std::int64_t fallback) {
  VALENCE_TRY(const auto number, node.integer_or(key, fallback));
  if (number < 0) return tl::unexpected(node.find(key)->error("should be 0 or more"));
  return static_cast<std::uint64_t>(number);
}

Result<Settings> settings_at(const Node& node, const std::string& operation) {
  VALENCE_TRY(const auto* found, find_operation(operation));
  const auto* settings = node.find("settings");
  return settings == nullptr ? Settings::resolve(found->settings, std::vector<std::pair<std::string, std::string>>{})
                             : Settings::resolve(found->settings, *settings);
}

Result<std::vector<JobAdapter>> adapters_at(const Node& node) {
  std::vector<JobAdapter> adapters;
  const auto* found = node.find("adapters");
  if (found == nullptr) return adapters;
  VALENCE_TRY(const auto entries, found->as_array());
  for (const auto& entry : entries) {
    VALENCE_CHECK(entry.allow_only({"path", "scale", "sha256"}));
    VALENCE_TRY(const auto path, entry.string_at("path"));
    VALENCE_TRY(const auto scale, entry.number_at("scale"));
    VALENCE_TRY(const auto sha256, digest_at(entry, "sha256"));
    adapters.push_back({path, scale, sha256});
  }
  return adapters;
}

Result<TrainingJob> parse(const Node& node) {
  VALENCE_CHECK(node.allow_only({"valence_job", "operation", "settings", "model_name", "model", "model_sha256",
                                 "adapters", "examples", "examples_sha256", "start", "start_sha256", "held_out",
                                 "output", "store", "run", "seed", "threads"}));
  VALENCE_TRY(const auto version, node.integer_at("valence_job"));
  if (version != kVersion) {
    return tl::unexpected(
        node.find("valence_job")->error(fmt::format("is version {}, this program knows {}", version, kVersion)));
  }
  TrainingJob job;
  VALENCE_TRY(job.operation, node.string_at("operation"));
  VALENCE_TRY(job.settings, settings_at(node, job.operation));
  VALENCE_TRY(job.model_name, node.string_or("model_name", ""));
  VALENCE_TRY(const auto model, node.string_at("model"));
  job.model = model;
  VALENCE_TRY(job.model_sha256, digest_at(node, "model_sha256"));
  VALENCE_TRY(job.adapters, adapters_at(node));
  VALENCE_TRY(const auto examples, node.string_at("examples"));
  job.examples = examples;
  VALENCE_TRY(job.examples_sha256, digest_at(node, "examples_sha256"));
  VALENCE_TRY(job.start, path_or_empty(node, "start"));
  if (!job.start.empty()) {
    VALENCE_TRY(job.start_sha256, digest_at(node, "start_sha256"));
  }
  VALENCE_TRY(job.held_out, path_or_empty(node, "held_out"));
  VALENCE_TRY(const auto output, node.string_at("output"));
  job.output = output;
  VALENCE_TRY(job.store, path_or_empty(node, "store"));
  VALENCE_TRY(const auto run, natural_or(node, "run", 0));
  job.run = static_cast<RunId>(run);
  VALENCE_TRY(job.seed, natural_or(node, "seed", 0));
  VALENCE_TRY(const auto threads, natural_or(node, "threads", 0));
  job.threads = static_cast<int>(std::min<std::uint64_t>(threads, 1024));
  return job;
}

}  // namespace

Digest TrainingJob::digest() const {
  Hasher hasher;
  hasher.add("valence job 1").add(operation).add(model_sha256).add(examples_sha256).add(seed);
  hasher.add(static_cast<std::uint64_t>(threads));
  if (!start.empty()) hasher.add("start").add(start_sha256);
  for (const auto& adapter : adapters) hasher.add("adapter").add(adapter.sha256).add(adapter.scale);
  for (const auto& [name, value] : settings.values()) {
    if (!is_later_at_rest(name, value)) hasher.add(name).add(value);
  }
  return hasher.finish();
}

std::string to_text(const TrainingJob& job) {
  Json json = {{"valence_job", kVersion},
               {"operation", job.operation},
               {"settings", job.settings.to_json()},
               {"model_name", job.model_name},
               {"model", job.model.string()},
               {"model_sha256", job.model_sha256.hex()},
               {"examples", job.examples.string()},
               {"examples_sha256", job.examples_sha256.hex()},
               {"held_out", job.held_out.string()},
               {"output", job.output.string()},
               {"store", job.store.string()},
               {"run", job.run},
               {"seed", job.seed},
               {"threads", job.threads}};
  for (const auto& adapter : job.adapters)
    json["adapters"].push_back(
        {{"path", adapter.path.string()}, {"scale", adapter.scale}, {"sha256", adapter.sha256.hex()}});
  if (!job.start.empty()) {
    json["start"] = job.start.string();
    json["start_sha256"] = job.start_sha256.hex();
  }
  return to_text(json, 2) + "\n";
}

Result<TrainingJob> parse_job(std::string_view text, std::string_view name) {
  VALENCE_TRY(const auto node, parse_json_node(text, name));
  return parse(node);
}

Result<TrainingJob> read_job(const std::filesystem::path& path) {
  VALENCE_TRY(const auto text, read_file(path));
  return parse_job(text, path.string());
}

}  // namespace valence
