#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "support/scratch.h"

namespace valence::testing {

struct Outcome {
  int status = -1;  ///< exit status, or 128 + signal
  std::string out, err;
};

/// Starts the program in `folder` with its output in files; returns its process id.
inline pid_t start(const std::filesystem::path& folder, const std::vector<std::string>& arguments) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  if (::chdir(folder.c_str()) != 0 || std::freopen("out.txt", "w", stdout) == nullptr ||
      std::freopen("err.txt", "w", stderr) == nullptr) {
    ::_exit(126);
  }
  std::vector<std::string> words = {VALENCE_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

inline Outcome wait_for(pid_t child, const std::filesystem::path& folder) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), content_of(folder / "out.txt"),
          content_of(folder / "err.txt")};
}

/// The program as a person runs it, in a folder of the test's own.
inline Outcome run(const std::filesystem::path& folder, const std::vector<std::string>& arguments) {
  return wait_for(start(folder, arguments), folder);
}

}  // namespace valence::testing
