#include "machine.h"

#include <dlfcn.h>
#include <torch/torch.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "waiting.h"
#include "valence/base/files.h"
#include "valence/model/llama.h"

namespace valence {
namespace {

constexpr double kClearGain = 1.3;  // bf16 rounds to 8 bits: it must be worth it
constexpr int kRounds = 5;
constexpr int kGrowth = 64 << 20;  // of the memory, bytes

/// Best of several, in 10⁹ operations per second.
double product_gflops(torch::Dtype type) {
  constexpr std::int64_t kSize = 512;
  const torch::NoGradGuard no_grad;
  const auto a = torch::ones({kSize, kSize}, torch::kFloat32).to(type),
             b = torch::ones({kSize, kSize}, torch::kFloat32).to(type);
  double best = 0;
  for (int round = 0; round <= kRounds; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    const auto c = torch::mm(a, b);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const double operations =
        2.0 * static_cast<double>(kSize) * static_cast<double>(kSize) * static_cast<double>(c.size(0));
    if (round > 0) best = std::max(best, operations / seconds / 1e9);  // the first warms up
  }
  return best;
}

/// As OpenBLAS names them; empty when the BLAS is another.
std::string blas_kernels() {
  using Name = char* (*)();
  const auto name = reinterpret_cast<Name>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name == nullptr ? std::string() : std::string(name());
}

#if defined(__x86_64__)
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() {  // what the kernels of SkylakeX need
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#else
bool has_avx2() { return false; }
bool has_avx512() { return false; }
#endif

/// Freed memory stays for the next tensor. Given back to the system, every large tensor would begin with a page fault
/// per 4 KiB, a seventh of a training's time.
void keep_memory() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, -1);  // never
  ::mallopt(M_TOP_PAD, kGrowth);
#endif
}

}  // namespace

std::string MachineCheck::describe() const {
  return fmt::format("{} threads; f32 products {:.0f} GFLOP/s, bf16 {:.0f} GFLOP/s: computing in {}", threads,
                     f32_gflops, bf16_gflops, bf16 ? "bf16 where weights are frozen" : "f32");
}

Result<int> share_threads(int threads) {
  if (threads < 0 || threads > 512) {
    return fail(ErrorCode::kUsage, "{} threads: choose 1 to 512, or 0 for the cores this process may use", threads);
  }
  const int shared = threads == 0 ? usable_cores() : threads;
  at::set_num_threads(shared);  // OpenBLAS with OpenMP takes its number from the same place
  return shared;
}

Result<MachineCheck> check_machine(int threads, double least) {
  MachineCheck check;
  VALENCE_TRY(check.threads, share_threads(threads));
  check.f32_gflops = product_gflops(torch::kFloat32);
  if (check.f32_gflops < least) {
    return fail(ErrorCode::kUnsupported,
                "matrix products run at {:.1f} GFLOP/s; {:.0f} at least were expected. libtorch uses the slow "
                "reference BLAS, or the machine is busy. "
                "Install OpenBLAS (Debian: apt-get install libopenblas0-openmp) and see that libblas.so.3 is its "
                "(update-alternatives --display libblas.so.3-x86_64-linux-gnu)",
                check.f32_gflops, least);
  }
  check.bf16_gflops = product_gflops(torch::kBFloat16);
  check.bf16 = check.bf16_gflops >= kClearGain * check.f32_gflops;
  return check;
}

std::string better_kernels(std::string_view chosen, bool avx2, bool avx512) {
  constexpr std::array<std::string_view, 7> kWithoutAvx2{"Prescott", "Core2",       "Penryn", "Dunnington",
                                                         "Nehalem",  "Sandybridge", "Generic"};
  if (!avx2 || std::ranges::find(kWithoutAvx2, chosen) == kWithoutAvx2.end()) return {};
  return avx512 ? "SkylakeX" : "Haswell";
}

Result<void> set_up_process(char** arguments, bool alone) {
  keep_memory();
  bool changed = false;
  const auto set = [&](const char* name, const std::string& value) {
    if (value.empty() || !environment(name).empty()) return;
    changed = ::setenv(name, value.c_str(), 1) == 0 || changed;
  };
  if (environment("OMP_WAIT_POLICY").empty() && environment("GOMP_SPINCOUNT").empty()) {
    set_waiting(alone && spinning_pays() ? Waiting::kSpin : Waiting::kSleep);
    changed = true;
  }
  set("OPENBLAS_CORETYPE", better_kernels(blas_kernels(), has_avx2(), has_avx512()));
  if (!changed) return {};
  ::execv("/proc/self/exe", arguments);
  return fail(
      ErrorCode::kIo,
      "the program could not start itself anew with OMP_WAIT_POLICY=passive: {}. Set that variable and run it again",
      std::strerror(errno));
}

}  // namespace valence
