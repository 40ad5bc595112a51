// window_worker: counts the events of a log in windows that tarnd keeps. See docs/demo.md.
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/examples/event_log.h"
#include "client/examples/flags.h"
#include "client/examples/window_worker.h"
#include "tarn/client.h"
#include "tarn/error.h"

namespace window_demo {
namespace {

constexpr char kUsage[] =
    "window_worker --log FILE [--threshold N] [--gap SECONDS] [--window SECONDS] [--keep SECONDS]\n"
    "              [--chunk EVENTS] [--rate EVENTS_PER_SECOND] [--endpoint HOST:PORT]\n"
    "              [--namespace NAME]\n";

enum ExitCode { kDone = 0, kFailed = 1, kUsageError = 2, kReplaced = 3 };

struct Settings {
  std::string log;
  int64_t rate = 0;  // Events per second; 0 = as fast as it goes.
  tarn::ClientOptions client;
  WorkerOptions worker;
};

absl::StatusOr<Settings> ParseSettings(const std::vector<std::string>& arguments) {
  absl::StatusOr<Flags> flags = Flags::Parse(
      arguments,
      {"log", "threshold", "gap", "window", "keep", "chunk", "rate", "endpoint", "namespace"});
  if (!flags.ok()) return flags.status();
  const WorkerOptions defaults;
  const auto threshold = flags->Number("threshold", defaults.rules.session_threshold, INT64_MIN);
  const auto gap = flags->Number("gap", defaults.rules.session_gap_seconds, 1);
  const auto window = flags->Number("window", defaults.rules.window_seconds, 1);
  const auto keep = flags->Number("keep", 60 * 60, 1);
  const auto chunk = flags->Number("chunk", static_cast<int64_t>(defaults.chunk_events), 1);
  const auto rate = flags->Number("rate", 0, 0);
  for (const auto& number : {threshold, gap, window, keep, chunk, rate}) {
    if (!number.ok()) return number.status();
  }
  Settings settings{.log = flags->Text("log", ""), .rate = *rate};
  if (settings.log.empty()) return absl::InvalidArgumentError("--log FILE is needed");
  settings.client.endpoint = flags->Text("endpoint", tarn::kDefaultEndpoint);
  settings.client.ns = flags->Text("namespace", "windows");
  settings.worker.rules = {*window, *gap, *threshold};
  settings.worker.keep_closed = std::chrono::seconds(*keep);
  settings.worker.chunk_events = static_cast<size_t>(*chunk);
  return settings;
}

std::string UniqueName() { return absl::StrCat(getpid(), "-", std::random_device()()); }

// Replays the log at a steady rate.
class Pace {
 public:
  using Clock = std::chrono::steady_clock;

  Pace(int64_t rate, uint64_t events) : rate_(rate), first_(events), begin_(Clock::now()) {}

  void Await(uint64_t events) const {
    if (rate_ == 0) return;
    const double seconds = static_cast<double>(events - first_) / static_cast<double>(rate_);
    std::this_thread::sleep_until(begin_ + std::chrono::duration_cast<Clock::duration>(
                                               std::chrono::duration<double>(seconds)));
  }

 private:
  const int64_t rate_;
  const uint64_t first_;
  const Clock::time_point begin_;
};

// A line whenever another percent of the log is done. demo.sh reads the first word.
class Display {
 public:
  explicit Display(uint64_t log_bytes) : log_bytes_(log_bytes) {}

  void Show(const Progress& progress) {
    const uint64_t percent = log_bytes_ == 0 ? 100 : progress.offset * 100 / log_bytes_;
    if (shown_ && percent == percent_) return;
    shown_ = true;
    percent_ = percent;
    std::cout << percent << " % of the log, " << progress.events << " events";
    if (progress.events > 0) std::cout << ", up to " << FormatMinute(progress.time);
    std::cout << std::endl;
  }

 private:
  const uint64_t log_bytes_;
  uint64_t percent_ = 0;
  bool shown_ = false;
};

absl::Status Work(const Settings& settings) {
  absl::StatusOr<EventLog> log = EventLog::Open(settings.log);
  if (!log.ok()) return log.status();
  absl::StatusOr<tarn::Client> client = tarn::Client::Connect(settings.client);
  if (!client.ok()) return client.status();
  WorkerOptions options = settings.worker;
  options.owner = UniqueName();
  absl::StatusOr<WindowWorker> worker = WindowWorker::TakeOver(*client, *log, options);
  if (!worker.ok()) return worker.status();

  Display display(log->size_bytes());
  const Pace pace(settings.rate, worker->progress().events);
  display.Show(worker->progress());
  while (worker->progress().state != Progress::State::kFinished) {
    const absl::Status advanced = worker->Advance();
    if (!advanced.ok()) return advanced;
    display.Show(worker->progress());
    pace.Await(worker->progress().events);
  }
  return absl::OkStatus();
}

ExitCode Main(const std::vector<std::string>& arguments) {
  absl::StatusOr<Settings> settings = ParseSettings(arguments);
  if (!settings.ok()) {
    std::cerr << "window_worker: " << settings.status().message() << "\n" << kUsage;
    return kUsageError;
  }
  const absl::Status worked = Work(*settings);
  if (worked.ok()) return kDone;
  std::cerr << "window_worker: " << worked.message() << "\n";
  if (tarn::ReasonOf(worked) != tarn::Reason::kRevisionMismatch) return kFailed;
  std::cerr << "window_worker: another worker has taken over; this one wrote nothing more\n";
  return kReplaced;
}

}  // namespace
}  // namespace window_demo

int main(int argc, char** argv) { return window_demo::Main({argv + 1, argv + argc}); }
