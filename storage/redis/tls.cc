#include "storage/redis/tls.h"

#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::storage::redis {
namespace {

using asio::ssl::context;

absl::Status Wrong(absl::string_view what, const std::error_code& error) {
  return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                         absl::StrCat(what, ": ", error.message()));
}

absl::Status TrustAuthorities(const TlsOptions& options, context& tls) {
  std::error_code error;
  if (options.ca_file.empty()) {
    tls.set_default_verify_paths(error);
    return error ? Wrong("the system's certificate authorities", error) : absl::OkStatus();
  }
  tls.load_verify_file(options.ca_file, error);
  return error ? Wrong(absl::StrCat("the authorities in ", options.ca_file), error)
               : absl::OkStatus();
}

absl::Status ShowCertificate(const TlsOptions& options, context& tls) {
  std::error_code error;
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                           "a client certificate and its key come together");
  }
  if (options.certificate_file.empty()) return absl::OkStatus();
  tls.use_certificate_chain_file(options.certificate_file, error);
  if (error) return Wrong(absl::StrCat("the certificate in ", options.certificate_file), error);
  tls.use_private_key_file(options.key_file, context::pem, error);
  return error ? Wrong(absl::StrCat("the key in ", options.key_file), error) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<context>> MakeTlsContext(const TlsOptions& options) {
  auto tls = std::make_shared<context>(context::tls_client);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  TARN_RETURN_IF_ERROR(TrustAuthorities(options, *tls));
  TARN_RETURN_IF_ERROR(ShowCertificate(options, *tls));
  return tls;
}

}  // namespace tarn::storage::redis
