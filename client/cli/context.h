// What a command of tarnctl works with: the world outside, and what was said for all commands.
#pragma once

#include <chrono>
#include <functional>
#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/cli/exit_code.h"
#include "tarn/admin.h"
#include "tarn/checkpoint.h"
#include "tarn/client.h"
#include "tarn/job.h"
#include "tarn/lock.h"

namespace tarn::cli {

enum class Stream { kFile, kTerminal };

// Passed in, so that a test can be the world.
struct Environment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  Stream in_kind = Stream::kFile;
  Stream err_kind = Stream::kFile;
  std::function<absl::StatusOr<Client>(const ClientOptions&)> connect;
  std::function<absl::StatusOr<AdminClient>(const ClientOptions&)> connect_admin;
  std::function<absl::StatusOr<CheckpointClient>(const ClientOptions&)> connect_checkpoints;
  std::function<absl::StatusOr<JobClient>(const ClientOptions&)> connect_jobs;
  std::function<std::chrono::steady_clock::time_point()> now;
  // Waits, unless Ctrl-C comes before or meanwhile.
  std::function<void(std::chrono::milliseconds)> wait;
  // Whether Ctrl-C has come. Long work looks at it, finishes what it is printing, and ends.
  std::function<bool()> interrupted;
  std::function<absl::StatusOr<LockClient>(const ClientOptions&)> connect_locks = {};
  // From now on hands signals that ask this program to end to the function instead.
  std::function<void(std::function<void(int number)>)> forward_signals = {};
};

enum class Style { kSimple, kTable, kJson };
enum class Encoding { kText, kHex };  // Of keys and values, in and out.

struct Context {
  Environment& env;
  ClientOptions options;
  Timeout
      timeout;  // As given with --timeout; work that takes time in proportion has none of its own.
  Style style = Style::kSimple;
  Encoding encoding = Encoding::kText;

  absl::StatusOr<Client> Connect() const { return env.connect(options); }
  absl::StatusOr<AdminClient> ConnectAdmin() const { return env.connect_admin(options); }
  absl::StatusOr<CheckpointClient> ConnectCheckpoints() const {
    return env.connect_checkpoints(options);
  }
  absl::StatusOr<JobClient> ConnectJobs() const { return env.connect_jobs(options); }
  absl::StatusOr<LockClient> ConnectLocks() const { return env.connect_locks(options); }
};

// A command, ready to run.
using Command = std::function<ExitCode(Context&)>;

// The bytes that an argument stands for; nullopt, and an explanation on stderr, if it is no
// hexadecimal though it should be.
std::optional<std::string> BytesOf(const Context& context, const std::string& argument);

// Everything on stdin.
std::string ReadAll(std::istream& in);

}  // namespace tarn::cli
