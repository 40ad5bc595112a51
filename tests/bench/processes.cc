#include "tests/bench/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/own_port.h"

namespace tarn::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kStartTimeout = std::chrono::seconds(60);
constexpr auto kPollInterval = std::chrono::microseconds(200);

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "tarn-bench: " << what << "\n";
  std::exit(1);
}

std::string MakeDirectory() {
  std::string path = (fs::temp_directory_path() / "tarn-bench-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr)
    Fail("cannot make a directory in " + fs::temp_directory_path().string());
  return path;
}

std::string Content(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

bool Accepts(const std::string& socket_path) {
  const int handle = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const bool connected =
      connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  close(handle);
  return connected;
}

// Without the variables that tarnd would take for options.
std::vector<char*> CleanEnvironment() {
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::string_view(*variable).substr(0, 5) != "TARN_") variables.push_back(*variable);
  }
  variables.push_back(nullptr);
  return variables;
}

// How a server shows that it serves: by a line with this prefix and its port or address, in a file
// of its directory or on stdout; or by its Unix socket of that name there.
struct Sign {
  std::string prefix;
  std::string socket;
};

class SpawnedServer : public ServerProcess {
 public:
  // Of `arguments`, "{}" stands for the directory.
  SpawnedServer(std::vector<std::string> arguments, Sign sign)
      : directory_(MakeDirectory()), sign_(std::move(sign)), started_(Clock::now()) {
    for (std::string& argument : arguments) {
      if (const size_t at = argument.find("{}"); at != std::string::npos)
        argument.replace(at, 2, directory_);
    }
    Spawn(arguments);
    WaitUntilReady();
  }

  ~SpawnedServer() override {
    close(stdin_);
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    fs::remove_all(directory_);
  }

  std::string endpoint() const override { return endpoint_; }
  double ready_ms() const override { return ready_ms_; }
  size_t ResidentBytes() const override {
    std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
    size_t total = 0;
    size_t resident = 0;
    statm >> total >> resident;
    return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
  }
  double CpuSeconds() const override {
    std::ifstream stat("/proc/" + std::to_string(pid_) + "/stat");
    std::string field;
    long ticks = 0;
    for (int i = 1; i <= kSystemTimeField && stat >> field; ++i) {
      if (i >= kUserTimeField) ticks += std::stol(field);
    }
    return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  double MainThreadSeconds() const override {
    std::ifstream schedstat("/proc/" + std::to_string(pid_) + "/schedstat");
    double nanos = 0;
    if (!(schedstat >> nanos)) Fail("/proc/PID/schedstat does not tell how long a process ran");
    return nanos / 1e9;
  }

 private:
  // Of /proc/PID/stat, in clock ticks; see proc(5). The program's name has no spaces.
  static constexpr int kUserTimeField = 14;
  static constexpr int kSystemTimeField = 15;

  std::string AddressFile() const { return directory_ + "/address"; }

  void Spawn(const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) != 0) Fail("cannot make a pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[0], STDIN_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, (AddressFile() + ".stdout").c_str(),
                                     O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, (directory_ + "/stderr").c_str(),
                                     O_WRONLY | O_CREAT, 0600);
    const int error =
        posix_spawnp(&pid_, argv[0], &actions, nullptr, argv.data(), CleanEnvironment().data());
    posix_spawn_file_actions_destroy(&actions);
    close(pipe[0]);
    stdin_ = pipe[1];
    if (error != 0) Fail("cannot start " + arguments[0]);
  }

  void WaitUntilReady() {
    while (!ReadEndpoint()) {
      if (waitpid(pid_, nullptr, WNOHANG) != 0 || Clock::now() - started_ > kStartTimeout) {
        Fail("a server did not start: " + Content(directory_ + "/stderr"));
      }
      std::this_thread::sleep_for(kPollInterval);
    }
    ready_ms_ = std::chrono::duration<double, std::milli>(Clock::now() - started_).count();
  }

  // The line that begins with the prefix, once it is complete.
  bool ReadEndpoint() {
    if (!sign_.socket.empty()) {
      endpoint_ = directory_ + "/" + sign_.socket;
      return Accepts(endpoint_);
    }
    for (const std::string& path : {AddressFile(), AddressFile() + ".stdout"}) {
      std::istringstream lines(Content(path));
      for (std::string line; std::getline(lines, line) && !lines.eof();) {
        if (line.rfind(sign_.prefix, 0) != 0) continue;
        endpoint_ = line.substr(sign_.prefix.size());
        if (endpoint_.find(':') == std::string::npos) endpoint_ = "127.0.0.1:" + endpoint_;
        return true;
      }
    }
    return false;
  }

  const std::string directory_;
  const Sign sign_;
  const Clock::time_point started_;
  pid_t pid_ = -1;
  int stdin_ = -1;
  std::string endpoint_;
  double ready_ms_ = 0;
};

class SpawnedRedis final : public SpawnedServer {
 public:
  explicit SpawnedRedis(testing::OwnPort port)
      : SpawnedServer(
            {"redis-server", "--bind", "127.0.0.1", "--port", std::to_string(port.number()),
             "--unixsocket", "{}/redis.sock", "--dir", "{}", "--save", "", "--appendonly", "no"},
            Sign{.socket = "redis.sock"}),
        port_(std::move(port)) {}

  std::string endpoint() const override { return "127.0.0.1:" + std::to_string(port_.number()); }

 private:
  const testing::OwnPort port_;
};

}  // namespace

std::unique_ptr<ServerProcess> StartEchoServer() {
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  return std::make_unique<SpawnedServer>(std::vector<std::string>{self, "echo-server"}, Sign{});
}

std::unique_ptr<ServerProcess> StartTarnd(const std::string& program, const std::string& engine,
                                          const std::vector<std::string>& more_arguments) {
  std::vector<std::string> arguments = {program,       "--engine",
                                        engine,        "--data-dir",
                                        "{}/data",     "--listen",
                                        "127.0.0.1:0", "--http-listen",
                                        "127.0.0.1:0", "--address-file",
                                        "{}/address",  "--log-level",
                                        "warning",     "--checkpoint-interval",
                                        "0s"};
  arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
  return std::make_unique<SpawnedServer>(std::move(arguments), Sign{.prefix = "grpc="});
}

std::unique_ptr<ServerProcess> StartRedis() {
  return std::make_unique<SpawnedRedis>(testing::OwnPort());
}

std::string ProgramBeside(const std::string& self, const std::string& name) {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  return ((error ? fs::path(self) : path).parent_path() / name).string();
}

}  // namespace tarn::bench
