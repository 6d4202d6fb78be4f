#include "processes.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "valence/base/files.h"
#include "valence/base/text.h"

namespace valence::train {
namespace {

using Variable = std::function<std::string(const char*)>;

Result<std::size_t> number_of(const Variable& variable, const char* name, std::size_t least, std::size_t most) {
  const auto text = variable(name);
  if (text.empty()) return fail(ErrorCode::kUsage, "{} is not set, though its fellow variables are", name);
  std::size_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
  if (whole && number >= least && number <= most) return number;
  return fail(ErrorCode::kUsage, "{} is \"{}\": a number from {} to {} was expected", name, text, least, most);
}

Result<std::size_t> number_or(const Variable& variable, const char* name, std::size_t fallback, std::size_t least,
                              std::size_t most) {
  if (variable(name).empty()) return fallback;
  return number_of(variable, name, least, most);
}

/// What a starter calls its variables.
struct Names {
  const char *rank, *count, *local_count;
};
constexpr Names kTorchrun{"RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"};
constexpr Names kOpenMpi{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"};
constexpr std::size_t kMostProcesses = 4096;

Result<void> read_address(const Variable& variable, ProcessPlace& place) {
  if (const auto host = variable("MASTER_ADDR"); !host.empty()) {
    place.host = host;
  } else if (place.local_count < place.count) {
    return fail(ErrorCode::kUsage,
                "MASTER_ADDR is not set: name the machine of process 0 as all others reach it (mpirun -x "
                "MASTER_ADDR=ADDRESS)");
  }
  VALENCE_TRY(const auto port, number_or(variable, "MASTER_PORT", place.port, 1, 65534));
  const bool taken = fold(variable("TORCHELASTIC_USE_AGENT_STORE")) == "true";
  place.port = static_cast<std::uint16_t>(port + (taken ? 1 : 0));
  return {};
}

/// This machine's address on the way to `host`: nothing is sent, the system only looks up its routes. Empty when it
/// knows none.
std::string address_towards(const std::string& host, std::uint16_t port) {
  ::addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  ::addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return {};
  const std::unique_ptr<::addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);
  const int end = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (end < 0) return {};
  ::sockaddr_storage own{};
  ::socklen_t size = sizeof(own);
  char text[NI_MAXHOST] = "";
  if (::connect(end, found->ai_addr, found->ai_addrlen) == 0 &&
      ::getsockname(end, reinterpret_cast<::sockaddr*>(&own), &size) == 0) {
    ::getnameinfo(reinterpret_cast<::sockaddr*>(&own), size, text, sizeof(text), nullptr, 0, NI_NUMERICHOST);
  }
  ::close(end);
  return text;
}

/// The network that the sums go over: GLOO_SOCKET_IFNAME as in PyTorch, else the one towards process 0. Debian resolves
/// a machine's own name to a loopback address, which is what Gloo would take by itself.
auto network_of(const ProcessPlace& place) {
  using Gloo = c10d::ProcessGroupGloo;
  if (const auto name = environment("GLOO_SOCKET_IFNAME"); !name.empty()) return Gloo::createDeviceForInterface(name);
  const auto address = address_towards(place.host, place.port);
  return address.empty() ? Gloo::createDefaultDevice() : Gloo::createDeviceForHostname(address);
}

/// Without the stack that libtorch appends.
std::string reason_of(const std::exception& thrown) { return valence::split(thrown.what(), "\n").front(); }

torch::Tensor bytes_of(std::string_view text, std::size_t size) {
  auto bytes = torch::zeros({static_cast<std::int64_t>(std::max<std::size_t>(size, 1))}, torch::kUInt8);
  std::copy(text.begin(), text.end(), bytes.data_ptr<std::uint8_t>());
  return bytes;
}

std::string text_of(const torch::Tensor& bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes.data_ptr<std::uint8_t>()), size};
}

}  // namespace

Result<ProcessPlace> process_place(const Variable& variable) {
  ProcessPlace place;
  const auto says = [&](const Names& names) { return !variable(names.rank).empty() || !variable(names.count).empty(); };
  if (!says(kTorchrun) && !says(kOpenMpi)) return place;
  const auto& names = says(kTorchrun) ? kTorchrun : kOpenMpi;
  VALENCE_TRY(place.count, number_of(variable, names.count, 1, kMostProcesses));
  VALENCE_TRY(place.rank, number_of(variable, names.rank, 0, place.count - 1));
  VALENCE_TRY(place.local_count, number_or(variable, names.local_count, 1, 1, place.count));
  if (place.count > 1) VALENCE_CHECK(read_address(variable, place));
  return place;
}

int share_of_cores(int usable, int all, std::size_t local_count) {
  return std::clamp(all / static_cast<int>(std::max<std::size_t>(local_count, 1)), 1, std::max(usable, 1));
}

struct Processes::Group {
  c10::intrusive_ptr<c10d::TCPStore> store;  // process 0 serves it: lives as long as the group
  std::unique_ptr<c10d::ProcessGroupGloo> gloo;

  void sum(torch::Tensor& values) {
    std::vector<at::Tensor> list{values};
    gloo->allreduce(list)->wait();
  }
  std::vector<at::Tensor> gather(const torch::Tensor& own) {
    std::vector<at::Tensor> list{own};
    std::vector<std::vector<at::Tensor>> all(1);
    for (int i = 0; i < gloo->getSize(); ++i) all.front().push_back(torch::empty_like(own));
    gloo->allgather(all, list)->wait();
    return all.front();
  }
  void from_first(torch::Tensor& values) {
    std::vector<at::Tensor> list{values};
    gloo->broadcast(list)->wait();
  }
};

