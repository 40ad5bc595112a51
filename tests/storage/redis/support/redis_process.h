// A program of Redis as a process of its own, which dies with the test, however the test ends.
// With a directory in $TARN_TEST_LOGS its log stays there.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace tarn::testing {

class RedisProcess {
 public:
  RedisProcess() = default;
  ~RedisProcess();

  RedisProcess(const RedisProcess&) = delete;
  RedisProcess& operator=(const RedisProcess&) = delete;

  // Starts it and reads what it writes until that holds `ready`. False when it ends before, or does
  // not get there in a minute.
  bool Start(std::vector<std::string> words, const std::string& ready);

  // What it has written so far; when there is no such program, that.
  std::string log() const;
  bool running() const { return pid_ > 0; }

  void Signal(int number) const;
  // kill -9. When it had come to a bad end without that, standard error tells, with its log.
  void Kill();

 private:
  bool AwaitReady(const std::string& ready);
  // Whether it has ended, or does so by itself in so many milliseconds.
  bool EndsWithin(int milliseconds) const;
  // Kills and forgets it; what waitpid says of it.
  int End();
  void TellOfBadEnd(int status) const;

  std::string program_;
  pid_t pid_ = -1;
  int process_ = -1;  // The same, as a descriptor.
  int output_ = -1;   // A file for what it writes.
};

}  // namespace tarn::testing
