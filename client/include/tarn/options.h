// How a client reaches its server, and how patient it is.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "tarn/policies.h"

namespace tarn {

inline constexpr char kDefaultEndpoint[] = "127.0.0.1:8276";

// A span that never ends, for timeouts.
inline constexpr std::chrono::milliseconds kNoTimeout = std::chrono::milliseconds::max();

// PEM files, read again when they change, so that certificates can be replaced while the client
// runs. TLS 1.2 or newer.
struct TlsOptions {
  std::string ca_file;  // Whom to trust; empty = the authorities the system trusts.
  std::string
      cert_file;  // Who we are, for a server that asks (mutual TLS): the chain, together with...
  std::string key_file;     // ...its private key. Both or neither.
  std::string server_name;  // What the server's certificate must name; empty = the endpoint's host.
};

enum class RequestIdUse { kWhereNeeded, kNever };

struct ClientOptions {
  // HOST:PORT, [IPV6]:PORT, or unix:PATH.
  std::string endpoint = kDefaultEndpoint;

  // None = plain text. Then everyone on the way can read and change what is sent.
  std::optional<TlsOptions> tls;

  // The namespace of calls that name none; empty = "default".
  std::string ns;

  // How long one attempt to connect may take before it has failed.
  std::chrono::milliseconds connect_timeout{5'000};

  // How long a call may take, its repetitions included, if it does not say so itself. Does not hold
  // for scans and pipelines. Longer than a failover, shorter than a person's patience.
  std::chrono::milliseconds call_timeout{10'000};

  // How long one attempt of a call may take; then its outcome is unknown, and it is repeated if it
  // is idempotent. Useful where requests get lost without the connection failing.
  std::chrono::milliseconds attempt_timeout = kNoTimeout;

  // How long a connection with calls under way may be silent before it is probed, and how long the
  // probe may take. The server must allow such pings as often: tarnd does from 10 s on.
  std::chrono::milliseconds keepalive_time{30'000};
  std::chrono::milliseconds keepalive_timeout{10'000};

  // The largest message to accept. Above the server's own limit, so that it is the server's that
  // counts.
  size_t max_receive_bytes = 64 << 20;

  // Whether writes get a request id where the idempotency policy wants one, which makes their
  // repetition exact: take, increment, append, delete, whatever has a precondition, and batches
  // with one of these. It costs each of them a second entry; without it, those that are not
  // idempotent fail when their outcome is unknown.
  RequestIdUse request_ids = RequestIdUse::kWhereNeeded;

  // Prototypes; null = LimitedRetryPolicy(10), ExponentialBackoffPolicy(100 ms, 5 s),
  // StrictIdempotencyPolicy.
  std::shared_ptr<const RetryPolicy> retry_policy;
  std::shared_ptr<const BackoffPolicy> backoff_policy;
  std::shared_ptr<const IdempotencyPolicy> idempotency_policy;
};

}  // namespace tarn
