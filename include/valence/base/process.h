#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "valence/base/result.h"

namespace valence {

struct Program {
  std::vector<std::string> arguments;  ///< the first is looked up in PATH
  std::vector<std::pair<std::string, std::string>> environment;  ///< added to ours
  std::filesystem::path output;        ///< file that takes standard output and error
  bool keeps_stderr = false;           ///< standard error goes where ours goes
  bool own_group = false;              ///< Ctrl-C reaches us only, and the program through our one SIGTERM
  std::chrono::seconds patience{5};    ///< between SIGTERM and SIGKILL: what the program needs to put its work away
};

/// Runs a program without a shell and with empty input, calling `watch` every 100 ms, and gives its exit status
/// (128 + signal when one ended it). kNotFound when there is no such program; kStopped after ending it on a stop.
Result<int> run_program(const Program& program, const std::stop_token& stop, const std::function<void()>& watch);

}  // namespace valence
