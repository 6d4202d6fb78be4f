#include "adapter_sum.h"

namespace valence {
namespace {

constexpr std::string_view kLower = ".lora_a", kUpper = ".lora_b";

/// The matrices that an adapter's pairs are for. kUnsupported for anything else in the file.
Result<std::set<std::string>> matrices_of(const TensorReader& reader) {
  std::set<std::string> names;
  for (const auto& tensor : reader.info().tensors) {
    const auto& name = tensor.name;
    const auto matrix = name.substr(0, name.size() - std::min(name.size(), kLower.size()));
    const bool half = name.ends_with(kLower) || name.ends_with(kUpper);
    if (!half || reader.find(matrix + std::string(kLower)) == nullptr ||
        reader.find(matrix + std::string(kUpper)) == nullptr) {
      return fail(ErrorCode::kUnsupported,
                  "{}: tensor \"{}\" is no half of a pair of a LoRA adapter: it can be measured, not trained on",
                  reader.path().string(), name);
    }
    names.insert(matrix);
  }
  return names;
}

Result<double> alpha_of(const TensorReader& reader) {
  const auto& metadata = reader.info().metadata;
  const auto found = metadata.find("adapter.lora.alpha");
  if (found != metadata.end() && std::holds_alternative<double>(found->second)) return std::get<double>(found->second);
  return fail(ErrorCode::kUnsupported, "{}: is no LoRA adapter: the key adapter.lora.alpha is missing",
              reader.path().string());
}

/// GGUF has the row length first.
Result<torch::Tensor> matrix_of(TensorReader& reader, const std::string& name) {
  const auto& tensor = *reader.find(name);
  if (tensor.dims.size() != 2)
    return fail(ErrorCode::kMismatch, "{}: tensor \"{}\" is no matrix", reader.path().string(), name);
  auto values = torch::empty({static_cast<std::int64_t>(tensor.dims[1]), static_cast<std::int64_t>(tensor.dims[0])},
                             torch::kFloat32);
  VALENCE_CHECK(reader.read(tensor, {values.data_ptr<float>(), tensor.elements()}));
  return values;
}

}  // namespace

Result<AdapterSum> AdapterSum::open(std::span<const AdapterSpec> adapters, const std::string& architecture) {
  AdapterSum sum;
  for (const auto& adapter : adapters) {
    VALENCE_TRY(auto reader, TensorReader::open(adapter.path));
    if (reader.info().architecture() != architecture) {
      return fail(ErrorCode::kMismatch, "{}: is an adapter for the architecture \"{}\", the model is \"{}\"",
                  adapter.path, reader.info().architecture(), architecture);
    }
    VALENCE_TRY(const auto alpha, alpha_of(reader));
    VALENCE_TRY(auto matrices, matrices_of(reader));
    sum.parts_.push_back({std::move(reader), adapter.scale * alpha, std::move(matrices)});
  }
  return sum;
}

Result<void> AdapterSum::add_to(torch::Tensor& matrix, const std::string& name) {
  for (auto& [reader, scale, left] : parts_) {
    if (left.erase(name) == 0) continue;
    VALENCE_TRY(const auto a, matrix_of(reader, name + std::string(kLower)));
    VALENCE_TRY(const auto b, matrix_of(reader, name + std::string(kUpper)));
    if (matrix.dim() != 2 || a.size(0) != b.size(1) || b.size(0) != matrix.size(0) || a.size(1) != matrix.size(1)) {
      return fail(ErrorCode::kMismatch,
                  "{}: the adapter of \"{}\" has the sizes [{}, {}] and [{}, {}], which do not fit the model's matrix",
                  reader.path().string(), name, b.size(0), b.size(1), a.size(0), a.size(1));
    }
    const torch::NoGradGuard no_grad;
    matrix.addmm_(b.to(matrix.device()), a.to(matrix.device()), 1.0, scale / static_cast<double>(a.size(0)));
  }
  return {};
}

Result<void> AdapterSum::check_all_added() const {
  for (const auto& part : parts_) {
    if (!part.left.empty())
      return fail(ErrorCode::kMismatch, "{}: changes \"{}\", which the model does not have",
                  part.reader.path().string(), *part.left.begin());
  }
  return {};
}

}  // namespace valence
