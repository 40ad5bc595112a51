// Starting, being asked to stop, and everything in between that concerns the process.
#include "tests/support/daemon.h"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include "tests/catch.h"
#include "tests/e2e/checkpoint_client.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/http_get.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

using Await = DaemonProcess::Options::Await;

std::string AnyEngine() { return GENERATE(std::string("memory"), std::string("rocksdb")); }

// Runs a daemon that is expected to end by itself; its exit code and log.
struct Ended {
  int code;
  std::string log;
};
Ended RunToEnd(const TempDir& dir, std::vector<std::string> arguments,
               std::map<std::string, std::string> environment = {}) {
  DaemonProcess daemon({.directory = dir.path(),
                        .arguments = std::move(arguments),
                        .environment = std::move(environment),
                        .await = Await::kNothing});
  const int code = daemon.Wait();
  return {code, daemon.FinalLog()};
}

bool Holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string Slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void Overwrite(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

TEST_CASE("a daemon serves, answers its pages, and stops with 0 when asked to") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", AnyEngine()}});
  CHECK(HttpGet(daemon.http(), "/readyz").status == 200);
  CHECK(HttpGet(daemon.http(), "/livez").status == 200);
  CHECK(HttpGet(daemon.http(), "/").content_type == "text/html; charset=utf-8");
  CHECK(HttpGet(daemon.http(), "/other").status == 404);
  CHECK(HttpGet(daemon.http(), "/readyz", "POST").status == 405);
  CHECK(HttpGet(daemon.http(), "/readyz", "HEAD").body.empty());
  CHECK(daemon.Stop() == 0);
  CHECK_FALSE(std::filesystem::exists(dir / "address"));
}

TEST_CASE("an interrupt stops it too") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  daemon.Signal(SIGINT);
  CHECK(daemon.Wait() == 0);
}

TEST_CASE("each start is another incarnation of the same store") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", AnyEngine()}});
  const auto info = [&] {
    RawClient client(daemon.grpc());
    v1::GetServerInfoResponse response;
    REQUIRE(client.Call(client.admin(), &v1::AdminService::Stub::GetServerInfo, {}, &response) ==
            "OK");
    return response;
  };
  const auto first = info();
  daemon.Kill();
  daemon.Start();
  CHECK(info().store_id() == first.store_id());
  CHECK(info().incarnation() == first.incarnation() + 1);
  CHECK(info().revision() > first.revision());
  CHECK(HttpGet(daemon.http(), "/readyz").status == 200);
}

TEST_CASE("the rocksdb engine keeps what was acknowledged over kill -9") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "rocksdb"}});
  REQUIRE(RawClient(daemon.grpc()).Put("k", "v") == "OK");
  daemon.Kill();
  daemon.Start();
  CHECK(RawClient(daemon.grpc()).Get("k") == "v");
}

TEST_CASE("a second daemon on a data directory names the first and changes nothing") {
  const TempDir dir;
  const std::string engine = AnyEngine();
  DaemonProcess first({.directory = dir.path(), .arguments = {"--engine", engine}});
  REQUIRE(RawClient(first.grpc()).Put("k", "v") == "OK");
  const std::string incarnation = Slurp(first.data_dir() + "/incarnation");
  const std::string lock = Slurp(first.data_dir() + "/LOCK");
  const TempDir other;
  const Ended second = RunToEnd(other, {"--engine", engine, "--data-dir", first.data_dir()});
  CHECK(second.code == 3);
  CHECK(Holds(second.log, "process " + std::to_string(first.pid())));
  CHECK(Slurp(first.data_dir() + "/incarnation") == incarnation);
  CHECK(Slurp(first.data_dir() + "/LOCK") == lock);
  CHECK(RawClient(first.grpc()).Get("k") == "v");
}

