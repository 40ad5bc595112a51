#include "server/rpc/transport/peer.h"

#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace tarn::server {
namespace {

void AddProperties(const grpc::AuthContext& auth, const char* property,
                   std::vector<std::string>* names) {
  for (const grpc::string_ref& value : auth.FindPropertyValues(property)) {
    if (!value.empty()) names->emplace_back(value.data(), value.size());
  }
}

}  // namespace

Peer::Locality LocalityOf(absl::string_view address) {
  if (absl::StartsWith(address, "unix:") || absl::StartsWith(address, "unix-abstract:")) {
    return Peer::Locality::kLoopback;
  }
  if (absl::ConsumePrefix(&address, "ipv4:")) {
    return absl::StartsWith(address, "127.") ? Peer::Locality::kLoopback : Peer::Locality::kRemote;
  }
  if (!absl::ConsumePrefix(&address, "ipv6:")) return Peer::Locality::kRemote;
  if (!absl::ConsumePrefix(&address, "%5B")) absl::ConsumePrefix(&address, "[");
  // "::ffff:127.0.0.1" is IPv4 over an IPv6 socket.
  if (absl::ConsumePrefix(&address, "::ffff:")) {
    return absl::StartsWith(address, "127.") ? Peer::Locality::kLoopback : Peer::Locality::kRemote;
  }
  const bool loopback = absl::StartsWith(address, "::1%5D") || absl::StartsWith(address, "::1]");
  return loopback ? Peer::Locality::kLoopback : Peer::Locality::kRemote;
}

Peer PeerOf(const grpc::ServerContextBase& context) {
  Peer peer;
  peer.address = context.peer();
  peer.locality = LocalityOf(peer.address);
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return peer;
  AddProperties(*auth, "x509_subject_alternative_name", &peer.certificate_names);
  AddProperties(*auth, "x509_common_name", &peer.certificate_names);
  return peer;
}

}  // namespace tarn::server
