#include "tests/bench/processes.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>
#include <vector>

namespace tarn::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kStartTimeout = std::chrono::seconds(20);
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

// Writes its port or address into a file of its directory when it serves.
class SpawnedServer final : public ServerProcess {
 public:
  // Of `arguments`, "{}" stands for the directory.
  SpawnedServer(std::vector<std::string> arguments, const std::string& address_prefix)
      : directory_(MakeDirectory()), address_prefix_(address_prefix), started_(Clock::now()) {
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
    const int error = posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ);
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
    for (const std::string& path : {AddressFile(), AddressFile() + ".stdout"}) {
      std::istringstream lines(Content(path));
      for (std::string line; std::getline(lines, line) && !lines.eof();) {
        if (line.rfind(address_prefix_, 0) != 0) continue;
        endpoint_ = line.substr(address_prefix_.size());
        if (endpoint_.find(':') == std::string::npos) endpoint_ = "127.0.0.1:" + endpoint_;
        return true;
      }
    }
    return false;
  }

  const std::string directory_;
  const std::string address_prefix_;
  const Clock::time_point started_;
  pid_t pid_ = -1;
  int stdin_ = -1;
  std::string endpoint_;
  double ready_ms_ = 0;
};

}  // namespace

std::unique_ptr<ServerProcess> StartEchoServer() {
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  return std::make_unique<SpawnedServer>(std::vector<std::string>{self, "echo-server"}, "");
}

std::unique_ptr<ServerProcess> StartTarnd(const std::string& program, const std::string& engine) {
  return std::make_unique<SpawnedServer>(
      std::vector<std::string>{program, "--engine", engine, "--data-dir", "{}/data", "--listen",
                               "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--address-file",
                               "{}/address", "--log-level", "warning", "--checkpoint-interval",
                               "0s"},
      "grpc=");
}

std::string ProgramBeside(const std::string& self, const std::string& name) {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  return ((error ? fs::path(self) : path).parent_path() / name).string();
}

}  // namespace tarn::bench
