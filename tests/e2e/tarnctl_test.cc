// tarnctl against a real daemon: what scripts rely on.
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/client/certificates.h"
#include "tests/e2e/tarnctl_shell.h"

namespace tarn::cli {
namespace {

// The program itself, as a shell runs it: what it prints on stdout, and its exit code.
Outcome RunProgram(const std::string& arguments) {
  const char* const directory = std::getenv("TARN_BIN_DIR");
  if (directory == nullptr) throw std::runtime_error("TARN_BIN_DIR is not set: run through ctest");
  const std::string command = std::string(directory) + "/tarnctl " + arguments;
  std::FILE* const output = popen(command.c_str(), "r");
  if (output == nullptr) throw std::runtime_error("cannot run " + command);
  std::string out;
  for (int c = std::fgetc(output); c != EOF; c = std::fgetc(output)) out += static_cast<char>(c);
  return {WEXITSTATUS(pclose(output)), out, ""};
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

TEST_CASE("the program itself ends with the code of its command, and reads stdin") {
  Shell shell;
  const std::string to_daemon = "--endpoint " + shell.daemon().grpc() + " ";
  CHECK(RunProgram(to_daemon + "put -x k </dev/null 2>/dev/null").code == 0);
  CHECK(RunProgram(to_daemon + "append k v 2>/dev/null").code == 0);
  CHECK(RunProgram(to_daemon + "get k").out == "v\n");
  const Outcome missing = RunProgram(to_daemon + "get missing 2>/dev/null");
  CHECK(missing.code == 4);
  CHECK(missing.out.empty());
  CHECK(RunProgram(to_daemon + "put k w --if-absent 2>/dev/null").code == 3);
  CHECK(RunProgram("--bogus 2>/dev/null").code == 2);
}

TEST_CASE("with mutual TLS the flags name what to trust and what to show") {
  const testing::Certificates certificates;
  Shell shell({"--tls-cert", certificates.server_cert(), "--tls-key", certificates.server_key(),
               "--tls-client-ca", certificates.ca()});
  CHECK(shell
            .Run({"--tls-ca", certificates.ca(), "--tls-cert", certificates.client_cert(),
                  "--tls-key", certificates.client_key(), "put", "k", "v"})
            .code == 0);
  const std::vector<std::string> no_time = {"--timeout", "500ms", "--retries", "0"};
  const auto unavailable = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), no_time.begin(), no_time.end());
    arguments.insert(arguments.end(), {"get", "k"});
    return shell.Run(arguments).code == 6;
  };
  CHECK(unavailable({"--tls-ca", certificates.ca()}));
  CHECK(unavailable({"--tls-ca", certificates.other_ca()}));
  CHECK(unavailable({}));
}

TEST_CASE("health tells a server that serves from one that is not there") {
  Shell shell;
  CHECK(shell.Run({"server", "health"}).out == "SERVING\n");
  shell.daemon().Stop();
  CHECK(shell.Run({"--timeout", "300ms", "server", "health"}).code == 6);
}

}  // namespace
}  // namespace tarn::cli
