// One stream of bytes to a server: TCP or a Unix socket, encrypted or not.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <system_error>

#include "storage/redis/redis_url.h"
#include <asio/buffer.hpp>
#include <asio/io_context.hpp>
#include <asio/ssl/context.hpp>

namespace tarn::storage::redis {

struct TransportOptions {
  Endpoint endpoint;  // Ignored when there is a path.
  std::string unix_path;
  TlsMode tls = TlsMode::kOff;
  std::string tls_server_name;                      // Empty: the endpoint's host.
  std::shared_ptr<asio::ssl::context> tls_context;  // Unless `tls` is off.
};

// A peer that died without a word is noticed in less than 10 s: by probes while nothing is sent,
// and by the kernel's patience with what nobody acknowledges.
inline constexpr int kKeepaliveIdleSeconds = 3;
inline constexpr int kKeepaliveIntervalSeconds = 2;
inline constexpr int kTcpUserTimeoutMs = 9000;

// Lives on one event loop's thread and calls back there, never from within a call. At most one read
// and one write at a time; their buffers stay until they are called back.
class Transport {
 public:
  using Connected = std::function<void(std::error_code)>;
  using Moved = std::function<void(std::error_code, size_t bytes)>;

  virtual ~Transport() = default;

  // Finds the address, connects, and shakes hands where it is encrypted. Tries each address of a
  // host in turn.
  virtual void Connect(Connected done) = 0;
  // Some bytes, as many as there are.
  virtual void Read(asio::mutable_buffer buffer, Moved done) = 0;
  // Some of the bytes, as many as there is room for.
  virtual void Write(asio::const_buffer buffer, Moved done) = 0;
  // At once, without waiting for what the kernel has not sent yet: that is thrown away, so it
  // cannot arrive later. What is under way is called back with an error. May be repeated.
  virtual void Abort() = 0;
  // Whether a write that fails tells exactly how much the kernel took.
  virtual bool counts_exactly() const = 0;
};

std::unique_ptr<Transport> MakeTransport(asio::io_context& context,
                                         const TransportOptions& options);

}  // namespace tarn::storage::redis
