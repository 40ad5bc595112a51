// What a process says to the service manager that it believes in.
#pragma once

#include <string>

namespace tarn::testing {

class FakeServiceManager {
 public:
  // Listens at `address`: a path that does not exist, or '@' and a name. Throws when it cannot.
  explicit FakeServiceManager(std::string address);
  ~FakeServiceManager();
  FakeServiceManager(const FakeServiceManager&) = delete;
  FakeServiceManager& operator=(const FakeServiceManager&) = delete;

  const std::string& address() const { return address_; }

  // The next message. Throws when none comes within the patience.
  std::string Next() const;

  // The next one if it has come already, else nothing.
  std::string Waiting() const;

 private:
  const std::string address_;
  int fd_ = -1;
};

}  // namespace tarn::testing
