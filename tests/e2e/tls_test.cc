// TLS, mutual TLS, and what a certificate's name may do.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "tarn/v1/lock.grpc.pb.h"
#include "tests/catch.h"
#include "tests/client/certificates.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"
#include <net/if.h>

namespace tarn::testing {
namespace {

using Await = DaemonProcess::Options::Await;

std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void Copy(const std::string& from, const std::string& to) {
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
}

// A client that trusts `ca`, and shows the client's certificate of `own` if there is one.
RawClient Connect(const std::string& address, const std::string& ca,
                  const Certificates* own = nullptr) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = Slurp(ca);
  if (own != nullptr) {
    options.pem_private_key = Slurp(own->client_key());
    options.pem_cert_chain = Slurp(own->client_cert());
  }
  return RawClient(address, grpc::SslCredentials(options));
}

// Without waiting for a connection that never comes.
std::string PutNow(RawClient& client) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + RawClient::kPatience);
  v1::PutRequest request;
  request.set_key("k");
  v1::PutResponse response;
  return Brief(client.state().Put(&context, request, &response));
}

std::string Create(RawClient& client, const std::string& name) {
  v1::CreateNamespaceRequest request;
  request.mutable_namespace_()->set_name(name);
  v1::CreateNamespaceResponse response;
  return client.Call(client.admin(), &v1::AdminService::Stub::CreateNamespace, request, &response);
}

// An address of this machine that is not loopback; empty when it has none.
std::string OwnAddress() {
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return "";
  std::string address;
  for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET ||
        (one->ifa_flags & IFF_LOOPBACK) != 0)
      continue;
    char text[INET_ADDRSTRLEN] = {};
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(one->ifa_addr)->sin_addr, text,
              sizeof(text));
    address = text;
  }
  freeifaddrs(first);
  return address;
}

std::string PortOf(const std::string& address) { return address.substr(address.rfind(':')); }

std::vector<std::string> Tls(const Certificates& certificates) {
  return {"--engine",   "memory",
          "--tls-cert", certificates.server_cert(),
          "--tls-key",  certificates.server_key()};
}

std::vector<std::string> MutualTls(const Certificates& certificates) {
  std::vector<std::string> arguments = Tls(certificates);
  arguments.insert(arguments.end(), {"--tls-client-ca", certificates.ca()});
  return arguments;
}

TEST_CASE("with TLS only those who trust the authority and speak TLS are served") {
  const TempDir dir;
  const Certificates certificates;
  DaemonProcess daemon({.directory = dir.path(), .arguments = Tls(certificates)});
  RawClient good = Connect(daemon.grpc(), certificates.ca());
  CHECK(PutNow(good) == "OK");
  RawClient distrustful = Connect(daemon.grpc(), certificates.other_ca());
  CHECK(PutNow(distrustful) == "UNAVAILABLE");
  RawClient plain(daemon.grpc());
  CHECK(PutNow(plain) == "UNAVAILABLE");
}

TEST_CASE("with mutual TLS only callers with a certificate of the authority are served") {
  const TempDir dir;
  const Certificates certificates;
  const Certificates others;
  DaemonProcess daemon({.directory = dir.path(), .arguments = MutualTls(certificates)});
  RawClient good = Connect(daemon.grpc(), certificates.ca(), &certificates);
  CHECK(PutNow(good) == "OK");
  RawClient nameless = Connect(daemon.grpc(), certificates.ca());
  CHECK(PutNow(nameless) == "UNAVAILABLE");
  RawClient stranger = Connect(daemon.grpc(), certificates.ca(), &others);
  CHECK(PutNow(stranger) == "UNAVAILABLE");
}

