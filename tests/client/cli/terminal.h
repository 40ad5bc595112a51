// tarnctl as a test sees it: arguments in, outcome out, and the world between is the test's.
#pragma once

#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "client/cli/app.h"
#include "tarn/testing/fake_connection.h"

namespace tarn::cli {

struct Outcome {
  int code;
  std::string out;
  std::string err;
};

inline bool Says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct Terminal {
  std::shared_ptr<testing::FakeStore> store = std::make_shared<testing::FakeStore>();
  // Null: a connection to `store`, and an admin connection that offers nothing. So do the others.
  std::shared_ptr<Connection> connection;
  std::shared_ptr<AdminConnection> admin;
  std::shared_ptr<CheckpointConnection> checkpoints = std::make_shared<CheckpointConnection>();
  std::shared_ptr<JobConnection> jobs = std::make_shared<JobConnection>();
  std::shared_ptr<LockConnection> locks = std::make_shared<LockConnection>();
  Stream in_kind = Stream::kFile;
  Stream err_kind = Stream::kFile;
  ClientOptions seen;  // Those of the last command.
  std::chrono::steady_clock::time_point now;
  // How often the command may ask before it hears of a Ctrl-C; negative = it never does.
  int questions_before_interrupt = -1;

  Outcome Run(const std::vector<std::string>& arguments, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    Environment env{
        .in = in,
        .out = out,
        .err = err,
        .in_kind = in_kind,
        .err_kind = err_kind,
        .connect = [this](const ClientOptions& options) { return Connect(options); },
        .connect_admin = [this](const ClientOptions& options) { return Admin(options); },
        .connect_checkpoints =
            [this](const ClientOptions& options) { return Checkpoints(options); },
        .connect_jobs = [this](const ClientOptions& options) { return Jobs(options); },
        .now = [this] { return now; },
        .wait = [this](std::chrono::milliseconds span) { now += span; },
        .interrupted = [this] { return Interrupted(); },
        .connect_locks = [this](const ClientOptions& options) { return Locks(options); }};
    const ExitCode code = RunTarnctl(arguments, env);
    return {static_cast<int>(code), out.str(), err.str()};
  }

 private:
  absl::StatusOr<Client> Connect(const ClientOptions& options) {
    seen = options;
    if (connection != nullptr) return Client(connection, options.ns);
    return Client(std::make_shared<testing::FakeConnection>(store), options.ns);
  }

  absl::StatusOr<AdminClient> Admin(const ClientOptions& options) {
    seen = options;
    if (admin != nullptr) return AdminClient(admin);
    return AdminClient(std::make_shared<AdminConnection>());
  }

  absl::StatusOr<CheckpointClient> Checkpoints(const ClientOptions& options) {
    seen = options;
    return CheckpointClient(checkpoints);
  }

  absl::StatusOr<JobClient> Jobs(const ClientOptions& options) {
    seen = options;
    return JobClient(jobs);
  }

  absl::StatusOr<LockClient> Locks(const ClientOptions& options) {
    seen = options;
    return LockClient(locks, options.ns);
  }

  bool Interrupted() {
    if (questions_before_interrupt < 0) return false;
    return questions_before_interrupt-- == 0;
  }
};

}  // namespace tarn::cli
