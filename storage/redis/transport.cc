#include "storage/redis/transport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <deque>
#include <utility>

#include "absl/strings/str_cat.h"
#include <asio/error.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/ip/address.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/post.hpp>
#include <asio/ssl/host_name_verification.hpp>
#include <asio/ssl/stream.hpp>
#include <openssl/ssl.h>

namespace tarn::storage::redis {
namespace {

using asio::generic::stream_protocol;
using asio::ip::tcp;
using Addresses = std::deque<stream_protocol::endpoint>;

void SetOption(int socket, int level, int name, int value) {
  // A kernel that lacks one of them still works: other limits of time catch what it would have.
  setsockopt(socket, level, name, &value, sizeof(value));
}

void TuneTcp(int socket) {
  SetOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);  // What belongs together is one write already.
  SetOption(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(socket, IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveIdleSeconds);
  SetOption(socket, IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveIntervalSeconds);
  SetOption(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, kTcpUserTimeoutMs);
}

void CloseWithoutLingering(stream_protocol::socket& socket) {
  std::error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

// Connects a socket to the first of some addresses that takes it. Its owner outlives what it calls
// back, by holding itself in `done`.
class Dialer {
 public:
  Dialer(asio::io_context& context, const TransportOptions& options,
         stream_protocol::socket& socket)
      : options_(options), resolver_(context), socket_(socket) {}

  void Dial(Transport::Connected done) {
    done_ = std::move(done);
    if (!options_.unix_path.empty()) {
      addresses_ = {asio::local::stream_protocol::endpoint(options_.unix_path)};
      asio::post(socket_.get_executor(), [this] { Next(asio::error::host_not_found); });
      return;
    }
    resolver_.async_resolve(
        options_.endpoint.host, absl::StrCat(options_.endpoint.port),
        [this](std::error_code error, const tcp::resolver::results_type& results) {
          for (const auto& result : results) addresses_.emplace_back(result.endpoint());
          Next(error ? error : make_error_code(asio::error::host_not_found));
        });
  }

  void Cancel() {
    cancelled_ = true;
    resolver_.cancel();
  }

 private:
  // After the address before has failed with `error`.
  void Next(std::error_code error) {
    if (cancelled_) error = asio::error::operation_aborted;
    if (cancelled_ || addresses_.empty()) return std::exchange(done_, nullptr)(error);
    const stream_protocol::endpoint address = addresses_.front();
    addresses_.pop_front();
    std::error_code ignored;
    socket_.close(ignored);
    socket_.open(address.protocol(), error);
    if (error) return Next(error);
    if (options_.unix_path.empty()) TuneTcp(socket_.native_handle());
    socket_.async_connect(address, [this](std::error_code result) {
      if (result || cancelled_) return Next(result);
      std::exchange(done_, nullptr)({});
    });
  }

  const TransportOptions& options_;
  tcp::resolver resolver_;
  stream_protocol::socket& socket_;
  Addresses addresses_;
  Transport::Connected done_;
  bool cancelled_ = false;
};

class PlainTransport final : public Transport {
 public:
  PlainTransport(asio::io_context& context, const TransportOptions& options)
      : options_(options), socket_(context), dialer_(context, options_, socket_) {}

  void Connect(Connected done) override { dialer_.Dial(std::move(done)); }
  void Read(asio::mutable_buffer buffer, Moved done) override {
    socket_.async_read_some(buffer, std::move(done));
  }
  void Write(asio::const_buffer buffer, Moved done) override {
    socket_.async_write_some(buffer, std::move(done));
  }
  void Abort() override {
    dialer_.Cancel();
    CloseWithoutLingering(socket_);
  }
  bool counts_exactly() const override { return true; }

 private:
  const TransportOptions options_;
  stream_protocol::socket socket_;
  Dialer dialer_;
};

class TlsTransport final : public Transport {
 public:
  TlsTransport(asio::io_context& context, const TransportOptions& options)
      : options_(options),
        stream_(context, *options_.tls_context),
        dialer_(context, options_, stream_.next_layer()) {}

  void Connect(Connected done) override {
    if (const std::error_code error = Prepare()) {
      asio::post(stream_.get_executor(), [done = std::move(done), error] { done(error); });
      return;
    }
    dialer_.Dial([this, done = std::move(done)](std::error_code error) mutable {
      if (error) return done(error);
      stream_.async_handshake(asio::ssl::stream_base::client, std::move(done));
    });
  }
  void Read(asio::mutable_buffer buffer, Moved done) override {
    stream_.async_read_some(buffer, std::move(done));
  }
  void Write(asio::const_buffer buffer, Moved done) override {
    stream_.async_write_some(buffer, std::move(done));
  }
  void Abort() override {
    dialer_.Cancel();
    CloseWithoutLingering(stream_.next_layer());
  }
  bool counts_exactly() const override { return false; }

 private:
  // Says whom we want (SNI), and refuses who is somebody else: three settings, none of which
  // implies another.
  std::error_code Prepare() {
    const std::string& name =
        options_.tls_server_name.empty() ? options_.endpoint.host : options_.tls_server_name;
    std::error_code error;
    asio::ip::make_address(name, error);
    const bool is_address = !error;  // Which SNI does not know.
    if (!is_address && SSL_set_tlsext_host_name(stream_.native_handle(), name.c_str()) != 1) {
      return make_error_code(asio::error::invalid_argument);
    }
    error.clear();
    if (options_.tls == TlsMode::kUnverified) {
      stream_.set_verify_mode(asio::ssl::verify_none, error);
      return error;
    }
    stream_.set_verify_mode(asio::ssl::verify_peer, error);
    if (!error) stream_.set_verify_callback(asio::ssl::host_name_verification(name), error);
    return error;
  }

  const TransportOptions options_;
  asio::ssl::stream<stream_protocol::socket> stream_;
  Dialer dialer_;
};

}  // namespace

std::unique_ptr<Transport> MakeTransport(asio::io_context& context,
                                         const TransportOptions& options) {
  if (options.tls == TlsMode::kOff) return std::make_unique<PlainTransport>(context, options);
  return std::make_unique<TlsTransport>(context, options);
}

}  // namespace tarn::storage::redis
