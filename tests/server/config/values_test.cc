#include "server/config/values.h"

#include "tests/catch.h"

namespace tarn::server {
namespace {

template <typename T>
std::string Message(const absl::StatusOr<T>& result) {
  return result.ok() ? "OK" : std::string(result.status().message());
}

TEST_CASE("sizes are bytes with or without a unit") {
  CHECK(*ParseSize("0") == 0);
  CHECK(*ParseSize("4096") == 4096);
  CHECK(*ParseSize("10B") == 10);
  CHECK(*ParseSize("64KiB") == 64 << 10);
  CHECK(*ParseSize("512 MiB") == 512 << 20);
  CHECK(*ParseSize("2GiB") == uint64_t{2} << 30);
  CHECK(*ParseSize("1TiB") == uint64_t{1} << 40);
  CHECK(*ParseSize("3kB") == 3000);
  CHECK(*ParseSize("3KB") == 3000);
  CHECK(*ParseSize("5MB") == 5'000'000);
  CHECK(*ParseSize("5GB") == 5'000'000'000);
  CHECK(*ParseSize("5TB") == 5'000'000'000'000);
}

TEST_CASE("what is not a size is refused, with an example") {
  for (const char* wrong : {"", "MiB", "12XB", "-1", "1.5GiB", "0x10", "12 34", "lots"}) {
    INFO(wrong);
    CHECK(Message(ParseSize(wrong)) ==
          "\"" + std::string(wrong) + "\" is not a size such as 4096, 64KiB, 512MiB or 2GiB");
  }
  CHECK(Message(ParseSize("99999999TiB")) == "\"99999999TiB\" is not a size below 8 EiB");
  CHECK_FALSE(ParseSize("99999999999999999999").ok());
}

TEST_CASE("a size is shown in the largest unit that divides it") {
  CHECK(ShowSize(0) == "0");
  CHECK(ShowSize(1000) == "1000");
  CHECK(ShowSize(4096) == "4KiB");
  CHECK(ShowSize(3 << 20) == "3MiB");
  CHECK(ShowSize(uint64_t{7} << 30) == "7GiB");
  CHECK(ShowSize((1 << 20) + 1) == "1048577");
}

TEST_CASE("durations have units") {
  CHECK(*ParseDuration("500ms") == absl::Milliseconds(500));
  CHECK(*ParseDuration("10s") == absl::Seconds(10));
  CHECK(*ParseDuration("1m30s") == absl::Seconds(90));
  CHECK(*ParseDuration("0") == absl::ZeroDuration());
  for (const char* wrong : {"", "10", "-1s", "inf", "soon", "1d"}) {
    INFO(wrong);
    CHECK(Message(ParseDuration(wrong)) ==
          "\"" + std::string(wrong) + "\" is not a duration such as 500ms, 10s, 5m or 1h30m");
  }
  CHECK(ShowDuration(absl::Seconds(90)) == "90s");
  CHECK(ShowDuration(absl::Milliseconds(1500)) == "1500ms");
}

TEST_CASE("switches are on or off") {
  for (const char* on : {"true", "1", "on", "yes", "TRUE"}) CHECK(*ParseSwitch(on));
  for (const char* off : {"false", "0", "off", "no"}) CHECK_FALSE(*ParseSwitch(off));
  CHECK(Message(ParseSwitch("maybe")) == "\"maybe\" is not true or false");
}

TEST_CASE("lists are names between commas") {
  CHECK(ParseList("").empty());
  CHECK(ParseList("a") == std::vector<std::string>{"a"});
  CHECK(ParseList(" a , b,,c ") == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("addresses are host and port, or a socket's path") {
  const ListenAddress ipv4 = *ParseListenAddress("127.0.0.1:8276");
  CHECK(ipv4.host == "127.0.0.1");
  CHECK(ipv4.port == 8276);
  const ListenAddress ipv6 = *ParseListenAddress("[::1]:0");
  CHECK(ipv6.host == "::1");
  CHECK(ipv6.port == 0);
  CHECK(ParseListenAddress("unix:/run/tarn.sock")->unix_path == "/run/tarn.sock");
  for (const char* wrong : {"", "localhost", ":80", "host:", "host:x", "host:65536", "host:-1",
                            "::1:80", "[::1:80", "::1]:80", "unix:"}) {
    INFO(wrong);
    CHECK_FALSE(ParseListenAddress(wrong).ok());
  }
}

TEST_CASE("only this machine's own addresses are loopback") {
  for (const char* own : {"127.0.0.1:1", "127.1.2.3:1", "localhost:1", "[::1]:1", "unix:x"}) {
    INFO(own);
    CHECK(ParseListenAddress(own)->IsLoopback());
  }
  for (const char* other : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1"}) {
    INFO(other);
    CHECK_FALSE(ParseListenAddress(other)->IsLoopback());
  }
}

TEST_CASE("the nearest word is the one meant, unless none is near") {
  const std::vector<std::string> words = {"engine", "listen", "data-dir"};
  CHECK(Nearest("engin", words) == "engine");
  CHECK(Nearest("lisetn", words) == "listen");
  CHECK(Nearest("datadir", words) == "data-dir");
  CHECK(Nearest("zzzzzz", words).empty());
}

}  // namespace
}  // namespace tarn::server
