// Commands on one key.
#include <string>

#include "tests/catch.h"
#include "tests/client/cli/terminal.h"

namespace tarn::cli {
namespace {

TEST_CASE("get prints the bytes of the value and a newline, or the bytes alone") {
  Terminal t;
  const std::string value("a\0\xff\n", 4);
  REQUIRE(t.Run({"put", "k", "-x"}, value).code == 0);
  CHECK(t.Run({"get", "k"}).out == value + "\n");
  CHECK(t.Run({"get", "k", "--raw"}).out == value);
  CHECK(t.Run({"get", "k", "--raw", "-w", "json"}).out == value);
}

TEST_CASE("a missing key exits 4 and prints nothing on stdout") {
  Terminal t;
  for (const std::string command : {"get", "take"}) {
    const Outcome missing = t.Run({command, "k"});
    CHECK(missing.code == 4);
    CHECK(missing.out.empty());
  }
  CHECK(t.Run({"touch", "k", "--ttl", "1s"}).code == 4);
}

TEST_CASE("what changes an entry prints the one number a script wants") {
  Terminal t;
  const Outcome put = t.Run({"put", "k", "v"});
  CHECK(put.code == 0);
  CHECK(std::stoull(put.out) > 0);
  CHECK(t.Run({"append", "k", "alue"}).out == "5\n");
  CHECK(t.Run({"get", "k"}).out == "value\n");
  CHECK(t.Run({"take", "k"}).out == "value\n");
  CHECK(t.Run({"del", "k"}).out == "0\n");
  CHECK(t.Run({"incr", "n"}).out == "1\n");
  CHECK(t.Run({"incr", "n", "41"}).out == "42\n");
  CHECK(t.Run({"incr", "n", "-2"}).out == "40\n");
  CHECK(t.Run({"incr", "n", "--", "-50"}).out == "-10\n");
  CHECK(std::stoull(t.Run({"touch", "n", "--ttl", "never"}).out) > 0);
  CHECK(t.Run({"del", "n"}).out == "1\n");
}

TEST_CASE("a lifetime is kept, and may be none") {
  Terminal t;
  REQUIRE(t.Run({"put", "k", "v", "--ttl", "5s"}).code == 0);
  CHECK(Says(t.Run({"get", "k", "-w", "json"}).out, R"("expire_time":"2020-01-01T00:00:05.000Z")"));
  REQUIRE(t.Run({"touch", "k", "--ttl", "never"}).code == 0);
  CHECK_FALSE(Says(t.Run({"get", "k", "-w", "json"}).out, "expire_time"));
  REQUIRE(t.Run({"touch", "k", "--ttl", "1h30m"}).code == 0);
  t.store->AdvanceTime(std::chrono::minutes(90));
  CHECK(t.Run({"get", "k"}).code == 4);
}

TEST_CASE("a lost race exits 3 and gives its reason on stderr") {
  Terminal t;
  const std::string revision = t.Run({"put", "k", "v"}).out;
  const Outcome exists = t.Run({"put", "k", "w", "--if-absent"});
  CHECK(exists.code == 3);
  CHECK(exists.out.empty());
  CHECK(Says(exists.err, "ALREADY_EXISTS"));
  CHECK(Says(t.Run({"put", "k", "w", "--if-revision", "7"}).err, "REVISION_MISMATCH"));
  CHECK(t.Run({"put", "k", "w", "--if-revision", revision.substr(0, revision.size() - 1)}).code ==
        0);
  CHECK(t.Run({"put", "new", "w", "--if-present"}).code == 3);
  CHECK(t.Run({"del", "k", "--if-revision", "7"}).code == 3);
  CHECK(t.Run({"get", "k"}).out == "w\n");
}

TEST_CASE("with --hex keys and values are hexadecimal both ways") {
  Terminal t;
  REQUIRE(t.Run({"--hex", "put", "00ff", "0a"}).code == 0);
  CHECK(t.Run({"--hex", "get", "00FF"}).out == "0a\n");
  CHECK(Says(t.Run({"--hex", "-w", "json", "get", "00ff"}).out,
             R"("key_hex":"00ff","value_hex":"0a")"));
  const Outcome bad = t.Run({"--hex", "get", "0"});
  CHECK(bad.code == 2);
  CHECK(Says(bad.err, "hexadecimal"));
  CHECK(t.Run({"--hex", "put", "00", "xx"}).code == 2);
  // What comes from stdin is bytes in any case.
  REQUIRE(t.Run({"--hex", "put", "00", "-x"}, "raw").code == 0);
  CHECK(t.Run({"--hex", "get", "00"}).out == "726177\n");
}

TEST_CASE("a table escapes what is not printable, JSON encodes what is not text") {
  Terminal t;
  REQUIRE(t.Run({"put", "k", "-x"}, "\xff\x01").code == 0);
  const std::string table = t.Run({"-w", "table", "get", "k"}).out;
  CHECK(Says(table, "KEY"));
  CHECK(Says(table, "\\xff\\x01"));
  CHECK(Says(t.Run({"-w", "json", "get", "k"}).out,
             R"({"key":"k","value_base64":"/wE=","revision":")"));
}

TEST_CASE("a namespace and an endpoint are taken from where they stand") {
  Terminal t;
  REQUIRE(t.Run({"-n", "app", "--endpoint", "unix:/x", "put", "k", "v"}).code == 0);
  CHECK(t.seen.endpoint == "unix:/x");
  CHECK(t.seen.ns == "app");
  CHECK(t.Run({"get", "k"}).code == 4);
  CHECK(t.Run({"get", "k", "-n", "app"}).out == "v\n");
}

TEST_CASE("each call passes its error on") {
  for (const auto& [call, arguments] :
       std::vector<std::pair<std::string, std::vector<std::string>>>{
           {"Get", {"get", "k"}},
           {"Put", {"put", "k", "v"}},
           {"Delete", {"del", "k"}},
           {"Take", {"take", "k"}},
           {"Increment", {"incr", "k"}},
           {"Append", {"append", "k", "v"}},
           {"Touch", {"touch", "k", "--ttl", "1s"}}}) {
    Terminal t;
    t.store->FailNext(call, MakeError(absl::StatusCode::kDataLoss, Reason::kDataLoss, "rotten"));
    const Outcome failed = t.Run(arguments);
    CHECK(failed.code == 5);
    CHECK(failed.out.empty());
    CHECK(Says(failed.err, "tarnctl: " + arguments[0] + ": DATA_LOSS, DATA_LOSS: rotten"));
  }
}

TEST_CASE("a command line that makes no sense exits 2 and says why") {
  Terminal t;
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"steal", "k"},
                                             {"get"},
                                             {"get", "a", "b"},
                                             {"put", "k"},
                                             {"put", "k", "v", "-x"},
                                             {"put", "k", "v", "--ttl", "5"},
                                             {"put", "k", "v", "--ttl", "-5s"},
                                             {"put", "k", "v", "--if-absent", "--if-revision", "1"},
                                             {"put", "k", "v", "--if-revision", "0"},
                                             {"touch", "k"},
                                             {"incr", "k", "x"},
                                             {"get", "k", "-w", "xml"},
                                             {"get", "k", "--timeout", "soon"}}) {
    const Outcome refused = t.Run(arguments);
    INFO(refused.err);
    CHECK(refused.code == 2);
    CHECK(refused.out.empty());
    CHECK_FALSE(refused.err.empty());
  }
}