TEST_CASE("a taken port is an error that names it") {
  const TempDir dir;
  DaemonProcess first({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  const TempDir other;
  const Ended grpc = RunToEnd(other, {"--engine", "memory", "--listen", first.grpc()});
  CHECK(grpc.code == 6);
  CHECK(Holds(grpc.log, "cannot listen on " + first.grpc() + ": Address already in use"));
  const Ended http = RunToEnd(other, {"--engine", "memory", "--http-listen", first.http()});
  CHECK(http.code == 6);
  CHECK(Holds(http.log, "cannot listen on " + first.http() + " for HTTP"));
}

TEST_CASE("an address of another machine is an error that names it") {
  const TempDir dir;
  const Ended ended =
      RunToEnd(dir, {"--engine", "memory", "--listen", "198.51.100.1:0", "--insecure-listen"});
  CHECK(ended.code == 6);
  CHECK(Holds(ended.log, "cannot listen on 198.51.100.1:0: Cannot assign requested address"));
}

TEST_CASE("a Unix socket serves, and is not taken over while somebody answers on it") {
  const TempDir dir;
  const std::string address = "unix:" + (dir / "tarn.sock");
  DaemonProcess first(
      {.directory = dir.path(), .arguments = {"--engine", "memory", "--listen", address}});
  CHECK(first.grpc() == address);
  CHECK(RawClient(address).Put("k", "v") == "OK");
  const TempDir other;
  const Ended second = RunToEnd(other, {"--engine", "memory", "--listen", address});
  CHECK(second.code == 6);
  CHECK(Holds(second.log, "Address already in use"));
  CHECK(RawClient(address).Get("k") == "v");
  first.Kill();  // Leaves the socket's file behind.
  first.Start();
  CHECK(RawClient(address).Put("k", "v") == "OK");
}

TEST_CASE("a data directory of another engine is refused, and named") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "memory"}});
  CHECK(daemon.Stop() == 0);
  const Ended ended = RunToEnd(dir, {"--engine", "rocksdb"});
  CHECK(ended.code == 5);
  CHECK(Holds(ended.log, "memory"));
  CHECK(Holds(ended.log, daemon.data_dir()));
}

TEST_CASE("a data directory that lost its engine's files is refused, not begun anew") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "rocksdb"}});
  CHECK(daemon.Stop() == 0);
  std::filesystem::remove_all(daemon.data_dir() + "/rocksdb");
  const Ended ended = RunToEnd(dir, {"--engine", "rocksdb"});
  CHECK(ended.code == 5);
  CHECK(Holds(ended.log, daemon.data_dir()));
}

TEST_CASE("a damaged data directory is an error that names the file") {
  const std::string engine = AnyEngine();
  const std::string file =
      GENERATE(std::string("store"), std::string("incarnation"), std::string("clock"));
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", engine}});
  REQUIRE(RawClient(daemon.grpc()).Put("k", "v") == "OK");
  CHECK(daemon.Stop() == 0);
  const std::string path = daemon.data_dir() + "/" + file;
  const std::string whole = Slurp(path);
  const std::string damaged = "damaged" + whole.substr(7);
  Overwrite(path, damaged);
  const Ended ended = RunToEnd(dir, {"--engine", engine});
  CHECK(ended.code == 4);
  CHECK(Holds(ended.log, path));
  CHECK(Slurp(path) == damaged);
  Overwrite(path, whole);  // Nothing else was changed.
  daemon.Start();
  CHECK(RawClient(daemon.grpc()).Get("k") == "v");
}

TEST_CASE("a damaged file of the rocksdb engine is an error that names it") {
  const TempDir dir;
  DaemonProcess daemon({.directory = dir.path(), .arguments = {"--engine", "rocksdb"}});
  REQUIRE(RawClient(daemon.grpc()).Put("k", "v") == "OK");
  CHECK(daemon.Stop() == 0);
  std::map<std::string, std::string> whole;
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(daemon.data_dir() + "/rocksdb")) {
    if (file.path().filename().string().rfind("MANIFEST", 0) == 0)
      whole[file.path()] = Slurp(file.path());
  }
  REQUIRE(!whole.empty());
  for (const auto& [path, content] : whole) Overwrite(path, "damaged");
  const Ended ended = RunToEnd(dir, {"--engine", "rocksdb"});
  CHECK(ended.code == 4);
  CHECK(Holds(ended.log, "MANIFEST"));
  for (const auto& [path, content] : whole) Overwrite(path, content);  // Nothing else was changed.
  daemon.Start();
  CHECK(RawClient(daemon.grpc()).Get("k") == "v");
}