TEST_CASE("certificates that change are followed, connections that are open stay") {
  const TempDir dir;
  const Certificates old;
  const Certificates renewed;
  Copy(old.server_cert(), dir / "cert");
  Copy(old.server_key(), dir / "key");
  DaemonProcess daemon(
      {.directory = dir.path(),
       .arguments = {"--engine", "memory", "--tls-cert", dir / "cert", "--tls-key", dir / "key"}});
  RawClient before = Connect(daemon.grpc(), old.ca());
  CHECK(PutNow(before) == "OK");
  Copy(renewed.server_key(), dir / "key");
  Copy(renewed.server_cert(), dir / "cert");
  RawClient after = Connect(daemon.grpc(), renewed.ca());
  CHECK(after.Put("k", "v") == "OK");  // Waits until the connection succeeds.
  CHECK(PutNow(before) == "OK");
}

TEST_CASE("an authority of callers that changes is followed") {
  const TempDir dir;
  const Certificates old;
  const Certificates renewed;
  Copy(old.ca(), dir / "ca");
  std::vector<std::string> arguments = Tls(old);
  arguments.insert(arguments.end(), {"--tls-client-ca", dir / "ca"});
  DaemonProcess daemon({.directory = dir.path(), .arguments = arguments});
  RawClient before = Connect(daemon.grpc(), old.ca(), &renewed);
  CHECK(PutNow(before) == "UNAVAILABLE");
  Copy(renewed.ca(), dir / "ca");
  RawClient after = Connect(daemon.grpc(), old.ca(), &renewed);
  CHECK(after.Put("k", "v") == "OK");  // Waits until the connection succeeds.
}

TEST_CASE("TLS files that cannot be used are errors that name them") {
  const TempDir dir;
  const Certificates certificates;
  const Certificates others;
  std::ofstream(dir / "text") << "no certificate";
  const auto ended = [&](const std::string& cert, const std::string& key, const std::string& ca) {
    std::vector<std::string> arguments = {"--engine", "memory",    "--tls-cert",
                                          cert,       "--tls-key", key};
    if (!ca.empty()) arguments.insert(arguments.end(), {"--tls-client-ca", ca});
    DaemonProcess daemon(
        {.directory = dir.path(), .arguments = arguments, .await = Await::kNothing});
    CHECK(daemon.Wait() == 2);
    return daemon.FinalLog();
  };
  const auto holds = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  const std::string cert = certificates.server_cert();
  const std::string key = certificates.server_key();
  CHECK(holds(ended(dir / "none", key, ""), dir / "none"));
  CHECK(holds(ended(cert, dir / "none", ""), dir / "none"));
  CHECK(holds(ended(cert, key, dir / "none"), dir / "none"));
  CHECK(holds(ended(dir / "text", key, ""), dir / "text" + " is not a file in PEM form"));
  CHECK(holds(ended(cert, others.server_key(), ""), "do not fit each other"));
}

TEST_CASE("options that need each other are errors") {
  const TempDir dir;
  const Certificates certificates;
  const auto code = [&](std::vector<std::string> arguments) {
    DaemonProcess daemon(
        {.directory = dir.path(), .arguments = std::move(arguments), .await = Await::kNothing});
    return daemon.Wait();
  };
  CHECK(code({"--tls-cert", certificates.server_cert()}) == 2);
  CHECK(code({"--tls-key", certificates.server_key()}) == 2);
  CHECK(code({"--tls-client-ca", certificates.ca()}) == 2);
  CHECK(code({"--admin-names", "ops"}) == 2);
}

TEST_CASE("from beyond loopback namespaces can be read and not changed") {
  const std::string own = OwnAddress();
  if (own.empty()) {
    WARN("this machine has no address beyond loopback");
    return;
  }
  const TempDir dir;
  DaemonProcess daemon(
      {.directory = dir.path(),
       .arguments = {"--engine", "memory", "--listen", "0.0.0.0:0", "--insecure-listen"}});
  RawClient remote(own + PortOf(daemon.grpc()));
  CHECK(remote.Put("k", "v") == "OK");
  CHECK(Create(remote, "orders") == "PERMISSION_DENIED PERMISSION_DENIED");
  v1::UpdateNamespaceRequest update;
  update.mutable_namespace_()->set_name("default");
  v1::UpdateNamespaceResponse updated;
  CHECK(remote.Call(remote.admin(), &v1::AdminService::Stub::UpdateNamespace, update, &updated) ==
        "PERMISSION_DENIED PERMISSION_DENIED");
  v1::DeleteNamespaceRequest remove;
  remove.set_name("default");
  v1::DeleteNamespaceResponse removed;
  CHECK(remote.Call(remote.admin(), &v1::AdminService::Stub::DeleteNamespace, remove, &removed) ==
        "PERMISSION_DENIED PERMISSION_DENIED");
  v1::GetNamespaceRequest get;
  get.set_name("default");
  v1::GetNamespaceResponse got;
  CHECK(remote.Call(remote.admin(), &v1::AdminService::Stub::GetNamespace, get, &got) == "OK");
  RawClient local("127.0.0.1" + PortOf(daemon.grpc()));
  CHECK(Create(local, "orders") == "OK");
}

