#include "tests/support/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace tarn::testing {
namespace {

std::string Program() {
  const char* directory = std::getenv("TARN_BIN_DIR");
  if (directory == nullptr)
    throw std::runtime_error("TARN_BIN_DIR is not set: run the test through ctest");
  return std::string(directory) + "/tarnd";
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

// In the child: becomes the program. Nothing here may allocate.
[[noreturn]] void Become(char* const* arguments, char* const* environment, int log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  execve(arguments[0], arguments, environment);
  _exit(127);
}

std::string Loopback(const OwnPort& port) { return "127.0.0.1:" + std::to_string(port.number()); }

std::string ValueOf(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind(name + "=", 0) == 0) return line.substr(name.size() + 1);
  }
  return "";
}

}  // namespace

// What the process writes, collected by a thread until the process closes its end.
class DaemonProcess::Log {
 public:
  explicit Log(int read_end) : read_end_(read_end), thread_([this] { Collect(); }) {}
  ~Log() { thread_.join(); }

  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

  void AwaitEnd() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_; });
  }

  bool Await(const std::string& wanted, std::chrono::seconds patience) {
    std::unique_lock lock(mutex_);
    const auto found = [&] { return text_.find(wanted) != std::string::npos; };
    changed_.wait_for(lock, patience, [&] { return found() || ended_; });
    return found();
  }

 private:
  void Collect() {
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(read_end_, buffer, sizeof(buffer))) > 0 || (got < 0 && errno == EINTR)) {
      const std::lock_guard lock(mutex_);
      if (got > 0) text_.append(buffer, static_cast<size_t>(got));
      changed_.notify_all();
    }
    close(read_end_);
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }

  const int read_end_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  bool ended_ = false;
  std::thread thread_;
};

DaemonProcess::DaemonProcess(Options options) : options_(std::move(options)) { Start(); }

DaemonProcess::~DaemonProcess() {
  if (pid_ > 0) Kill();
}

std::string DaemonProcess::data_dir() const { return options_.directory + "/data"; }

std::vector<std::string> DaemonProcess::Arguments() const {
  const std::string grpc = grpc_.empty() ? Loopback(grpc_port_) : grpc_;
  const std::string http = http_.empty() ? Loopback(http_port_) : http_;
  std::vector<std::string> arguments = {Program(),
                                        "--data-dir",
                                        data_dir(),
                                        "--listen",
                                        grpc,
                                        "--http-listen",
                                        http,
                                        "--address-file",
                                        options_.directory + "/address"};
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  return arguments;
}

std::vector<std::string> DaemonProcess::Environment() const {
  std::vector<std::string> environment;
  for (char** one = environ; *one != nullptr; ++one) {
    if (std::strncmp(*one, "TARN_", 5) != 0) environment.emplace_back(*one);
  }
  for (const auto& [name, value] : options_.environment) environment.push_back(name + "=" + value);
  return environment;
}

void DaemonProcess::Start() {
  if (pid_ > 0) throw std::logic_error("the daemon still runs");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  std::vector<std::string> arguments = Arguments();
  std::vector<std::string> environment = Environment();
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) Become(argument_pointers.data(), environment_pointers.data(), ends[1]);
  close(ends[1]);
  log_.reset();
  log_ = std::make_unique<Log>(ends[0]);
  if (options_.await == Options::Await::kServing) AwaitServing();
}

void DaemonProcess::AwaitServing() {
  AwaitLog(" serves gRPC on ");
  grpc_ = ValueOf(options_.directory + "/address", "grpc");
  http_ = ValueOf(options_.directory + "/address", "http");
}

void DaemonProcess::AwaitLog(const std::string& text) {
  if (log_->Await(text, kPatience)) return;
  throw std::runtime_error("tarnd has not logged \"" + text + "\"; its log is:\n" + log());
}

std::string DaemonProcess::log() const { return log_->text(); }

std::string DaemonProcess::FinalLog() {
  log_->AwaitEnd();
  return log();
}

void DaemonProcess::Signal(int number) {
  if (pid_ > 0) kill(pid_, number);
}

void DaemonProcess::Kill() {
  Signal(SIGKILL);
  Wait();
}

int DaemonProcess::Stop() {
  Signal(SIGTERM);
  return Wait();
}

int DaemonProcess::Wait() {
  // glibc 2.36 declares pidfd_open without C linkage.
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd waiting = {.fd = descriptor, .events = POLLIN, .revents = 0};
  const int ready =
      poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count()));
  close(descriptor);
  if (ready != 1) throw std::runtime_error("tarnd does not end; its log is:\n" + log());
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace tarn::testing
