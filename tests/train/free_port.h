#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

namespace valence::testing {

/// A port of the loopback address that nothing listens on now.
inline std::uint16_t free_port() {
  const int end = ::socket(AF_INET, SOCK_STREAM, 0);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::socklen_t size = sizeof(address);
  ::bind(end, reinterpret_cast<::sockaddr*>(&address), size);
  ::getsockname(end, reinterpret_cast<::sockaddr*>(&address), &size);
  ::close(end);
  return ntohs(address.sin_port);
}

}  // namespace valence::testing
