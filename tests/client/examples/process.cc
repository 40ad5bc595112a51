#include "tests/client/examples/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace window_demo {
namespace {

std::string PathOf(const std::string& program) {
  const char* directory = std::getenv("TARN_BIN_DIR");
  if (directory == nullptr) throw std::runtime_error("TARN_BIN_DIR is not set: run through ctest");
  return std::string(directory) + "/" + program;
}

}  // namespace

Process::Process(const std::string& program, const std::vector<std::string>& arguments) {
  const std::string path = PathOf(program);
  std::vector<char*> pointers = {const_cast<char*>(path.c_str())};
  for (const std::string& one : arguments) pointers.push_back(const_cast<char*>(one.c_str()));
  pointers.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], STDOUT_FILENO);
    execv(path.c_str(), pointers.data());
    _exit(127);
  }
  close(ends[1]);
  output_ = fdopen(ends[0], "r");
}

Process::~Process() {
  if (pid_ > 0) {
    Signal(SIGKILL);
    Wait();
  }
  if (output_ != nullptr) std::fclose(output_);
}

std::optional<std::string> Process::NextLine() {
  char* line = nullptr;
  size_t capacity = 0;
  const ssize_t length = getline(&line, &capacity, output_);
  std::optional<std::string> result;
  if (length > 0) result = std::string(line, static_cast<size_t>(length));
  std::free(line);  // getline's own allocation.
  return result;
}

void Process::Signal(int number) const { kill(pid_, number); }

int Process::Wait() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error("cannot wait for the process");
  }
  pid_ = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace window_demo
