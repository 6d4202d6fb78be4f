#include "llama_backend.h"

#include <dlfcn.h>
#include <link.h>
#include <log.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include "llama.h"
#include "valence/base/text.h"
#include "valence/model/tune.h"

namespace valence {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kErrorsKept = 4;

/// The library logs from any thread; continuation lines belong to the line before.
class EngineLog {
 public:
  void add(ggml_log_level level, std::string_view text) {
    const std::lock_guard lock(mutex_);
    if (level != GGML_LOG_LEVEL_CONT) keep_ = level == GGML_LOG_LEVEL_ERROR;
    if (!keep_) return;
    if (level == GGML_LOG_LEVEL_CONT && !errors_.empty()) {
      errors_.back() += text;
      return;
    }
    errors_.emplace_back(text);
    if (errors_.size() > kErrorsKept) errors_.pop_front();
  }

  std::string take() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> lines;
    for (const auto& error : errors_) {
      if (auto line = trim(printable(error)); !line.empty()) lines.push_back(std::move(line));
    }
    errors_.clear();
    return join(lines, "; ");
  }

 private:
  std::mutex mutex_;
  std::deque<std::string> errors_;
  bool keep_ = false;
};

EngineLog& engine_log() {
  static EngineLog log;
  return log;
}

void capture_log(ggml_log_level level, const char* text, void*) { engine_log().add(level, text); }

bool holds_library(const fs::path& folder, std::string_view stem) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with(stem)) return true;
  }
  return false;
}

/// "haswell" from the file name of the CPU backend that is loaded; empty when it is linked in.
std::string loaded_variant() {
  std::string variant;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* out) {
        constexpr std::string_view kStem = "libggml-cpu-";
        const auto file = fs::path(info->dlpi_name).filename().string();
        if (!file.starts_with(kStem)) return 0;
        *static_cast<std::string*>(out) = file.substr(kStem.size(), file.find('.') - kStem.size());
        return 1;
      },
      &variant);
  return variant;
}

std::string cpu_features() {
  auto* registry = ggml_backend_reg_by_name("CPU");
  if (registry == nullptr) return {};
  auto* address = ggml_backend_reg_get_proc_address(registry, "ggml_backend_get_features");
  if (address == nullptr) return {};
  std::vector<std::string> names;
  const auto features = reinterpret_cast<ggml_backend_get_features_t>(address);
  for (const auto* feature = features(registry); feature->name != nullptr; ++feature) {
    names.emplace_back(feature->name);
  }
  return join(names, " ");
}

/// Which of the two CPU backends `wanted` means on this machine, and the folder it lies in.
Result<std::pair<std::string, fs::path>> find_cpu_backend(std::string_view wanted) {
  const auto root = engine_folder();
  if (root.empty()) return std::pair<std::string, fs::path>{"built in", {}};
  const bool native_exists = holds_library(root / "native", "libggml-cpu-native");
  if (wanted == "native" && !native_exists) {
    return fail(ErrorCode::kNotFound,
                "the native CPU backend is not in {}: it has not been compiled for this machine. Run ./scripts/setup, "
                "or choose backend auto or prebuilt",
                (root / "native").string());
  }
  const bool native = wanted == "native" || (wanted == "auto" && native_exists && native_is_chosen());
  return native ? std::pair<std::string, fs::path>{"native", root / "native"}
                : std::pair<std::string, fs::path>{"prebuilt", root / "lib"};
}

Result<void> load_device(std::string_view device) {
  if (device == "cpu") return {};
  const auto folder = engine_folder() / device;
  const auto stem = fmt::format("libggml-{}", device);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (!entry.path().filename().string().starts_with(stem)) continue;
    if (ggml_backend_load(entry.path().c_str()) != nullptr) return {};
    return fail(ErrorCode::kUnsupported, "{}", engine_failure(fmt::format("{} could not be loaded", entry.path().string())));
  }
  return fail(ErrorCode::kUnsupported,
              "device {}: no {}*.so in {}. Put the backend package of llama.cpp {} there, or choose device cpu", device,
              stem, folder.string(), kEngineVersion);
}

