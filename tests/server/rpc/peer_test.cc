#include "server/rpc/transport/peer.h"

#include "server/rpc/admin_policy.h"
#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::server {
namespace {

bool IsLoopback(absl::string_view address) {
  return LocalityOf(address) == Peer::Locality::kLoopback;
}

TEST_CASE("loopback addresses and Unix sockets are of this machine, nothing else is") {
  CHECK(IsLoopback("ipv4:127.0.0.1:5000"));
  CHECK(IsLoopback("ipv4:127.8.9.10:5000"));
  CHECK(IsLoopback("ipv6:%5B::1%5D:5000"));
  CHECK(IsLoopback("ipv6:[::1]:5000"));
  CHECK(IsLoopback("ipv6:%5B::ffff:127.0.0.1%5D:5000"));
  CHECK(IsLoopback("unix:/run/tarn.sock"));
  CHECK(IsLoopback("unix:"));
  CHECK(IsLoopback("unix-abstract:x"));
  CHECK_FALSE(IsLoopback("ipv4:10.0.0.1:5000"));
  CHECK_FALSE(IsLoopback("ipv4:128.127.0.1:5000"));
  CHECK_FALSE(IsLoopback("ipv6:%5B::12%5D:5000"));
  CHECK_FALSE(IsLoopback("ipv6:%5B2001:db8::1%5D:5000"));
  CHECK_FALSE(IsLoopback("ipv6:%5B::ffff:10.0.0.1%5D:5000"));
  CHECK_FALSE(IsLoopback(""));
  CHECK_FALSE(IsLoopback("127.0.0.1"));
}

std::string Verdict(const AdminPolicy& policy, const Peer& peer) {
  return testing::Brief(policy.Check(peer));
}

TEST_CASE("loopback peers may administer") {
  CHECK(Verdict(AdminPolicy({}), {.locality = Peer::Locality::kLoopback}) == "OK");
}

TEST_CASE("other peers may administer only with a certificate name on the list") {
  AdminPolicy policy({"ops", "admin"});
  CHECK(Verdict(policy, {}) == "PERMISSION_DENIED PERMISSION_DENIED");
  CHECK(Verdict(policy, {.certificate_names = {"worker"}}) ==
        "PERMISSION_DENIED PERMISSION_DENIED");
  CHECK(Verdict(policy, {.certificate_names = {"worker", "admin"}}) == "OK");
  policy.SetNames({"worker"});
  CHECK(Verdict(policy, {.certificate_names = {"worker"}}) == "OK");
  CHECK(Verdict(policy, {.certificate_names = {"admin"}}) == "PERMISSION_DENIED PERMISSION_DENIED");
}

}  // namespace
}  // namespace tarn::server
