// tarnctl against a real daemon: what scripts rely on.
#include <sstream>
#include <string>
#include <vector>

#include "client/cli/app.h"
#include "tests/catch.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::cli {
namespace {

// What a command printed, and how it ended.
struct Outcome {
  int code;
  std::string out;
  std::string err;
};

// A daemon, and tarnctl with nothing around it.
class Shell {
 public:
  Outcome Run(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--endpoint", daemon_.grpc()});
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    Environment env{
        .in = in,
        .out = out,
        .err = err,
        .connect = [](const ClientOptions& options) { return Client::Connect(options); },
        .connect_admin = [](const ClientOptions& options) { return AdminClient::Connect(options); },
        .connect_checkpoints =
            [](const ClientOptions& options) { return CheckpointClient::Connect(options); },
        .connect_jobs = [](const ClientOptions& options) { return JobClient::Connect(options); },
        .now = [] { return std::chrono::steady_clock::now(); },
        .wait = [](std::chrono::milliseconds) {},
        .interrupted = [] { return false; },
    };
    const ExitCode code = RunTarnctl(arguments, env);
    return {static_cast<int>(code), out.str(), err.str()};
  }

  testing::DaemonProcess& daemon() { return daemon_; }

 private:
  testing::TempDir dir_;
  testing::DaemonProcess daemon_{{.directory = dir_.path(), .arguments = {"--engine", "memory"}}};
};

bool Says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("what is put can be got") {
  Shell shell;
  CHECK(shell.Run({"put", "k", "v", "--ttl", "1h"}).code == 0);
  const Outcome got = shell.Run({"get", "k"});
  CHECK(got.code == 0);
  CHECK(got.out == "v\n");
}

TEST_CASE("a missing key exits 4 and prints nothing on stdout") {
  Shell shell;
  for (const char* command : {"get", "take"}) {
    const Outcome outcome = shell.Run({command, "nothing"});
    CHECK(outcome.code == 4);
    CHECK(outcome.out.empty());
  }
}

TEST_CASE("a lost race exits 3, with its reason on stderr") {
  Shell shell;
  shell.Run({"put", "k", "v"});
  const Outcome absent = shell.Run({"put", "k", "w", "--if-absent"});
  CHECK(absent.code == 3);
  CHECK(Says(absent.err, "ALREADY_EXISTS"));
  const Outcome revision = shell.Run({"put", "k", "w", "--if-revision", "1"});
  CHECK(revision.code == 3);
  CHECK(Says(revision.err, "REVISION_MISMATCH"));
  CHECK(shell.Run({"get", "k"}).out == "v\n");
}

TEST_CASE("put prints the revision that --if-revision takes") {
  Shell shell;
  std::string revision = shell.Run({"put", "k", "v"}).out;
  revision.pop_back();
  CHECK(shell.Run({"put", "k", "w", "--if-revision", revision}).code == 0);
}

TEST_CASE("values come from stdin byte by byte") {
  Shell shell;
  const std::string bytes("a\0\n\xff", 4);
  CHECK(shell.Run({"put", "k", "-x"}, bytes).code == 0);
  CHECK(shell.Run({"get", "k", "--raw"}).out == bytes);
}

TEST_CASE("scans go both ways, within bounds") {
  Shell shell;
  for (const char* key : {"a1", "a2", "a3", "b1"}) shell.Run({"put", key, "v"});
  CHECK(shell.Run({"scan", "--prefix", "a", "--keys-only"}).out == "a1\na2\na3\n");
  CHECK(shell.Run({"scan", "--reverse", "--limit", "2", "--keys-only"}).out == "b1\na3\n");
  CHECK(shell.Run({"count"}).out == "4\n");
  CHECK(shell.Run({"clear", "--prefix", "a"}).out == "3\n");
  CHECK(shell.Run({"count"}).out == "1\n");
}

TEST_CASE("clearing everything has to be said") {
  Shell shell;
  shell.Run({"put", "k", "v"});
  CHECK(shell.Run({"clear"}).code == 2);
  CHECK(shell.Run({"count"}).out == "1\n");
}

TEST_CASE("integers add up") {
  Shell shell;
  CHECK(shell.Run({"incr", "n"}).out == "1\n");
  CHECK(shell.Run({"incr", "n", "41"}).out == "42\n");
  CHECK(shell.Run({"incr", "n", "-2"}).out == "40\n");
}

TEST_CASE("namespaces keep keys apart") {
  Shell shell;
  shell.Run({"-n", "one", "put", "k", "v"});
  CHECK(shell.Run({"-n", "two", "get", "k"}).code == 4);
  CHECK(shell.Run({"-n", "one", "get", "k"}).out == "v\n");
  CHECK(shell.Run({"ns", "show", "three"}).code == 4);
}

TEST_CASE("a batch is read from stdin") {
  Shell shell;
  CHECK(shell.Run({"batch"}, "put a 1\nput b 2\nincr n 3\n").code == 0);
  CHECK(shell.Run({"get", "n"}).out == "3\n");
  CHECK(shell.Run({"batch"}, "nonsense\n").code == 2);
}

TEST_CASE("a wrong command line exits 2 and says what is wrong") {
  Shell shell;
  CHECK(Says(shell.Run({"frobnicate"}).err, "unknown command 'frobnicate'"));
  CHECK(shell.Run({"get", "k", "--bogus"}).code == 2);
  CHECK(shell.Run({"put", "k", "v", "--ttl", "soon"}).code == 2);
  CHECK(shell.Run({"get"}).code == 2);
  CHECK(shell.Run({"--help"}).code == 0);
}

TEST_CASE("health tells a server that serves from one that is not there") {
  Shell shell;
  CHECK(shell.Run({"server", "health"}).out == "SERVING\n");
  shell.daemon().Stop();
  CHECK(shell.Run({"--timeout", "300ms", "server", "health"}).code == 6);
}

}  // namespace
}  // namespace tarn::cli
