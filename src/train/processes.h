#pragma once

#include <torch/torch.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "valence/base/result.h"

namespace valence::train {

/// Which of the processes of one job this is, as whoever started it says in the environment.
struct ProcessPlace {
  std::size_t rank = 0, count = 1;
  std::size_t local_count = 1;     ///< processes on this machine, which share its cores
  std::string host = "127.0.0.1";  ///< where process 0 is reached
  std::uint16_t port = 29500;
};

/// From the variables of torchrun (RANK, WORLD_SIZE, LOCAL_WORLD_SIZE, MASTER_ADDR, MASTER_PORT) or of Open MPI
/// (OMPI_COMM_WORLD_RANK, _SIZE, _LOCAL_SIZE; MASTER_ADDR must be set beside them unless all are on one machine).
/// One process without them. torchrun itself listens on MASTER_PORT, so the port above it is taken then.
/// kUsage names the variable that is missing or no such number.
Result<ProcessPlace> process_place(const std::function<std::string(const char*)>& variable);

/// Cores that one of `local_count` processes of a machine takes: at most its share of all, at most those it may use.
int share_of_cores(int usable, int all, std::size_t local_count);

/// The processes that carry out one job together. All of them make the same calls in the same order; a call returns
/// when it has heard of every other.
///
/// Errors are kNetwork: a process ended, or was not heard of for as long as `patience` said. Nothing can be computed
/// together after that.
class Processes {
 public:
  Processes();  ///< one process, alone
  static Result<Processes> join(const ProcessPlace& place, std::chrono::milliseconds patience);
  Processes(Processes&&) noexcept;
  Processes& operator=(Processes&&) noexcept;
  ~Processes();

  std::size_t rank() const { return rank_; }
  std::size_t count() const { return count_; }
  bool first() const { return rank_ == 0; }
  bool alone() const { return count_ == 1; }

  /// Adds up over all processes, in place: the same bits everywhere.
  Result<void> sum(torch::Tensor& values);
  /// Whether any process says so.
  Result<bool> any(bool own);
  /// A text of each process, by rank.
  Result<std::vector<std::string>> gather(std::string_view own);
  /// The first one's text or error, to all; what others give is ignored.
  Result<std::string> from_first(Result<std::string> own);

 private:
  struct Group;
  Result<void> together(const std::function<void(Group&)>& call);

  std::size_t rank_ = 0, count_ = 1;
  std::unique_ptr<Group> group_;
};

/// Adds up the gradients of all processes. A parameter that got none anywhere has none afterwards.
Result<void> sum_gradients(Processes& processes, const std::vector<torch::Tensor>& parameters);

/// What is the given process's of pieces of the given costs: the dearest is dealt first, to whom has least so far.
/// Every piece goes to one process; indices increase.
std::vector<std::size_t> deal(const std::vector<std::size_t>& costs, std::size_t rank, std::size_t count);

}  // namespace valence::train
