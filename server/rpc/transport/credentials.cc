#include "server/rpc/transport/credentials.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/file_system.h"
#include "storage/base/status.h"
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

namespace tarn::server {
namespace {

// How often the files are looked at. A certificate is renewed days before it ends.
constexpr unsigned kRefreshSeconds = 2;

absl::StatusOr<std::string> ReadPem(const std::string& path, const char* what) {
  absl::StatusOr<std::string> content = base::ReadFile(base::PosixFileSystem(), path);
  if (!content.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("TLS: ", what, ": ", content.status().message()));
  }
  if (absl::StrContains(*content, "-----BEGIN ")) return content;
  return absl::InvalidArgumentError(
      absl::StrCat("TLS: ", what, ": ", path, " is not a file in PEM form"));
}

// gRPC's watching credentials accept anything and then refuse every handshake; its fixed ones say
// at once what does not fit. They are tried on a port that nobody knows and that is closed again.
absl::Status TryPair(const std::string& key, const std::string& certificate,
                     const TlsFiles& files) {
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs = {{key, certificate}};
  grpc::CallbackGenericService anything;  // A server without a service does not start.
  grpc::ServerBuilder builder;
  builder.RegisterCallbackGenericService(&anything);
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options));
  if (builder.BuildAndStart() != nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("TLS: the key ", files.key,
                                                 " and the certificate ", files.certificate,
                                                 " do not fit each other"));
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> CredentialsOf(const TlsFiles& files) {
  if (files.certificate.empty()) return grpc::InsecureServerCredentials();
  TARN_ASSIGN_OR_RETURN(const std::string certificate, ReadPem(files.certificate, "certificate"));
  TARN_ASSIGN_OR_RETURN(const std::string key, ReadPem(files.key, "key"));
  if (!files.client_ca.empty())
    TARN_RETURN_IF_ERROR(ReadPem(files.client_ca, "client CA").status());
  TARN_RETURN_IF_ERROR(TryPair(key, certificate, files));
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          files.key, files.certificate, files.client_ca, kRefreshSeconds));
  options.watch_identity_key_cert_pairs();
  if (!files.client_ca.empty()) {
    options.watch_root_certs();
    options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  return grpc::experimental::TlsServerCredentials(options);
}

}  // namespace tarn::server
