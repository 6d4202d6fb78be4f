#include "valence/base/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <thread>

extern char** environ;

namespace valence {
namespace {

constexpr std::chrono::milliseconds kPoll{20};
constexpr int kPollsPerWatch = 5;

std::vector<std::string> merged_environment(const Program& program) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    bool replaced = false;
    for (const auto& [name, value] : program.environment) {
      replaced = replaced || (text.size() > name.size() && text.starts_with(name) && text[name.size()] == '=');
    }
    if (!replaced) merged.emplace_back(text);
  }
  for (const auto& [name, value] : program.environment) merged.push_back(name + "=" + value);
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

class FileActions {
 public:
  explicit FileActions(const Program& program) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, program.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (!program.keeps_stderr) ::posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  explicit Attributes(const Program& program) {
    ::posix_spawnattr_init(&attributes_);
    if (program.own_group) ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

Result<pid_t> start(const Program& program) {
  auto arguments = program.arguments;
  auto environment = merged_environment(program);
  const FileActions actions(program);
  const Attributes attributes(program);
  pid_t child = -1;
  const int reason = ::posix_spawnp(&child, arguments.front().c_str(), actions.get(), attributes.get(),
                                    pointers(arguments).data(), pointers(environment).data());
  if (reason == 0) return child;
  return fail(reason == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "{}: {}", program.arguments.front(),
              std::strerror(reason));
}

int status_of(int raw) { return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw); }

void end(pid_t child, std::chrono::seconds patience) {
  ::kill(child, SIGTERM);
  const auto limit = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < limit) {
    if (::waitpid(child, nullptr, WNOHANG) == child) return;
    std::this_thread::sleep_for(kPoll);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace

Result<int> run_program(const Program& program, const std::stop_token& stop, const std::function<void()>& watch) {
  VALENCE_TRY(const auto child, start(program));
  int raw = 0;
  for (int polls = 1; ::waitpid(child, &raw, WNOHANG) != child; ++polls) {
    if (stop.stop_requested()) {
      end(child, program.patience);
      return fail(ErrorCode::kStopped, "{} was stopped", program.arguments.front());
    }
    if (watch && polls % kPollsPerWatch == 0) watch();
    std::this_thread::sleep_for(kPoll);
  }
  return status_of(raw);
}

}  // namespace valence
