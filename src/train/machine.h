#pragma once

#include <string>

#include "valence/base/result.h"

namespace valence {

/// How fast the linear algebra is on this machine, and what follows from it.
struct MachineCheck {
  int threads = 1;
  double f32_gflops = 0;  ///< of a 512³ product, best of several
  double bf16_gflops = 0;
  bool bf16 = false;             ///< products of frozen matrices are computed in bfloat16
  std::string describe() const;  ///< one line for the log
};

/// Gives ggml's callers, BLAS and torch the same number of threads; 0 = the cores this process may use. Returns it.
Result<int> share_threads(int threads);

/// Times one product in f32 and in bf16. kUnsupported when f32 runs below `least` GFLOP/s: that is the
/// reference BLAS, 50 times slower than OpenBLAS, and the message says what to install. bf16 is chosen only when it is
/// at least 1.3 times as fast, since it costs precision.
Result<MachineCheck> check_machine(int threads, double least = 8.0);

/// The kernels that OpenBLAS should be told to use (OPENBLAS_CORETYPE); empty = those that it chose. A build that is
/// older than the processor takes it for one without AVX (Debian's 0.3.21: Emerald Rapids for a Pentium 4), and is five
/// times slower than with the kernels of the nearest processor that it knows. `chosen`: their name; empty = no
/// OpenBLAS.
std::string better_kernels(std::string_view chosen, bool avx2, bool avx512);

/// Has freed memory kept, and sets what libraries read before main() begins. OMP_WAIT_POLICY, GOMP_SPINCOUNT: threads
/// that wait sleep, or spin where that pays (waiting.h) and the process is `alone` at its job. OPENBLAS_CORETYPE: see
/// better_kernels. What the environment sets already stays. Starts the program anew with what is missing; returns if
/// nothing is. kIo when the system refuses. Call it first in main().
Result<void> set_up_process(char** arguments, bool alone = true);

}  // namespace valence
