#include "storage/redis/tls.h"

#include <future>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/client/certificates.h"
#include "tests/storage/redis/support/redis_server.h"
#include "tests/storage/redis/support/subject.h"
#include "tests/support/status.h"
#include <asio/ip/tcp.hpp>
#include <asio/ssl/stream.hpp>
#include <openssl/ssl.h>

namespace tarn::storage::redis {
namespace {

using testing::Certificates;
using testing::RedisServer;
using testing::Subject;

// A redis-server that speaks TLS; it asks for client certificates or not.
RedisServer Server(const Certificates& certificates, const std::string& asks_clients) {
  return RedisServer(
      {"--tls-cert-file", certificates.server_cert(), "--tls-key-file", certificates.server_key(),
       "--tls-ca-cert-file", certificates.ca(), "--tls-auth-clients", asks_clients},
      RedisServer::Port::kTls);
}

TlsOptions Trusting(const std::string& ca) {
  TlsOptions options;
  options.ca_file = ca;
  return options;
}

ConnectionOptions To(uint16_t port, const TlsOptions& tls) {
  ConnectionOptions options;
  options.transport.endpoint = {"127.0.0.1", port};
  options.transport.tls = tls.mode;
  options.transport.tls_context = testing::Value(MakeTlsContext(tls));
  return options;
}

const std::string kRefused = "UNAVAILABLE ENGINE_UNAVAILABLE";

TEST_CASE("a TLS connection to a server whose authority is trusted works as any other") {
  const Certificates certificates;
  const RedisServer server = Server(certificates, "no");
  Subject subject(To(server.port(), Trusting(certificates.ca())));
  REQUIRE(subject.opened() == "OK");
  const std::string value(1 << 20, 'v');
  CHECK(subject.Ask({"SET", "k", value}) == "OK");
  CHECK(subject.Ask({"GET", "k"}) == "\"" + value + "\"");
}

TEST_CASE("a TLS server whose authority is not trusted is refused") {
  const Certificates certificates;
  const RedisServer server = Server(certificates, "no");
  CHECK(Subject(To(server.port(), Trusting(certificates.other_ca()))).opened() == kRefused);
  CHECK(Subject(To(server.port(), TlsOptions{})).opened() == kRefused);
}

TEST_CASE("a TLS server that is somebody else is refused") {
  const Certificates certificates;
  const RedisServer server = Server(certificates, "no");
  ConnectionOptions options = To(server.port(), Trusting(certificates.ca()));
  options.transport.tls_server_name = "other.test";
  CHECK(Subject(options).opened() == kRefused);
  options.transport.tls_server_name = "127.0.0.2";
  CHECK(Subject(options).opened() == kRefused);
  options.transport.tls_server_name = "tarn.test";
  CHECK(Subject(options).opened() == "OK");
}

TEST_CASE("without verification any TLS server will do") {
  const Certificates certificates;
  const RedisServer server = Server(certificates, "no");
  TlsOptions tls = Trusting(certificates.other_ca());
  tls.mode = TlsMode::kUnverified;
  CHECK(Subject(To(server.port(), tls)).opened() == "OK");
}

TEST_CASE("a TLS server that asks for a certificate is shown one") {
  const Certificates certificates;
  const RedisServer server = Server(certificates, "yes");
  TlsOptions tls = Trusting(certificates.ca());
  CHECK(Subject(To(server.port(), tls)).opened() == kRefused);
  tls.certificate_file = certificates.client_cert();
  tls.key_file = certificates.client_key();
  CHECK(Subject(To(server.port(), tls)).opened() == "OK");
}

TEST_CASE("plain text to a TLS server, and TLS to a plain one, is refused") {
  const Certificates certificates;
  const RedisServer encrypted = Server(certificates, "no");
  CHECK(Subject(testing::To(encrypted)).opened() == kRefused);
  const RedisServer plain;
  CHECK(Subject(To(plain.port(), Trusting(certificates.ca()))).opened() == kRefused);
}

// Accepts one connection and gives the name that it asked for; empty when it asked for none.
std::string NameAskedFor(const Certificates& certificates, const std::string& server_name) {
  asio::io_context context;
  asio::ssl::context tls(asio::ssl::context::tls_server);
  tls.use_certificate_chain_file(certificates.server_cert());
  tls.use_private_key_file(certificates.server_key(), asio::ssl::context::pem);
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
  std::future<std::string> name = std::async(std::launch::async, [&] {
    asio::ssl::stream<asio::ip::tcp::socket> stream(acceptor.accept(), tls);
    stream.handshake(asio::ssl::stream_base::server);
    const char* const asked = SSL_get_servername(stream.native_handle(), TLSEXT_NAMETYPE_host_name);
    return std::string(asked == nullptr ? "" : asked);
  });
  ConnectionOptions options = To(acceptor.local_endpoint().port(), Trusting(certificates.ca()));
  options.transport.tls_server_name = server_name;
  Subject subject(options);
  CHECK(subject.opened() == kRefused);
  return name.get();
}

TEST_CASE("a TLS server is told whom we want, unless that is an address") {
  const Certificates certificates;
  CHECK(NameAskedFor(certificates, "tarn.test") == "tarn.test");
  CHECK(NameAskedFor(certificates, "").empty());
}

TEST_CASE("a wrong file for TLS is named") {
  const Certificates certificates;
  TlsOptions tls = Trusting("/nonexistent/ca.crt");
  CHECK_THAT(std::string(MakeTlsContext(tls).status().message()),
             Catch::Matchers::Contains("/nonexistent/ca.crt"));
  tls = Trusting(certificates.ca());
  tls.certificate_file = certificates.client_cert();
  CHECK_THAT(std::string(MakeTlsContext(tls).status().message()),
             Catch::Matchers::Contains("come together"));
  tls.key_file = certificates.server_key();  // Of another certificate.
  CHECK_THAT(std::string(MakeTlsContext(tls).status().message()),
             Catch::Matchers::Contains(certificates.server_key()));
  tls.certificate_file = certificates.client_key();
  CHECK_THAT(std::string(MakeTlsContext(tls).status().message()),
             Catch::Matchers::Contains("the certificate in "));
  CHECK(testing::Brief(MakeTlsContext(tls)) == "INVALID_ARGUMENT INVALID_REQUEST");
}

}  // namespace
}  // namespace tarn::storage::redis
