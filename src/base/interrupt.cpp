#include "valence/base/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

namespace valence {
namespace {

// A handler may do next to nothing, and asking a stop source to stop takes locks: so the handler writes a byte into a
// pipe, and a thread that waits at its other end asks.
int signal_pipe_entry = -1;
std::string_view stop_notice;
volatile sig_atomic_t signal_seen = 0;

void on_signal(int number) {
  if (signal_seen != 0) {
    ::signal(number, SIG_DFL);
    ::raise(number);  // blocked until this handler returns, then ends the process
    return;
  }
  signal_seen = 1;
  const int kept = errno;
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, stop_notice.data(), stop_notice.size());
  const char byte = 's';
  written = ::write(signal_pipe_entry, &byte, 1);
  errno = kept;
}

void set_handler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
}

class SignalWatcher {
 public:
  explicit SignalWatcher(std::string_view notice) {
    stop_notice = notice;
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();  // no descriptors left at start
    exit_ = ends[0];
    signal_pipe_entry = ends[1];
    thread_ = std::thread([this] { wait(); });
    set_handler(on_signal);
  }

  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

  ~SignalWatcher() {
    set_handler(SIG_DFL);
    ::close(signal_pipe_entry);  // ends the wait
    thread_.join();
    ::close(exit_);
  }

  std::stop_token token() const { return source_.get_token(); }

 private:
  void wait() {
    char byte = 0;
    ssize_t count = 0;
    do {
      count = ::read(exit_, &byte, 1);
    } while (count < 0 && errno == EINTR);
    if (count == 1) source_.request_stop();
  }

  int exit_ = -1;
  std::stop_source source_;
  std::thread thread_;
};

}  // namespace

std::stop_token stop_on_signal(std::string_view notice) {
  static const SignalWatcher watcher(notice);
  return watcher.token();
}

void stop_with_parent() { ::prctl(PR_SET_PDEATHSIG, SIGTERM); }

}  // namespace valence