TEST_CASE("from beyond loopback locks can be taken, and not taken away from others") {
  const std::string own = OwnAddress();
  if (own.empty()) {
    WARN("this machine has no address beyond loopback");
    return;
  }
  const TempDir dir;
  DaemonProcess daemon(
      {.directory = dir.path(),
       .arguments = {"--engine", "memory", "--listen", "0.0.0.0:0", "--insecure-listen"}});
  RawClient remote(own + PortOf(daemon.grpc()));
  const auto locks = v1::LockService::NewStub(remote.channel());
  v1::AcquireLockRequest acquire;
  acquire.set_name("l");
  acquire.set_holder("h");
  acquire.set_ttl_ms(60'000);
  v1::AcquireLockResponse acquired;
  CHECK(remote.Call(*locks, &v1::LockService::Stub::AcquireLock, acquire, &acquired) == "OK");
  v1::ForceReleaseLockRequest force;
  force.set_name("l");
  v1::ForceReleaseLockResponse forced;
  CHECK(remote.Call(*locks, &v1::LockService::Stub::ForceReleaseLock, force, &forced) ==
        "PERMISSION_DENIED PERMISSION_DENIED");
  v1::JoinGroupRequest join;
  join.set_group("g");
  join.set_member("m");
  v1::JoinGroupResponse joined;
  CHECK(remote.Call(*locks, &v1::LockService::Stub::JoinGroup, join, &joined) == "OK");
  v1::DeleteGroupRequest remove;
  remove.set_group("g");
  v1::DeleteGroupResponse removed;
  CHECK(remote.Call(*locks, &v1::LockService::Stub::DeleteGroup, remove, &removed) ==
        "PERMISSION_DENIED PERMISSION_DENIED");
  v1::ReleaseLockRequest release;
  release.set_name("l");
  release.set_token(acquired.token());
  v1::ReleaseLockResponse released;
  CHECK(remote.Call(*locks, &v1::LockService::Stub::ReleaseLock, release, &released) == "OK");
}

TEST_CASE("a certificate name on the list may change namespaces, until it is off the list") {
  const std::string own = OwnAddress();
  if (own.empty()) {
    WARN("this machine has no address beyond loopback");
    return;
  }
  const TempDir dir;
  const Certificates certificates;
  const std::string config = dir / "tarn.toml";
  std::ofstream(config) << "admin-names = [\"ops\", \"worker.test\"]\n";
  std::vector<std::string> arguments = MutualTls(certificates);
  arguments.insert(arguments.end(), {"--listen", "0.0.0.0:0", "--config", config});
  DaemonProcess daemon({.directory = dir.path(), .arguments = arguments});

  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = Slurp(certificates.ca());
  ssl.pem_private_key = Slurp(certificates.client_key());
  ssl.pem_cert_chain = Slurp(certificates.client_cert());
  RawClient remote(own + PortOf(daemon.grpc()), grpc::SslCredentials(ssl), "tarn.test");
  CHECK(Create(remote, "one") == "OK");
  std::ofstream(config) << "admin-names = [\"ops\"]\n";
  daemon.Signal(SIGHUP);
  daemon.AwaitLog("reloaded admin-names");
  CHECK(Create(remote, "two") == "PERMISSION_DENIED PERMISSION_DENIED");
}

}  // namespace
}  // namespace tarn::testing