TEST_CASE("a data directory that cannot be made is an error that names it") {
  const TempDir dir;
  Overwrite(dir / "file", "");
  const Ended ended = RunToEnd(dir, {"--engine", "memory", "--data-dir", dir / "file" + "/below"});
  CHECK(ended.code == 1);
  CHECK(Holds(ended.log, dir / "file"));
}

// A scan that nobody reads holds up the drain.
class StuckScan {
 public:
  explicit StuckScan(const std::string& address) : client_(address) {
    const std::string value(1 << 20, 'v');
    for (int i = 0; i < 24; ++i) REQUIRE(client_.Put("k" + std::to_string(i), value) == "OK");
    context_ = client_.NewContext();
    reader_ = client_.state().Scan(context_.get(), {});
    v1::ScanResponse first;
    REQUIRE(reader_->Read(&first));
  }

  // Reads the rest.
  std::string Finish() {
    v1::ScanResponse response;
    while (reader_->Read(&response)) continue;
    return Brief(reader_->Finish());
  }

 private:
  RawClient client_;
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::ScanResponse>> reader_;
};

TEST_CASE("a draining server finishes what it began, and refuses what is new") {
  const TempDir dir;
  DaemonProcess daemon(
      {.directory = dir.path(), .arguments = {"--engine", "memory", "--drain-timeout", "20s"}});
  StuckScan scan(daemon.grpc());
  RawClient other(daemon.grpc());
  CHECK(other.Get("missing") == "(none)");
  daemon.Signal(SIGTERM);
  daemon.AwaitLog("draining");
  CHECK(HttpGet(daemon.http(), "/readyz").status == 503);
  CHECK(HttpGet(daemon.http(), "/readyz").body == "not ready: shutting down\n");
  CHECK(HttpGet(daemon.http(), "/livez").status == 200);
  CHECK(other.Get("missing") == "UNAVAILABLE DRAINING");
  CHECK(scan.Finish() == "OK");
  CHECK(daemon.Wait() == 0);
}

TEST_CASE("what does not end within the drain timeout is cut off") {
  const TempDir dir;
  DaemonProcess daemon(
      {.directory = dir.path(), .arguments = {"--engine", "memory", "--drain-timeout", "100ms"}});
  StuckScan scan(daemon.grpc());
  CHECK(daemon.Stop() == 0);
  CHECK(scan.Finish() != "OK");
}

TEST_CASE("a second signal stops at once") {
  const TempDir dir;
  DaemonProcess daemon(
      {.directory = dir.path(), .arguments = {"--engine", "memory", "--drain-timeout", "1h"}});
  const StuckScan scan(daemon.grpc());
  daemon.Signal(SIGTERM);
  daemon.AwaitLog("draining");
  daemon.Signal(SIGTERM);
  CHECK(daemon.Wait() == 7);
}

// Of the checkpoint that is being written, and of those that are published.
bool HoldsFileEnding(const std::string& directory, const std::string& ending) {
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    const std::string name = file.path().filename();
    if (name.size() > ending.size() &&
        name.compare(name.size() - ending.size(), ending.size(), ending) == 0)
      return true;
  }
  return false;
}

