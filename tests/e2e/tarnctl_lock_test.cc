// tarnctl lock against a real daemon, as the process that it is.
#include <signal.h>

#include "tests/catch.h"
#include "tests/client/examples/process.h"
#include "tests/e2e/tarnctl_shell.h"

namespace tarn::cli {
namespace {

using window_demo::Process;

Process Under(Shell& shell, const std::string& script) {
  return Process("tarnctl", {"--endpoint", shell.daemon().grpc(), "lock", "l", "--ttl", "15s",
                             "--holder", "me", "--", "sh", "-c", script});
}

// Without its end.
std::string NextLine(Process& process) {
  std::string line = process.NextLine().value_or("none\n");
  line.pop_back();
  return line;
}

TEST_CASE("a command holds the lock while it runs, and its fenced writes land") {
  Shell shell;
  const Outcome ran = shell.Run({"lock", "l", "--", "sh", "-c", "exit 5"});
  CHECK(ran.code == 5);
  CHECK(Says(shell.Line({"lock", "get", "l"}), "held:         no"));
  Process holder = Under(shell, "echo $TARN_LOCK_TOKEN; exec sleep 1000");
  const std::string token = NextLine(holder);
  CHECK(shell.Line({"lock", "list"}) == "l\tme\t" + token);
  CHECK(shell.Run({"lock", "l", "--wait", "1ms", "--", "true"}).code == 3);
  CHECK(shell.Line({"lock", "release", "l", "--force"}) == "l\tme\t" + token);
  CHECK(holder.Wait() == 3);
}

TEST_CASE("a group is joined, and each who joins fences those before") {
  Shell shell({"--engine", "rocksdb"});
  const std::string first = shell.Line({"group", "join", "workers", "a"});
  CHECK(shell.Line({"group", "list"}) == "workers\ta\t" + first);
  const std::string second = shell.Line({"group", "join", "workers", "b"});
  CHECK(std::stoull(second) > std::stoull(first));
  CHECK(Says(shell.Line({"group", "get", "workers"}), "epoch:     " + second));
  CHECK(shell.Line({"-n", "others", "group", "list"}).empty());
  shell.daemon().Kill();
  shell.daemon().Start();
  CHECK(shell.Line({"group", "list"}) == "workers\tb\t" + second);
  CHECK(shell.Run({"group", "delete", "workers"}).code == 0);
  CHECK(shell.Line({"group", "list"}).empty());
  CHECK(std::stoull(shell.Line({"group", "join", "workers", "c"})) > std::stoull(second));
}

TEST_CASE("signals go to the command, and its end is tarnctl's") {
  Shell shell;
  Process holder =
      Under(shell, "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.05; done");
  CHECK(NextLine(holder) == "ready");
  holder.Signal(SIGTERM);
  CHECK(NextLine(holder) == "got it");
  CHECK(holder.Wait() == 9);
  CHECK(Says(shell.Line({"lock", "get", "l"}), "held:         no"));
}

}  // namespace
}  // namespace tarn::cli
