#include "llama_quantise.h"

#include <algorithm>
#include <array>

#include "llama_backend.h"
#include "valence/model/gguf.h"
#include "valence/model/gguf_write.h"
#include "valence/model/llama.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 9> kFormats{"f32",    "f16",    "bf16", "q8_0", "q6_k",
                                                   "q5_k_m", "q4_k_m", "q4_1", "q4_0"};
constexpr std::array<llama_ftype, 9> kTypes{
    LLAMA_FTYPE_ALL_F32,       LLAMA_FTYPE_MOSTLY_F16,  LLAMA_FTYPE_MOSTLY_BF16,
    LLAMA_FTYPE_MOSTLY_Q8_0,   LLAMA_FTYPE_MOSTLY_Q6_K, LLAMA_FTYPE_MOSTLY_Q5_K_M,
    LLAMA_FTYPE_MOSTLY_Q4_K_M, LLAMA_FTYPE_MOSTLY_Q4_1, LLAMA_FTYPE_MOSTLY_Q4_0};

}  // namespace

Result<void> quantise(const fs::path& source, const fs::path& target, llama_ftype type, bool pure) {
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  const auto space = fs::space(target.parent_path(), error);
  auto temporary = target;
  temporary += ".part";
  auto params = llama_model_quantize_default_params();
  params.ftype = type;
  params.nthread = usable_cores();
  params.allow_requantize = true;
  params.pure = pure;
  take_engine_errors();
  std::uint32_t status = 1;
  try {
    status = llama_model_quantize(source.c_str(), temporary.c_str(), &params);
  } catch (const std::exception& thrown) {
    fs::remove(temporary, error);
    return fail(ErrorCode::kModel, "{} could not be converted: {}", source.string(), thrown.what());
  }
  // A full disk shows as a failed write or as a file that ends too early.
  const auto written = status == 0 ? read_gguf_header(temporary).map([](auto&&) {}) : Result<void>{};
  if (status != 0 || !written) {
    fs::remove(temporary, error);
    const auto what = fmt::format("{} could not be converted to {} ({} bytes are free there)", source.string(),
                                  target.string(), space.available);
    return fail(ErrorCode::kIo, "{}", written ? engine_failure(what) : what + ": " + written.error().message);
  }
  fs::rename(temporary, target, error);
  if (error) return fail(ErrorCode::kIo, "{}: {}", target.string(), error.message());
  return {};
}

std::span<const std::string_view> file_formats() { return kFormats; }

Result<void> convert_format(const fs::path& source, const fs::path& target, const std::string& format) {
  const auto found = std::ranges::find(kFormats, format);
  if (found == kFormats.end()) {
    return fail(ErrorCode::kUsage, "file format \"{}\" is unknown; choose one of {}", format,
                fmt::join(kFormats, ", "));
  }
  VALENCE_CHECK(read_gguf_header(source));
  VALENCE_CHECK(start_engine("auto", "cpu"));
  return quantise(source, target, kTypes[static_cast<std::size_t>(found - kFormats.begin())], /*pure=*/false);
}

}  // namespace valence
