#include "client/cli/bench_command.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "client/cli/report.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

using Clock = std::chrono::steady_clock;

// All keys begin so; `tarnctl clear --prefix` removes them.
constexpr char kKeyPrefix[] = "tarnctl-bench/";

struct BenchArguments {
  std::string operation = "get";
  std::string mode = "unary";
  std::string duration = "5s";
  uint64_t keys = 10'000;
  uint64_t value_bytes = 128;
  uint64_t in_flight = 64;
};

std::string KeyOf(uint64_t number) { return absl::StrFormat("%s%010u", kKeyPrefix, number); }

// Keeps a number of calls under way until the time is over. Its callbacks may come on any thread.
class Load {
 public:
  Load(const BenchArguments& arguments, Environment& env)
      : arguments_(arguments),
        env_(env),
        value_(arguments.value_bytes, 'x'),
        end_(Clock::now() + *ParseDuration(arguments.duration)) {}

  bool gets() const { return arguments_.operation == "get"; }
  const std::string& value() const { return value_; }

  std::string NextKey() {
    const std::lock_guard lock(mutex_);
    return KeyOf(next_++ % arguments_.keys);
  }

  // Whether another call may begin; then it is under way.
  bool Begin() {
    const std::lock_guard lock(mutex_);
    if (!error_.ok() || Clock::now() >= end_ || env_.interrupted()) return false;
    ++under_way_;
    return true;
  }

  void End(Clock::time_point begun, const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    micros_.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begun).count());
    if (!status.ok() && error_.ok()) error_ = status;
    if (--under_way_ == 0) idle_.notify_all();
  }

  void WaitUntilIdle() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return under_way_ == 0; });
  }

  absl::Status error() const { return error_; }
  std::vector<double> TakeMicros() { return std::move(micros_); }

 private:
  const BenchArguments arguments_;
  Environment& env_;
  const std::string value_;
  const Clock::time_point end_;
  std::mutex mutex_;
  std::condition_variable idle_;
  uint64_t next_ = 0;
  uint64_t under_way_ = 0;
  std::vector<double> micros_;
  absl::Status error_;
};

// Each call begins the next when it ends.
void CallOnce(const Client& client, const std::shared_ptr<Load>& load) {
  if (!load->Begin()) return;
  const Clock::time_point begun = Clock::now();
  const auto ended = [client, load, begun](const auto& result) {
    // The next one first, so that the load is not idle for a moment in between.
    const absl::Status status = result.status();
    if (status.ok()) CallOnce(client, load);
    load->End(begun, status);
  };
  if (load->gets()) {
    client.AsyncGet(load->NextKey(), {}, ended);
  } else {
    client.AsyncPut(load->NextKey(), load->value(), {}, ended);
  }
}

void RunUnary(const Client& client, const std::shared_ptr<Load>& load, uint64_t in_flight) {
  for (uint64_t i = 0; i < in_flight; ++i) CallOnce(client, load);
  load->WaitUntilIdle();
}

// The pipeline gathers and bounds by itself.
void RunPipeline(const Client& client, const std::shared_ptr<Load>& load) {
  Pipeline pipeline = client.OpenPipeline();
  while (load->Begin()) {
    const Clock::time_point begun = Clock::now();
    Operation operation = load->gets() ? Operation::Get(load->NextKey())
                                       : Operation::Put(load->NextKey(), load->value());
    const absl::Status taken = pipeline.Add(
        std::move(operation), [load, begun](const absl::StatusOr<OperationResult>& result) {
          load->End(begun, result.status());
        });
    if (!taken.ok()) load->End(begun, taken);
  }
  load->WaitUntilIdle();
  pipeline.Close().IgnoreError();
}

absl::Status Fill(const Client& client, const BenchArguments& arguments) {
  Pipeline pipeline = client.OpenPipeline();
  auto first_error = std::make_shared<absl::Status>();
  for (uint64_t i = 0; i < arguments.keys; ++i) {
    // Callbacks of a pipeline run one at a time.
    const absl::Status taken =
        pipeline.Add(Operation::Put(KeyOf(i), std::string(arguments.value_bytes, 'x')),
                     [first_error](const absl::StatusOr<OperationResult>& result) {
                       if (!result.ok() && first_error->ok()) *first_error = result.status();
                     });
    if (!taken.ok()) return taken;
  }
  const absl::Status closed = pipeline.Close();
  return closed.ok() ? *first_error : closed;
}

double Percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

Field DecimalField(std::string name, double number) {
  const std::string text = absl::StrFormat("%.1f", number);
  return {std::move(name), text, text};
}

void PrintResult(const Context& context, std::vector<double> micros, double seconds) {
  std::sort(micros.begin(), micros.end());
  PrintDetails(context,
               {NumberField("operations", micros.size()),
                NumberField("per_second",
                            static_cast<uint64_t>(static_cast<double>(micros.size()) / seconds)),
                DecimalField("p50_us", Percentile(micros, 0.5)),
                DecimalField("p99_us", Percentile(micros, 0.99)),
                DecimalField("max_us", Percentile(micros, 1))});
}

ExitCode RunBench(Context& context, const BenchArguments& arguments) {
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "bench", client.status(), Effect::kWrites);
  const absl::Status filled = Fill(*client, arguments);
  if (!filled.ok()) return Report(context, "bench", filled, Effect::kWrites);
  const auto load = std::make_shared<Load>(arguments, context.env);
  const Clock::time_point begun = Clock::now();
  if (arguments.mode == "pipeline") {
    RunPipeline(*client, load);
  } else {
    RunUnary(*client, load, arguments.in_flight);
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  if (!load->error().ok()) return Report(context, "bench", load->error(), Effect::kWrites);
  PrintResult(context, load->TakeMicros(), seconds);
  return context.env.interrupted() ? ExitCode::kInterrupted : ExitCode::kDone;
}

}  // namespace

void AddBenchCommand(CLI::App& app, Command& chosen) {
  CLI::App* const command =
      app.add_subcommand("bench", "Put a server under load for a while and print what it did");
  command->footer(
      absl::StrFormat("Writes keys that begin with %s first, and leaves them; tarnctl clear "
                      "--prefix %s removes them.",
                      kKeyPrefix, kKeyPrefix));
  auto arguments = std::make_shared<BenchArguments>();
  command->add_option("operation", arguments->operation, "get or put")
      ->check(CLI::IsMember({"get", "put"}))
      ->capture_default_str();
  command->add_option("--mode", arguments->mode, "unary: calls; pipeline: one stream")
      ->check(CLI::IsMember({"unary", "pipeline"}))
      ->capture_default_str();
  command->add_option("--duration", arguments->duration, "How long")
      ->check(CheckDuration)
      ->capture_default_str();
  command->add_option("--keys", arguments->keys, "How many keys")
      ->check(CLI::Range(uint64_t{1}, uint64_t{100'000'000}))
      ->capture_default_str();
  command->add_option("--value-bytes", arguments->value_bytes, "The size of a value")
      ->check(CLI::Range(uint64_t{0}, uint64_t{2} << 20))
      ->capture_default_str();
  command->add_option("--in-flight", arguments->in_flight, "Calls under way at a time (unary)")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1024}))
      ->capture_default_str();
  command->callback([&chosen, arguments] {
    chosen = [arguments](Context& context) { return RunBench(context, *arguments); };
  });
}

}  // namespace tarn::cli
