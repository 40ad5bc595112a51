// How connections to Redis are encrypted, and with whom.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/redis/redis_url.h"
#include <asio/ssl/context.hpp>

namespace tarn::storage::redis {

struct TlsOptions {
  TlsMode mode = TlsMode::kVerified;
  std::string ca_file;           // PEM. Empty: the system's authorities.
  std::string certificate_file;  // PEM, with its chain. Empty: none is shown.
  std::string key_file;          // PEM. With a certificate only.
};

// Shared by all connections; TLS 1.2 and later. INVALID_ARGUMENT names the file that is wrong.
absl::StatusOr<std::shared_ptr<asio::ssl::context>> MakeTlsContext(const TlsOptions& options);

}  // namespace tarn::storage::redis