std::string NoiseOf(size_t bytes) {
  std::mt19937_64 random(Seed());
  std::string noise(bytes, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  return noise;
}

TEST_CASE(
    "a second signal gives up a final checkpoint that takes long, and a start is as before it") {
  const TempDir dir;
  // The strongest compression takes seconds for this much.
  DaemonProcess daemon(
      {.directory = dir.path(),
       .arguments = {"--engine", "memory", "--checkpoint-interval", "1h", "--checkpoint-codec",
                     "zstd:19", "--checkpoint-threads", "1"}});
  const std::string noise = NoiseOf(1 << 20);
  RawClient client(daemon.grpc());
  REQUIRE(client.Put("kept", "1") == "OK");
  const std::string kept = CheckpointClient(daemon.grpc()).Create();
  for (int i = 0; i < 48; ++i) REQUIRE(client.Put(std::to_string(i), noise) == "OK");
  const std::string checkpoints = daemon.data_dir() + "/checkpoints";
  daemon.Signal(SIGTERM);
  while (!HoldsFileEnding(checkpoints, ".ckpt.tmp")) std::this_thread::yield();
  daemon.Signal(SIGTERM);
  CHECK(daemon.Wait() == 7);
  daemon.Start();
  CHECK(RawClient(daemon.grpc()).All() == "kept=1");
  CHECK(CheckpointClient(daemon.grpc()).Ids() == std::vector<std::string>{kept});
  CHECK_FALSE(HoldsFileEnding(checkpoints, ".ckpt.tmp"));
}

TEST_CASE("SIGHUP takes over what may change, and says what may not") {
  const TempDir dir;
  const std::string config = dir / "tarn.toml";
  Overwrite(config, "log-level = \"info\"\nmax-scans = 100\n");
  DaemonProcess daemon(
      {.directory = dir.path(), .arguments = {"--engine", "memory", "--config", config}});
  Overwrite(config, "log-level = \"debug\"\nmax-scans = 99\n");
  daemon.Signal(SIGHUP);
  daemon.AwaitLog("reloaded log-level: info -> debug");
  daemon.AwaitLog("needs a restart: max-scans: 100 -> 99");
  Overwrite(config, "log-level = \"loud\"\n");
  daemon.Signal(SIGHUP);
  daemon.AwaitLog("not reloaded, all stays as it is: " + config +
                  ":1: log-level: \"loud\" is none of");
  Overwrite(config, "log-level = \"debug\"\nmax-scans = 100\n");
  daemon.Signal(SIGHUP);
  daemon.AwaitLog("reloaded: nothing has changed");
  CHECK(RawClient(daemon.grpc()).Put("k", "v") == "OK");
}

TEST_CASE("a wrong flag, variable or key is an error with exit code 2") {
  const TempDir dir;
  const Ended flag = RunToEnd(dir, {"--engin", "memory"});
  CHECK(flag.code == 2);
  CHECK(Holds(flag.log, "unknown option --engin: did you mean --engine?"));
  const Ended variable = RunToEnd(dir, {}, {{"TARN_ENGIN", "memory"}});
  CHECK(variable.code == 2);
  CHECK(Holds(variable.log, "unknown environment variable TARN_ENGIN: did you mean TARN_ENGINE?"));
  Overwrite(dir / "tarn.toml", "engin = \"memory\"\n");
  const Ended key = RunToEnd(dir, {"--config", dir / "tarn.toml"});
  CHECK(key.code == 2);
  CHECK(Holds(key.log, "tarn.toml:1: unknown key engin: did you mean engine?"));
  CHECK_FALSE(std::filesystem::exists(dir / "data"));
}

TEST_CASE("a malformed configuration file is an error that names the line, and nothing is begun") {
  const auto [text, complaint] = GENERATE(table<std::string, std::string>({
      {"engine = \"memory\"\nmax-scans\n", ", line 2: not of the form key = value"},
      {"[daemon]\n", ", line 1: there are no sections"},
      {"engine = \"memory\n", ", line 1: the quotes are not closed"},
      {"engine = \"memory\"\nengine = \"rocksdb\"\n", ", line 2: \"engine\" was set on line 1"},
      {"max-scans = \"many\"\n", ":1: max-scans: "},
      {"engine = \"disk\"\n", ":1: engine: \"disk\" is none of"},
      {"memory-limit = \"-1\"\n", ":1: memory-limit: "},
  }));
  const TempDir dir;
  Overwrite(dir / "tarn.toml", text);
  const Ended ended = RunToEnd(dir, {"--config", dir / "tarn.toml"});
  INFO(ended.log);
  CHECK(ended.code == 2);
  CHECK(Holds(ended.log, "tarn.toml" + complaint));
  CHECK_FALSE(std::filesystem::exists(dir / "data"));
}

TEST_CASE("a configuration file that is not there is an error that names it") {
  const TempDir dir;
  const Ended ended = RunToEnd(dir, {"--config", dir / "none.toml"});
  CHECK(ended.code == 2);
  CHECK(Holds(ended.log, dir / "none.toml"));
  CHECK_FALSE(std::filesystem::exists(dir / "data"));
}

TEST_CASE("listening beyond loopback without TLS needs to be asked for") {
  const TempDir dir;
  const Ended grpc = RunToEnd(dir, {"--engine", "memory", "--listen", "0.0.0.0:0"});
  CHECK(grpc.code == 2);
  CHECK(Holds(grpc.log, "--insecure-listen"));
  const Ended http = RunToEnd(dir, {"--engine", "memory", "--http-listen", "0.0.0.0:0"});
  CHECK(http.code == 2);
  CHECK(Holds(http.log, "--insecure-http-listen"));
  DaemonProcess daemon(
      {.directory = dir.path(),
       .arguments = {"--engine", "memory", "--listen", "0.0.0.0:0", "--insecure-listen",
                     "--http-listen", "0.0.0.0:0", "--insecure-http-listen"}});
  CHECK(RawClient(daemon.grpc()).Put("k", "v") == "OK");
}

TEST_CASE("the environment and the file configure as flags do, flags first") {
  const TempDir dir;
  Overwrite(dir / "tarn.toml",
            "engine = \"memory\"\nmax-key-size = 100\nmax-value-size = \"1KiB\"\n");
  DaemonProcess daemon({.directory = dir.path(),
                        .arguments = {"--max-batch-operations", "5"},
                        .environment = {{"TARN_CONFIG", dir / "tarn.toml"},
                                        {"TARN_MAX_KEY_SIZE", "200"},
                                        {"TARN_MAX_BATCH_OPERATIONS", "7"}}});
  RawClient client(daemon.grpc());
  v1::GetServerInfoResponse info;
  REQUIRE(client.Call(client.admin(), &v1::AdminService::Stub::GetServerInfo, {}, &info) == "OK");
  CHECK(info.engine() == "memory");
  CHECK(info.limits().max_value_bytes() == 1024);
  CHECK(info.limits().max_key_bytes() == 200);
  CHECK(info.limits().max_batch_operations() == 5);
}

TEST_CASE("--check-config and --print-config start nothing") {
  const TempDir dir;
  CHECK(RunToEnd(dir, {"--check-config"}).code == 0);
  CHECK(RunToEnd(dir, {"--check-config", "--listen", "nowhere"}).code == 2);
  const Ended url =
      RunToEnd(dir, {"--check-config", "--engine", "redis", "--redis-url", "http://x"});
  CHECK(url.code == 2);
  CHECK(Holds(url.log, "the Redis URL: it must begin with one of redis://"));
  const Ended print = RunToEnd(dir, {"--print-config", "--engine", "memory"});
  CHECK(print.code == 0);
  CHECK(Holds(print.log, "engine = \"memory\"  # --engine\n"));
  CHECK(Holds(print.log, "log-level = \"info\"  # default\n"));
  CHECK_FALSE(std::filesystem::exists(dir / "data"));
}

TEST_CASE("what --print-config prints is a configuration file") {
  const TempDir dir;
  Overwrite(dir / "tarn.toml", RunToEnd(dir, {"--print-config", "--max-scans", "77"}).log);
  const Ended again = RunToEnd(dir, {"--print-config", "--config", dir / "tarn.toml"});
  CHECK(again.code == 0);
  CHECK(Holds(again.log, "max-scans = 77  # " + (dir / "tarn.toml") + ":"));
}

}  // namespace
}  // namespace tarn::testing
