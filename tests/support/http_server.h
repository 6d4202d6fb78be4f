#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace valence::testing {

struct HttpRequest {
  std::string method, target;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct HttpReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};
  std::optional<std::uint64_t> claimed_length{};  ///< Content-Length to send instead of the body's
  std::optional<std::size_t> cut_after{};         ///< bytes of the body, then the connection is closed
  std::chrono::milliseconds stall{0};             ///< wait before the body, or after `cut_after`; ends when the client hangs up
};

/// A web server on 127.0.0.1 for tests: one thread, one request per connection, answers from a function.
class HttpServer {
 public:
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  explicit HttpServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, generic, size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("no port on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() {
    thread_.request_stop();
    thread_.join();
    ::close(listener_);
  }

  std::string url(std::string_view target = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
  }
  std::vector<HttpRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      if (const auto request = receive(connection)) answer(connection, *request, stop);
      ::close(connection);
    }
  }

  static std::optional<HttpRequest> receive(int connection) {
    std::string text;
    std::array<char, 4096> buffer{};
    while (text.find("\r\n\r\n") == std::string::npos) {
      const auto count = ::recv(connection, buffer.data(), buffer.size(), 0);
      if (count <= 0) return std::nullopt;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    auto request = parse(text.substr(0, text.find("\r\n\r\n")));
    request.body = text.substr(text.find("\r\n\r\n") + 4);
    const auto length = request.header("content-length");
    while (!length.empty() && request.body.size() < std::stoull(length)) {
      const auto count = ::recv(connection, buffer.data(), buffer.size(), 0);
      if (count <= 0) return std::nullopt;
      request.body.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return request;
  }

  static HttpRequest parse(const std::string& head) {
    HttpRequest request;
    const auto first = head.find(' ');
    request.method = head.substr(0, first);
    request.target = head.substr(first + 1, head.find(' ', first + 1) - first - 1);
    for (auto at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) {
      const auto line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
      const auto colon = line.find(": ");
      if (colon == std::string::npos) continue;
      auto name = line.substr(0, colon);
      for (char& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      request.headers[name] = line.substr(colon + 2);
    }
    return request;
  }

  void answer(int connection, const HttpRequest& request, const std::stop_token& stop) {
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const auto reply = handler_(request);
    auto head = "HTTP/1.1 " + std::to_string(reply.status) + " Test\r\nConnection: close\r\nContent-Length: " +
                std::to_string(reply.claimed_length.value_or(reply.body.size())) + "\r\n";
    for (const auto& [name, value] : reply.headers) head += name + ": " + value + "\r\n";
    const auto before = reply.body.substr(0, reply.cut_after.value_or(0));
    send(connection, head + "\r\n" + before);
    const auto until = std::chrono::steady_clock::now() + reply.stall;
    while (std::chrono::steady_clock::now() < until && !stop.stop_requested() && !hung_up(connection)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (!reply.cut_after) send(connection, reply.body);
  }

  static bool hung_up(int connection) {
    char byte = 0;
    return ::recv(connection, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
  }

  static void send(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<HttpRequest> requests_;
  std::jthread thread_;
};

/// A file with an ETag that can be asked for in parts, as web servers do it. `change` may alter each reply.
inline HttpServer::Handler file_handler(std::string content, std::string etag = "\"v1\"",
                                        std::function<void(HttpReply&, std::size_t request)> change = {}) {
  return [content = std::move(content), etag = std::move(etag), change = std::move(change),
          count = std::size_t{0}](const HttpRequest& request) mutable {
    HttpReply reply{.status = 200, .body = content};
    if (!etag.empty()) reply.headers.emplace_back("ETag", etag);
    const auto range = request.header("range");
    const auto condition = request.header("if-range");
    if (range.starts_with("bytes=") && (condition.empty() || condition == etag)) {
      const auto from = static_cast<std::size_t>(std::stoull(range.substr(6)));
      const auto total = std::to_string(content.size());
      if (from >= content.size()) {
        reply = {.status = 416, .headers = {{"Content-Range", "bytes */" + total}}};
      } else {
        reply.status = 206;
        reply.body = content.substr(from);
        reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(from) + "-" +
                                                        std::to_string(content.size() - 1) + "/" + total);
      }
    }
    if (change) change(reply, count);
    ++count;
    return reply;
  };
}

}  // namespace valence::testing
