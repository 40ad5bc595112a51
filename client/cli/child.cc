#include "client/cli/child.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace tarn::cli {
namespace {

constexpr int kSignalled = 128;

// "NAME=value" for each; `additions` go before what is there.
std::vector<std::string> EnvironmentWith(const std::map<std::string, std::string>& additions) {
  std::vector<std::string> all;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view line = *one;
    if (!additions.contains(std::string(line.substr(0, line.find('='))))) all.emplace_back(line);
  }
  for (const auto& [name, value] : additions) all.push_back(absl::StrCat(name, "=", value));
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

absl::StatusOr<Child> Child::Start(const std::vector<std::string>& command,
                                   const std::map<std::string, std::string>& additions) {
  std::vector<std::string> arguments = command;
  std::vector<std::string> environment = EnvironmentWith(additions);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments.front().c_str(), nullptr, &attributes,
                                 Pointers(arguments).data(), Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return Child(pid);
  const std::string why = absl::StrCat("cannot run ", command.front(), ": ", strerror(error));
  return error == ENOENT ? absl::NotFoundError(why) : absl::FailedPreconditionError(why);
}

void Child::Signal(int number) const { kill(pid_, number); }

ChildEnd Child::Wait() const {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return {kSignalled};
  }
  if (WIFEXITED(status)) return {WEXITSTATUS(status)};
  return {kSignalled + WTERMSIG(status)};
}

}  // namespace tarn::cli