Processes::Processes() = default;
Processes::Processes(Processes&&) noexcept = default;
Processes& Processes::operator=(Processes&&) noexcept = default;
Processes::~Processes() = default;

Result<Processes> Processes::join(const ProcessPlace& place, std::chrono::milliseconds patience) {
  Processes processes;
  processes.rank_ = place.rank;
  processes.count_ = place.count;
  if (place.count == 1) return processes;
  processes.group_ = std::make_unique<Group>();
  try {
    c10d::TCPStoreOptions options;
    options.port = place.port;
    options.isServer = place.rank == 0;
    options.numWorkers = place.count;
    options.timeout = patience;
    processes.group_->store = c10::make_intrusive<c10d::TCPStore>(place.host, options);
    auto gloo = c10d::ProcessGroupGloo::Options::create(patience);
    gloo->devices.push_back(network_of(place));
    gloo->threads = 1;
    processes.group_->gloo = std::make_unique<c10d::ProcessGroupGloo>(
        processes.group_->store, static_cast<int>(place.rank), static_cast<int>(place.count), std::move(gloo));
  } catch (const std::exception& thrown) {
    return fail(ErrorCode::kNetwork,
                "the {} processes of this job did not come together at {}:{} within {} s ({}). See that all were "
                "started, that MASTER_ADDR and MASTER_PORT are the same everywhere and that nothing else listens there",
                place.count, place.host, place.port, std::chrono::duration<double>(patience).count(),
                reason_of(thrown));
  }
  return processes;
}

Result<void> Processes::together(const std::function<void(Group&)>& call) {
  try {
    call(*group_);
    return {};
  } catch (const std::exception& thrown) {
    return fail(ErrorCode::kNetwork, "another process of this job ended or was not heard of in time ({})",
                reason_of(thrown));
  }
}

Result<void> Processes::sum(torch::Tensor& values) {
  if (alone()) return {};
  return together([&](Group& group) { group.sum(values); });
}

Result<bool> Processes::any(bool own) {
  auto votes = torch::full({1}, own ? 1.0 : 0.0);
  VALENCE_CHECK(sum(votes));
  return votes.item<double>() > 0;
}

Result<std::vector<std::string>> Processes::gather(std::string_view own) {
  if (alone()) return std::vector<std::string>{std::string(own)};
  std::vector<std::string> texts;
  VALENCE_CHECK(together([&](Group& group) {
    std::vector<std::size_t> sizes;
    for (const auto& size : group.gather(torch::tensor({static_cast<std::int64_t>(own.size())})))
      sizes.push_back(static_cast<std::size_t>(size.item<std::int64_t>()));
    const auto all = group.gather(bytes_of(own, std::ranges::max(sizes)));
    for (std::size_t i = 0; i < all.size(); ++i) texts.push_back(text_of(all[i], sizes[i]));
  }));
  return texts;
}

Result<std::string> Processes::from_first(Result<std::string> own) {
  if (alone()) return own;
  constexpr std::int64_t kText = -1;
  std::string text;
  std::int64_t code = kText;
  if (first()) {
    text = own ? *own : own.error().message;
    code = own ? kText : static_cast<std::int64_t>(own.error().code);
  }
  VALENCE_CHECK(together([&](Group& group) {
    auto head = torch::tensor({code, static_cast<std::int64_t>(text.size())});
    group.from_first(head);
    code = head[0].item<std::int64_t>();
    const auto size = static_cast<std::size_t>(head[1].item<std::int64_t>());
    auto bytes = bytes_of(text, size);
    group.from_first(bytes);
    text = text_of(bytes, size);
  }));
  if (code == kText) return text;
  return tl::unexpected(Error{static_cast<ErrorCode>(code), std::move(text)});
}

Result<void> sum_gradients(Processes& processes, const std::vector<torch::Tensor>& parameters) {
  if (processes.alone() || parameters.empty()) return {};
  std::vector<torch::Tensor> parts;
  for (const auto& parameter : parameters) {
    const auto gradient = parameter.grad();
    parts.push_back(gradient.defined() ? gradient.flatten() : torch::zeros_like(parameter).flatten());
    parts.push_back(torch::full({1}, gradient.defined() ? 1.0F : 0.0F));
  }
  auto flat = torch::cat(parts);
  VALENCE_CHECK(processes.sum(flat));
  std::int64_t at = 0;
  for (auto parameter : parameters) {
    const auto size = parameter.numel();
    if (flat[at + size].item<float>() > 0)
      parameter.mutable_grad() = flat.narrow(0, at, size).view_as(parameter).clone();
    at += size + 1;
  }
  return {};
}

std::vector<std::size_t> deal(const std::vector<std::size_t>& costs, std::size_t rank, std::size_t count) {
  std::vector<std::size_t> by_cost(costs.size());
  std::iota(by_cost.begin(), by_cost.end(), std::size_t{0});
  std::ranges::stable_sort(by_cost, std::greater{}, [&](std::size_t i) { return costs[i]; });
  std::vector<std::size_t> held(count), own;
  for (const auto piece : by_cost) {
    const auto least = static_cast<std::size_t>(std::ranges::min_element(held) - held.begin());
    held[least] += std::max<std::size_t>(costs[piece], 1);
    if (least == rank) own.push_back(piece);
  }
  std::ranges::sort(own);
  return own;
}

}  // namespace valence::train
