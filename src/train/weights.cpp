#include "weights.h"

#include <algorithm>

namespace valence {

Result<WeightReader> WeightReader::open(const std::filesystem::path& path, torch::Device device,
                                        std::span<const AdapterSpec> adapters) {
  VALENCE_TRY(auto reader, TensorReader::open(path));
  VALENCE_TRY(auto sum, AdapterSum::open(adapters, reader.info().architecture()));
  return WeightReader(std::move(reader), std::move(sum), device);
}

Result<torch::Tensor> WeightReader::take(const std::string& name, const std::vector<std::int64_t>& sizes) {
  const auto* tensor = reader_.find(name);
  if (tensor == nullptr) {
    return fail(ErrorCode::kUnsupported, "{}: tensor \"{}\" is missing. The model can be measured, not trained",
                reader_.path().string(), name);
  }
  const std::vector<std::int64_t> found(tensor->dims.rbegin(), tensor->dims.rend());  // GGUF: row length first
  if (found != sizes) {
    return fail(ErrorCode::kMismatch, "{}: tensor \"{}\" has the sizes [{}], the file's head makes it [{}]",
                reader_.path().string(), name, fmt::join(found, ", "), fmt::join(sizes, ", "));
  }
  auto values = torch::empty(sizes, torch::kFloat32);
  VALENCE_CHECK(reader_.read(*tensor, {values.data_ptr<float>(), tensor->elements()}));
  VALENCE_CHECK(adapters_.add_to(values, name));
  taken_.insert(name);
  return values.to(device_);
}

Result<torch::Tensor> WeightReader::take_optional(const std::string& name, const std::vector<std::int64_t>& sizes) {
  if (!has(name)) return torch::Tensor();
  return take(name, sizes);
}

Result<void> WeightReader::check_all_taken() const {
  for (const auto& tensor : info().tensors) {
    if (!taken_.contains(tensor.name)) {
      return fail(
          ErrorCode::kUnsupported,
          "{}: tensor \"{}\" is no part of a {} model that the trainer knows. The model can be measured, not trained",
          reader_.path().string(), tensor.name, info().architecture());
    }
  }
  return adapters_.check_all_added();
}

}  // namespace valence
