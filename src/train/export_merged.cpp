#include "export.h"
#include "tensor_values.h"
#include "valence/base/files.h"
#include "valence/model/gguf_write.h"

namespace valence {
namespace {

/// The trainer's values; what it does not hold (rope factors) stays the file's.
Result<std::optional<std::vector<float>>> trained(const Transformer& model, const GgufTensor& tensor) {
  const auto value = model.merged(tensor.name);
  if (!value.defined()) return std::nullopt;
  return floats_of(value);
}

Result<void> check_known(const std::string& format) {
  const auto known = file_formats();
  if (std::ranges::find(known, format) != known.end()) return {};
  return fail(ErrorCode::kUsage, "file format \"{}\" is unknown; choose one of {}", format, fmt::join(known, ", "));
}

}  // namespace

Result<void> export_merged_gguf(const Transformer& model, const std::filesystem::path& path, const std::string& format,
                                const ExportNote& note) {
  VALENCE_CHECK(check_known(format));
  const GgufTexts texts{{"general.name", note.name}, {"general.description", note.description}};
  const auto replaced = [&](const GgufTensor& tensor) { return trained(model, tensor); };
  if (format == "f32") return write_model_gguf(model.source(), path, texts, replaced);
  const auto parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  VALENCE_TRY(const auto folder, TemporaryFolder::inside(parent));
  VALENCE_CHECK(write_model_gguf(model.source(), folder.path() / "f32.gguf", texts, replaced));
  return convert_format(folder.path() / "f32.gguf", path, format);
}

}  // namespace valence