Result<void> check_names(std::string_view backend, std::string_view device) {
  const std::vector<std::string> backends{"auto", "native", "prebuilt"}, devices{"cpu", "cuda", "vulkan", "metal"};
  if (std::ranges::find(backends, backend) == backends.end()) {
    return fail(ErrorCode::kUsage, "backend \"{}\" is unknown; choose auto, native or prebuilt", backend);
  }
  if (std::ranges::find(devices, device) == devices.end()) {
    return fail(ErrorCode::kUsage, "device \"{}\" is unknown; choose cpu, cuda, vulkan or metal", device);
  }
  return {};
}

Result<EngineFacts> start_now(std::string_view backend, std::string_view device) {
  const std::string_view version = llama_version();
  if (!version.starts_with(kEngineVersion)) {
    return fail(ErrorCode::kMismatch,
                "the llama.cpp library is version {}, Valence was built for {}. Run ./scripts/setup and build again",
                version, kEngineVersion);
  }
  VALENCE_TRY(const auto cpu, find_cpu_backend(backend));
  llama_log_set(capture_log, nullptr);
  common_log_pause(common_log_main());
  if (cpu.second.empty()) {
    ggml_backend_load_all();
  } else {
    ggml_backend_load_all_from_path(cpu.second.c_str());
  }
  VALENCE_CHECK(load_device(device));
  if (ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) == nullptr) {
    return fail(ErrorCode::kUnsupported, "{}",
                engine_failure(fmt::format("no CPU backend in {} runs on this machine", cpu.second.string())));
  }
  llama_backend_init();
  return EngineFacts{std::string(version), cpu.first, loaded_variant(), cpu_features(), std::string(device), cpu_name()};
}

}  // namespace

std::string take_engine_errors() { return engine_log().take(); }

CapturedStderr::CapturedStderr() : kept_(dup(STDERR_FILENO)), file_(memfd_create("stderr", MFD_CLOEXEC)) {
  std::fflush(stderr);
  if (kept_ >= 0 && file_ >= 0) dup2(file_, STDERR_FILENO);
}

CapturedStderr::~CapturedStderr() {
  std::fflush(stderr);
  if (kept_ >= 0) dup2(kept_, STDERR_FILENO);
  for (const int descriptor : {kept_, file_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

std::string CapturedStderr::text() const {
  std::fflush(stderr);
  std::string text(4096, '\0');
  const auto count = pread(file_, text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return trim(printable(text));
}

std::string engine_failure(std::string_view what) {
  const auto said = take_engine_errors();
  return said.empty() ? std::string(what) : fmt::format("{}: {}", what, said);
}

fs::path engine_folder() {
#ifdef VALENCE_LLAMA_PREBUILT
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&llama_version), &info) == 0) return {};
  return fs::path(info.dli_fname).parent_path().parent_path();
#else
  return {};
#endif
}

Result<EngineFacts> start_engine(std::string_view backend, std::string_view device) {
  static std::mutex mutex;
  static std::optional<EngineFacts> running;
  const std::lock_guard lock(mutex);
  VALENCE_CHECK(check_names(backend, device));
  if (!running) {
    VALENCE_TRY(running, start_now(backend, device));
  }
  if (backend != "auto" && running->backend != backend && running->backend != "built in") {
    return fail(ErrorCode::kUnsupported, "backend {} was asked for, but this process already computes with {}", backend,
                running->backend);
  }
  if (device != running->device) {
    return fail(ErrorCode::kUnsupported, "device {} was asked for, but this process already computes on {}", device,
                running->device);
  }
  return *running;
}

std::vector<ggml_backend_dev_t> engine_devices() {
  std::vector<ggml_backend_dev_t> devices;
  for (std::size_t i = 0; i < ggml_backend_dev_count(); ++i) {
    auto* device = ggml_backend_dev_get(i);
    const auto type = ggml_backend_dev_type(device);
    if (type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU) devices.push_back(device);
  }
  devices.push_back(nullptr);
  return devices;
}

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return trim(std::string_view(line).substr(line.find(':') + 1));
  }
  return "unknown processor";
}

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace valence
