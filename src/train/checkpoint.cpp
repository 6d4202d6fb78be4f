#include "checkpoint.h"

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "valence/base/files.h"
#include "valence/base/json.h"

namespace valence::train {
namespace {

constexpr std::string_view kMagic = "VALENCE CHECKPOINT 1\n";
constexpr std::size_t kSealSize = 32;

std::string bytes_of(const torch::Tensor& tensor) {
  const auto flat = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  return {static_cast<const char*>(flat.data_ptr()), flat.nbytes()};
}

Json header_of(const Checkpoint& checkpoint) {
  Json header = {{"job", checkpoint.job.hex()},
                 {"step", checkpoint.step},
                 {"processes", checkpoint.processes},
                 {"optimiser_bytes", checkpoint.optimiser.size()}};
  if (checkpoint.beta) header["beta"] = *checkpoint.beta;
  header["tensors"] = Json::array();
  for (const auto& [name, tensor] : checkpoint.tensors)
    header["tensors"].push_back({{"name", name}, {"shape", tensor.sizes().vec()}});
  return header;
}

tl::unexpected<Error> damaged(const std::filesystem::path& path, std::string_view what) {
  return fail(ErrorCode::kCorrupt, "checkpoint {}: {}; remove it to start anew", path.string(), what);
}

/// Takes pieces off the front of a checkpoint's bytes.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  std::optional<std::string_view> take(std::size_t size) {
    if (size > rest_.size()) return std::nullopt;
    const auto piece = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return piece;
  }
  std::optional<std::string_view> line() {
    const auto end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    auto text = take(end);
    take(1);
    return text;
  }
  bool empty() const { return rest_.empty(); }
  std::size_t size() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

/// Whether a tensor of this shape fits into so many bytes: asked before memory is taken for what a header only claims.
bool fits(const std::vector<std::int64_t>& shape, std::size_t most) {
  std::size_t bytes = sizeof(float);
  for (const auto size : shape) {
    if (size < 0 || (size > 0 && bytes > most / static_cast<std::size_t>(size))) return false;
    bytes *= static_cast<std::size_t>(size);
  }
  return bytes <= most;
}

std::optional<torch::Tensor> take_tensor(Reader& reader, const std::vector<std::int64_t>& shape) {
  if (!fits(shape, reader.size())) return std::nullopt;
  auto tensor = torch::empty(shape, torch::kFloat32);
  const auto bytes = reader.take(tensor.nbytes());
  if (!bytes) return std::nullopt;
  std::memcpy(tensor.data_ptr(), bytes->data(), bytes->size());
  return tensor;
}

/// A header, of which only the job is wanted.
Result<Digest> job_in(std::string_view header, const std::filesystem::path& path) {
  VALENCE_TRY(const auto json, parse_json(header, path.string()));
  try {
    return Digest::from_hex(json.at("job").get<std::string>());
  } catch (const nlohmann::json::exception& error) {
    return damaged(path, error.what());
  }
}

Result<Checkpoint> parse(const std::filesystem::path& path, Reader reader) {
  const auto line = reader.line();
  if (!line) return damaged(path, "it has no header");
  VALENCE_TRY(const auto header, parse_json(*line, path.string()));
  Checkpoint checkpoint;
  try {
    VALENCE_TRY(checkpoint.job, Digest::from_hex(header.at("job").get<std::string>()));
    checkpoint.step = header.at("step").get<std::uint64_t>();
    if (header.contains("beta")) checkpoint.beta = header["beta"].get<double>();
    checkpoint.processes = header.at("processes").get<std::uint64_t>();
    const auto optimiser = reader.take(header.at("optimiser_bytes").get<std::size_t>());
    if (!optimiser) return damaged(path, "it ends in the optimiser's state");
    checkpoint.optimiser = *optimiser;
    for (const auto& entry : header.at("tensors")) {
      auto tensor = take_tensor(reader, entry.at("shape").get<std::vector<std::int64_t>>());
      if (!tensor) return damaged(path, "it ends in a parameter");
      checkpoint.tensors.emplace_back(entry.at("name").get<std::string>(), *std::move(tensor));
    }
  } catch (const nlohmann::json::exception& error) {
    return damaged(path, error.what());
  }
  if (!reader.empty()) return damaged(path, "something follows its last parameter");
  return checkpoint;
}

}  // namespace

Result<void> write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  std::string content(kMagic);
  content += to_text(header_of(checkpoint)) + "\n" + checkpoint.optimiser;
  for (const auto& [name, tensor] : checkpoint.tensors) content += bytes_of(tensor);
  const auto seal = sha256(content);
  content.append(reinterpret_cast<const char*>(seal.bytes.data()), kSealSize);
  return write_file(path, content);
}

Result<Checkpoint> read_checkpoint(const std::filesystem::path& path) {
  VALENCE_TRY(const auto content, read_file(path));
  return parse_checkpoint(content, path);
}

Result<std::optional<Digest>> job_of_checkpoint(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string magic, header;
  if (!std::getline(file, magic) || magic + "\n" != kMagic || !std::getline(file, header))
    return damaged(path, "it is no checkpoint");
  VALENCE_TRY(const auto job, job_in(header, path));
  return job;
}

Result<Checkpoint> parse_checkpoint(std::string_view all, const std::filesystem::path& path) {
  if (!all.starts_with(kMagic.substr(0, kMagic.size() - 2))) return damaged(path, "it is no checkpoint");
  if (!all.starts_with(kMagic)) {
    return fail(ErrorCode::kMismatch, "checkpoint {}: written by another version of Valence; remove it to start anew",
                path.string());
  }
  if (all.size() < kMagic.size() + kSealSize) return damaged(path, "it is cut short");
  const auto body = all.substr(0, all.size() - kSealSize);
  const auto seal = sha256(body);
  if (std::memcmp(seal.bytes.data(), all.data() + body.size(), kSealSize) != 0)
    return damaged(path, "its content is not what was written");
  return parse(path, Reader(body.substr(kMagic.size())));
}

Result<void> restore_parameters(const Checkpoint& checkpoint, const std::filesystem::path& path,
                                std::span<const std::pair<std::string, torch::Tensor>> parameters) {
  if (checkpoint.tensors.size() != parameters.size()) {
    return fail(ErrorCode::kMismatch, "{}: it holds {} parameters, the model has {}", path.string(),
                checkpoint.tensors.size(), parameters.size());
  }
  const torch::NoGradGuard no_gradient;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, tensor] = parameters[i];
    const auto& [stored_name, stored] = checkpoint.tensors[i];
    if (name != stored_name || tensor.sizes() != stored.sizes()) {
      return fail(ErrorCode::kMismatch, "{}: parameter {} is not the model's {}", path.string(), stored_name, name);
    }
    tensor.copy_(stored);
  }
  return {};
}

}  // namespace valence::train
