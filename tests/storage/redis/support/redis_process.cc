#include "tests/storage/redis/support/redis_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <utility>

namespace tarn::testing {
namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr int kBetweenLooksMs = 2;

// In the child: becomes the program. Nothing here may allocate.
[[noreturn]] void Become(char* const* arguments, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execvp(arguments[0], arguments);
  constexpr char kWhy[] = "it cannot be executed; is it installed?\n";
  _exit(write(STDERR_FILENO, kWhy, sizeof(kWhy) - 1) > 0 ? 127 : 126);
}

// A file in memory; in the directory $TARN_TEST_LOGS, where that is set, one that stays.
int OpenLog() {
  const char* const directory = std::getenv("TARN_TEST_LOGS");
  std::string path = std::string(directory == nullptr ? "" : directory) + "/redis-XXXXXX";
  const int log = directory == nullptr ? memfd_create("redis-log", MFD_CLOEXEC)
                                       : mkostemp(path.data(), O_CLOEXEC);
  if (log < 0) throw std::runtime_error("cannot make a log");
  return log;
}

std::string Contents(int file) {
  std::string text;
  std::array<char, 4096> buffer{};
  const auto read_on = [&] {
    return pread(file, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
  };
  for (ssize_t got = 0; (got = read_on()) > 0;)
    text.append(buffer.data(), static_cast<size_t>(got));
  return text;
}

std::string Tail(const std::string& text) {
  constexpr size_t kTail = 4000;
  return text.size() <= kTail ? text : "..." + text.substr(text.size() - kTail);
}

}  // namespace

RedisProcess::~RedisProcess() {
  Kill();
  if (output_ >= 0) close(output_);
}

bool RedisProcess::Start(std::vector<std::string> words, const std::string& ready) {
  Kill();
  if (output_ >= 0) close(output_);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  program_ = words.front();
  output_ = OpenLog();
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) Become(pointers.data(), output_);
  // glibc 2.36 declares pidfd_open without C linkage.
  process_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (AwaitReady(ready)) return true;
  End();
  return false;
}

bool RedisProcess::AwaitReady(const std::string& ready) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    // It may have been ready, and then ended.
    const bool ended = EndsWithin(kBetweenLooksMs);
    if (log().find(ready) != std::string::npos) return true;
    if (ended) return false;
  }
  return false;
}

bool RedisProcess::EndsWithin(int milliseconds) const {
  pollfd waiting = {.fd = process_, .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, milliseconds) > 0;
}

std::string RedisProcess::log() const { return output_ < 0 ? "" : Contents(output_); }

void RedisProcess::Signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

void RedisProcess::Kill() {
  if (pid_ <= 0) return;
  const bool had_ended = EndsWithin(0);
  const int status = End();
  if (had_ended) TellOfBadEnd(status);
}

int RedisProcess::End() {
  kill(pid_, SIGKILL);
  int status = 0;
  waitpid(std::exchange(pid_, -1), &status, 0);
  close(std::exchange(process_, -1));
  return status;
}

void RedisProcess::TellOfBadEnd(int status) const {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  std::cerr << program_ << " ended by itself, with "
            << (WIFEXITED(status) ? "exit code " : "signal ")
            << (WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status))
            << "; its log ends with:\n"
            << Tail(log()) << "\n";
}

}  // namespace tarn::testing