TEST_CASE("help and version are asked for, and so they are on stdout") {
  Terminal t;
  const Outcome help = t.Run({"--help"});
  CHECK(help.code == 0);
  for (const ExitCodeMeaning& one : kExitCodes) CHECK(Says(help.out, one.meaning));
  CHECK(t.Run({"put", "--help"}).code == 0);
  CHECK(Says(t.Run({"--version"}).out, "tarnctl 0."));
}

TEST_CASE("TLS is used when something of it is named") {
  Terminal t;
  t.Run({"get", "k"});
  CHECK_FALSE(t.seen.tls.has_value());
  t.Run({"--tls", "get", "k"});
  CHECK(t.seen.tls.has_value());
  t.Run({"--tls-ca", "ca", "--tls-cert", "cert", "--tls-key", "key", "--tls-server-name", "name",
         "get", "k"});
  REQUIRE(t.seen.tls.has_value());
  CHECK((t.seen.tls->ca_file == "ca" && t.seen.tls->cert_file == "cert"));
  CHECK((t.seen.tls->key_file == "key" && t.seen.tls->server_name == "name"));
  t.Run({"--tls-server-name", "name", "get", "k"});
  CHECK(t.seen.tls.has_value());
}

TEST_CASE("a failed call is repeated as often as was said") {
  const auto repetitions = [](const std::vector<std::string>& arguments) {
    Terminal t;
    t.Run(arguments);
    const auto policy = t.seen.retry_policy->Clone();
    int count = 0;
    while (policy->OnFailure(absl::UnavailableError(""))) ++count;
    return count;
  };
  CHECK(repetitions({"get", "k"}) == 3);
  CHECK(repetitions({"--retries", "7", "get", "k"}) == 7);
  CHECK(repetitions({"get", "k", "--retries", "0"}) == 0);
  CHECK(Terminal().Run({"get", "k", "--retries", "-1"}).code == 2);
}

}  // namespace
}  // namespace tarn::cli
