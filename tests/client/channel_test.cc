// Options that cannot work, addresses of every kind, TLS, and real time.
#include "client/src/channel.h"

#include <future>
#include <string>

#include "client/src/world.h"
#include "tarn/admin.h"
#include "tests/catch.h"
#include "tests/client/certificates.h"
#include "tests/client/fixture.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

absl::Status ConnectTo(const std::string& endpoint) {
  return Client::Connect({.endpoint = endpoint}).status();
}

TEST_CASE("an endpoint that names no place is refused at once") {
  for (const std::string endpoint : {"", "localhost", ":8276", "host:", "host:0", "host:65536",
                                     "host:port", "http://host:1", "unix:"}) {
    const absl::Status status = ConnectTo(endpoint);
    INFO(endpoint);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK(ReasonOf(status) == Reason::kInvalidOptions);
  }
  CHECK(AdminClient::Connect({.endpoint = "nowhere"}).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("an endpoint may be a name, an address of either kind, or a socket's path") {
  for (const std::string endpoint :
       {"127.0.0.1:8276", "localhost:1", "[::1]:65535", "unix:relative", "unix:/absolute"}) {
    INFO(endpoint);
    CHECK(ConnectTo(endpoint).ok());
  }
}

TEST_CASE("TLS files that are missing or do not go together are named") {
  const TempDir dir;
  const auto connect = [](TlsOptions tls) {
    return std::string(Client::Connect({.tls = std::move(tls)}).status().message());
  };
  CHECK(connect({.ca_file = dir / "no-ca"}).find("no-ca") != std::string::npos);
  CHECK(connect({.cert_file = dir / "c", .key_file = dir / "k"}).find("certificate") !=
        std::string::npos);
  CHECK(connect({.cert_file = dir / "c"}).find("go together") != std::string::npos);
  CHECK(connect({.key_file = dir / "k"}).find("go together") != std::string::npos);
}

TEST_CASE("a unix socket is an endpoint like another, present or not") {
  const TempDir dir;
  Fixture f;
  f.options.endpoint = "unix:" + (dir / "socket");
  CHECK(ReasonOf(f.MakeClient().Increment("k").status()) == Reason::kNotConnected);
  f.server.Stop();
  f.server.Start(f.options.endpoint);
  f.server.get.ThenAnswer();
  CHECK(f.MakeClient().Get("k").ok());
}

TEST_CASE("with TLS a client and a server that know each other talk") {
  const Certificates certificates;
  Fixture f;
  f.server.Stop();
  f.server.StartTls(certificates);
  f.server.get.ThenAnswer();
  f.options.retry_policy = std::make_shared<LimitedRetryPolicy>(0);
  f.options.endpoint = f.server.endpoint();
  f.options.tls = TlsOptions{.ca_file = certificates.ca(),
                             .cert_file = certificates.client_cert(),
                             .key_file = certificates.client_key()};
  SECTION("as it should be") { CHECK(f.MakeClient().Get("k").ok()); }
  SECTION("a client that shows no certificate is not let in") {
    f.options.tls->cert_file = f.options.tls->key_file = "";
    CHECK(f.MakeClient().Get("k").status().code() == absl::StatusCode::kUnavailable);
  }
  SECTION("a client does not talk to a server that another authority vouches for") {
    f.options.tls->ca_file = certificates.other_ca();
    CHECK(f.MakeClient().Get("k").status().code() == absl::StatusCode::kUnavailable);
  }
  SECTION("a client does not talk to a server of another name") {
    f.options.tls->server_name = "elsewhere.example";
    CHECK(f.MakeClient().Get("k").status().code() == absl::StatusCode::kUnavailable);
  }
  SECTION("the name to expect can be given") {
    f.options.tls->server_name = "tarn.test";
    CHECK(f.MakeClient().Get("k").ok());
  }
  SECTION("a client without TLS is not understood") {
    f.options.tls.reset();
    CHECK_FALSE(f.MakeClient().Get("k").ok());
  }
}

TEST_CASE("a timer runs its task once, and not at all when it was cancelled before") {
  const internal::World world = internal::RealWorld();
  std::promise<void> ran;
  std::atomic<int> cancelled_runs{0};
  const auto cancelled = world.timers->After(std::chrono::hours(1), [&] { ++cancelled_runs; });
  cancelled->Cancel();
  const auto timer = world.timers->After(milliseconds(1), [&] { ran.set_value(); });
  ran.get_future().wait();
  timer->Cancel();  // Too late, and harmless.
  CHECK(cancelled_runs == 0);
}

TEST_CASE("real sleep takes the time it is told") {
  const internal::World world = internal::RealWorld();
  const auto before = world.now();
  world.sleep(milliseconds(2));
  CHECK(world.now() - before >= milliseconds(2));
}

TEST_CASE("a timeout longer than time itself is none") {
  const FakeWorld fake;
  CHECK(internal::DeadlineAfter(kNoTimeout, fake.world()) == internal::TimePoint::max());
  CHECK(internal::DeadlineAfter(seconds(1), fake.world()) == fake.timers->now() + seconds(1));
}

}  // namespace
}  // namespace tarn::testing
