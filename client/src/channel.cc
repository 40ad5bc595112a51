#include "client/src/channel.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <limits>
#include <new>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "tarn/error.h"
#include "tarn_version.h"
#include <grpc/impl/codegen/grpc_types.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/support/channel_arguments.h>

namespace tarn::internal {
namespace {

namespace tls = grpc::experimental;

// How often certificate files are looked at.
constexpr unsigned kCertificateRefreshSeconds = 10;
// Short, because the retry policies do the waiting: a channel that waits longer than they do fails
// their attempts.
constexpr int kFirstReconnectMs = 100;
constexpr int kLongestReconnectMs = 2'000;

absl::Status Invalid(absl::string_view message) {
  return MakeError(absl::StatusCode::kInvalidArgument, Reason::kInvalidOptions,
                   std::string(message));
}

absl::StatusOr<std::string> UnixTarget(absl::string_view path) {
  if (path.empty()) return Invalid("the endpoint unix: names no path");
  const std::filesystem::path absolute = std::filesystem::absolute(std::string(path));
  return absl::StrCat("unix://", absolute.string());
}

// Every target begins with a scheme that no peer's address has; status_mapping.cc relies on it.
absl::StatusOr<std::string> Target(const std::string& endpoint) {
  absl::string_view path = endpoint;
  if (absl::ConsumePrefix(&path, "unix:")) return UnixTarget(path);
  const size_t colon = endpoint.rfind(':');
  int port = 0;
  const bool valid = colon != std::string::npos && colon > 0 &&
                     absl::SimpleAtoi(absl::string_view(endpoint).substr(colon + 1), &port) &&
                     port > 0 && port <= std::numeric_limits<uint16_t>::max() &&
                     endpoint.find('/') == std::string::npos;
  if (!valid) {
    return Invalid(absl::StrCat("the endpoint '", endpoint,
                                "' is none of HOST:PORT, [IPV6]:PORT and unix:PATH"));
  }
  return absl::StrCat("dns:///", endpoint);
}

absl::Status CheckReadable(const std::string& path, absl::string_view what) {
  std::ifstream file(path);
  if (file.good() && file.peek() != std::ifstream::traits_type::eof()) return absl::OkStatus();
  return Invalid(absl::StrCat("cannot read the ", what, " '", path, "'"));
}

absl::Status CheckTls(const TlsOptions& options) {
  if (options.cert_file.empty() != options.key_file.empty()) {
    return Invalid("a TLS certificate and its key go together: one of them is missing");
  }
  if (!options.ca_file.empty()) {
    const auto status = CheckReadable(options.ca_file, "TLS authorities");
    if (!status.ok()) return status;
  }
  if (options.cert_file.empty()) return absl::OkStatus();
  const auto status = CheckReadable(options.cert_file, "TLS certificate");
  return status.ok() ? CheckReadable(options.key_file, "TLS key") : status;
}

std::shared_ptr<grpc::ChannelCredentials> TlsCredentials(const TlsOptions& options) {
  if (options.ca_file.empty() && options.cert_file.empty()) return grpc::SslCredentials({});
  tls::TlsChannelCredentialsOptions result;
  result.set_certificate_provider(std::make_shared<tls::FileWatcherCertificateProvider>(
      options.key_file, options.cert_file, options.ca_file, kCertificateRefreshSeconds));
  if (!options.ca_file.empty()) result.watch_root_certs();
  if (!options.cert_file.empty()) result.watch_identity_key_cert_pairs();
  return tls::TlsCredentials(result);
}

int Milliseconds(std::chrono::milliseconds span) {
  return static_cast<int>(std::clamp<int64_t>(span.count(), 1, std::numeric_limits<int>::max()));
}

grpc::ChannelArguments Arguments(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  // Clients do not share connections, nor each other's state of waiting after a failure.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // What to repeat is decided in retry.cc alone. gRPC still sends again by itself what never left
  // this process, which is always safe, so GRPC_ARG_ENABLE_RETRIES stays on.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // A store is not behind the web's proxy.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // In spite of its name the time an attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, Milliseconds(options.connect_timeout));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive_time));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(options.keepalive_timeout));
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(
      std::min<size_t>(options.max_receive_bytes, std::numeric_limits<int>::max())));
  arguments.SetUserAgentPrefix(std::string("libtarn/") + kVersion);
  return arguments;
}

// gRPC 1.51 joins the threads that call callbacks when the last channel that used them goes. When
// that happens on one of these threads (a client that is destroyed in a callback, or just while its
// last answer is delivered) the thread joins itself, and goes on with what has been freed. A
// channel that never goes, and has made one call, keeps the threads.
void KeepCallbackThreads() {
  struct Forever {
    grpc::GenericStub stub{
        grpc::CreateChannel("ipv4:127.0.0.1:1", grpc::InsecureChannelCredentials())};
    grpc::ClientContext context;
    grpc::ByteBuffer request;
    grpc::ByteBuffer response;

    Forever() {
      const grpc::Slice empty;
      request = grpc::ByteBuffer(&empty, 1);
      context.set_deadline(gpr_inf_past(GPR_CLOCK_MONOTONIC));  // Ends without connecting.
      stub.UnaryCall(&context, "/tarn/None", {}, &request, &response, [](const grpc::Status&) {});
    }
  };
  // Not on the heap, where tools that look for leaks would find it.
  alignas(Forever) static std::byte place[sizeof(Forever)];
  [[maybe_unused]] static const Forever* const forever = new (place) Forever;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const ClientOptions& options) {
  KeepCallbackThreads();
  const absl::StatusOr<std::string> target = Target(options.endpoint);
  if (!target.ok()) return target.status();
  grpc::ChannelArguments arguments = Arguments(options);
  if (!options.tls.has_value()) {
    return grpc::CreateCustomChannel(*target, grpc::InsecureChannelCredentials(), arguments);
  }
  const absl::Status status = CheckTls(*options.tls);
  if (!status.ok()) return status;
  if (!options.tls->server_name.empty()) {
    arguments.SetSslTargetNameOverride(options.tls->server_name);
  }
  return grpc::CreateCustomChannel(*target, TlsCredentials(*options.tls), arguments);
}

}  // namespace tarn::internal
