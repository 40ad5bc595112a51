// The worker against the fake that libtarn gives to its users: what no real daemon does on demand.
#include "client/examples/window_worker.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tarn/error.h"
#include "tarn/testing/fake_connection.h"
#include "tarn/testing/fake_store.h"
#include "tests/catch.h"
#include "tests/support/temp_dir.h"

namespace window_demo {
namespace {

using tarn::testing::FakeConnection;
using tarn::testing::FakeStore;
using tarn::testing::FaultTime;

using Entries = std::map<std::string, std::string>;

// Lets commits (batches that write) fail, and others get in between.
class Wire : public FakeConnection {
 public:
  using FakeConnection::FakeConnection;

  void FailCommit(absl::Status status, FaultTime time) {
    faults_.emplace_back(std::move(status), time);
  }
  // Called once, before what it is named after is done.
  std::function<void()> before_put;
  std::function<void()> before_commit;

  absl::StatusOr<tarn::PutResult> Put(tarn::PutParams params) override {
    if (before_put) std::exchange(before_put, nullptr)();
    return FakeConnection::Put(std::move(params));
  }

  absl::StatusOr<tarn::BatchResult> RunBatch(tarn::BatchParams params) override {
    if (std::ranges::all_of(params.batch.operations(), &tarn::Operation::is_read)) {
      return FakeConnection::RunBatch(std::move(params));
    }
    if (before_commit) std::exchange(before_commit, nullptr)();
    if (faults_.empty()) return FakeConnection::RunBatch(std::move(params));
    const auto [status, time] = faults_.front();
    faults_.pop_front();
    if (time == FaultTime::kAfter) CHECK(FakeConnection::RunBatch(std::move(params)).ok());
    return status;
  }

 private:
  std::deque<std::pair<absl::Status, FaultTime>> faults_;
};

// Windows of 100 s; sessions of values from 10 on, with gaps of 20 s at most; two events a commit.
struct Subject {
  tarn::testing::TempDir dir;
  std::shared_ptr<FakeStore> store = std::make_shared<FakeStore>();
  std::shared_ptr<Wire> connection = std::make_shared<Wire>(store);
  tarn::Client client{connection};

  explicit Subject(const std::string& log) { std::ofstream(dir / "log") << log; }

  absl::StatusOr<WindowWorker> TakeOver(const std::string& owner, size_t chunk_events = 2) {
    return WindowWorker::TakeOver(
        client, *EventLog::Open(dir / "log"),
        {.rules = {.window_seconds = 100, .session_gap_seconds = 20, .session_threshold = 10},
         .owner = owner,
         .keep_closed = std::chrono::seconds(60),
         .chunk_events = chunk_events});
  }
  static absl::Status Finish(WindowWorker& worker) {
    while (worker.progress().state != Progress::State::kFinished) {
      const absl::Status advanced = worker.Advance();
      if (!advanced.ok()) return advanced;
    }
    return absl::OkStatus();
  }
  Entries Read(const std::string& prefix) const {
    Entries entries;
    tarn::Scan scan = client.Scan(tarn::KeyRange::Prefix(prefix));
    for (absl::StatusOr<tarn::Entry>& entry : scan) {
      REQUIRE(entry.ok());
      entries[entry->key] = entry->value;
    }
    return entries;
  }
};

constexpr char kLog[] = "100 a 5\n110 b 10\n120 a 12\n130 b 20\n200 a 30\n";
const Entries kCounted = {
    {"closed/session/a/1970-01-01T00:02", "120 120 1 12 12 12"},
    {"closed/session/a/1970-01-01T00:03", "200 200 1 30 30 30"},
    {"closed/session/b/1970-01-01T00:01", "110 130 2 30 10 20"},
    {"closed/window/a/1970-01-01T00:01", "100 120 2 17 5 12"},
    {"closed/window/a/1970-01-01T00:03", "200 200 1 30 30 30"},
    {"closed/window/b/1970-01-01T00:01", "100 130 2 30 10 20"},
};
const Entries kCounters = {{"events/a", "3"}, {"events/b", "2"}};

TEST_CASE("a worker counts every event in a window, a session and a counter") {
  Subject s(kLog);
  WindowWorker worker = *s.TakeOver("one");
  REQUIRE(Subject::Finish(worker).ok());
  CHECK(s.Read("closed/") == kCounted);
  CHECK(s.Read("events/") == kCounters);
  CHECK(s.Read("open/").empty());
}

TEST_CASE("open windows stay, closed ones expire") {
  Subject s(kLog);
  WindowWorker worker = *s.TakeOver("one", 5);
  REQUIRE(worker.Advance().ok());
  CHECK(s.Read("closed/").size() == 2);
  s.store->AdvanceTime(std::chrono::seconds(60));
  CHECK(s.Read("closed/").empty());
  CHECK(s.Read("open/").size() == 4);
}

TEST_CASE("a worker goes on where the last one was") {
  Subject s(kLog);
  WindowWorker first = *s.TakeOver("one");
  REQUIRE(first.Advance().ok());
  WindowWorker second = *s.TakeOver("two");
  CHECK(second.progress().events == 2);
  REQUIRE(Subject::Finish(second).ok());
  CHECK(s.Read("closed/") == kCounted);
}

TEST_CASE("a worker that was replaced writes nothing more") {
  Subject s(kLog);
  WindowWorker first = *s.TakeOver("one");
  WindowWorker second = *s.TakeOver("two");
  const Entries before = s.Read("");
  CHECK(tarn::ReasonOf(first.Advance()) == tarn::Reason::kRevisionMismatch);
  CHECK(s.Read("") == before);
  CHECK(second.Advance().ok());
}

TEST_CASE("a worker that goes on writing can be replaced") {
  Subject s(kLog);
  WindowWorker first = *s.TakeOver("one");
  // It commits between its successor's read and write.
  s.connection->before_put = [&] { CHECK(first.Advance().ok()); };
  WindowWorker second = *s.TakeOver("two");
  CHECK(second.progress().events == 2);
  CHECK(tarn::ReasonOf(first.Advance()) == tarn::Reason::kRevisionMismatch);
}

TEST_CASE("of workers that start together the last one goes on") {
  Subject s(kLog);
  std::optional<WindowWorker> other;
  s.connection->before_put = [&] { other = *s.TakeOver("two"); };
  WindowWorker worker = *s.TakeOver("one");
  CHECK(tarn::ReasonOf(other->Advance()) == tarn::Reason::kRevisionMismatch);
  CHECK(Subject::Finish(worker).ok());
}

TEST_CASE("a commit whose answer is lost is not done again") {
  Subject s(kLog);
  WindowWorker worker = *s.TakeOver("one");
  s.connection->FailCommit(absl::UnavailableError("lost"), FaultTime::kAfter);
  REQUIRE(Subject::Finish(worker).ok());
  CHECK(s.Read("closed/") == kCounted);
  CHECK(s.Read("events/") == kCounters);
}

TEST_CASE("a commit that never arrived is done again") {
  Subject s(kLog);
  WindowWorker worker = *s.TakeOver("one");
  s.connection->FailCommit(absl::DeadlineExceededError("lost"), FaultTime::kBefore);
  REQUIRE(Subject::Finish(worker).ok());
  CHECK(s.Read("closed/") == kCounted);
  CHECK(s.Read("events/") == kCounters);
}

TEST_CASE("a worker that was replaced while its commit was lost does not go on") {
  Subject s(kLog);
  WindowWorker first = *s.TakeOver("one");
  s.connection->FailCommit(absl::UnavailableError("lost"), FaultTime::kBefore);
  s.connection->before_commit = [&] { CHECK(s.TakeOver("two").ok()); };
  const absl::Status status = first.Advance();
  CHECK(tarn::ReasonOf(status) == tarn::Reason::kRevisionMismatch);
  CHECK(status.message() == "worker two has taken over");
}

TEST_CASE("a take-over whose answer is lost is repeated") {
  Subject s(kLog);
  s.store->FailNext("Put", absl::UnavailableError("lost"), FaultTime::kAfter);
  WindowWorker worker = *s.TakeOver("one");
  CHECK(Subject::Finish(worker).ok());
}

TEST_CASE("a worker gives up when nothing gets through") {
  Subject s(kLog);
  WindowWorker worker = *s.TakeOver("one");
  for (int i = 0; i < WindowWorker::kMaxAttempts; ++i) {
    s.connection->FailCommit(absl::UnavailableError("lost"), FaultTime::kBefore);
  }
  CHECK(worker.Advance().message() == "lost");
  CHECK(worker.Advance().ok());
}

TEST_CASE("an error that does not pass ends a worker at once") {
  Subject s(kLog);
  s.store->FailNext("Put", absl::PermissionDeniedError("no"));
  CHECK(s.TakeOver("one").status().message() == "no");
  WindowWorker worker = *s.TakeOver("one");
  s.store->FailNext("Batch", absl::PermissionDeniedError("no reading"));
  CHECK(worker.Advance().message() == "no reading");
  s.connection->FailCommit(absl::PermissionDeniedError("no writing"), FaultTime::kBefore);
  CHECK(worker.Advance().message() == "no writing");
  CHECK(worker.progress().events == 0);
}

TEST_CASE("a log that is not in time order is refused, and nothing of the chunk is counted") {
  const std::string log = GENERATE("100 a 1\n99 a 1\n", "100 a 1\n100 a 1\n99 a 1\n");
  Subject s(log);
  WindowWorker worker = *s.TakeOver("one");
  const absl::Status status = Subject::Finish(worker);
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(status.message() == "the log is not in time order: 99 a comes after 100");
  CHECK(worker.progress().events % 2 == 0);
}

TEST_CASE("entries that no worker wrote are data loss") {
  Subject s(kLog);
  SECTION("as progress") {
    REQUIRE(s.client.Put("progress", "x").ok());
    CHECK(s.TakeOver("one").status().code() == absl::StatusCode::kDataLoss);
  }
  SECTION("as a window") {
    REQUIRE(s.client.Put("open/window/a", "x").ok());
    CHECK(s.TakeOver("one")->Advance().code() == absl::StatusCode::kDataLoss);
  }
  SECTION("as a window that is left at the end") {
    WindowWorker worker = *s.TakeOver("one", 5);
    REQUIRE(worker.Advance().ok());
    REQUIRE(s.client.Put(GENERATE("open/window/z", "open/other/z"), "x").ok());
    CHECK(worker.Advance().code() == absl::StatusCode::kDataLoss);
  }
}

TEST_CASE("a chunk is as large as its batch can be") {
  Subject s(kLog);
  CHECK(s.TakeOver("one", WindowWorker::kMaxChunkEvents).ok());
  CHECK(s.TakeOver("one", WindowWorker::kMaxChunkEvents + 1).status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK(s.TakeOver("one", 0).status().code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("the largest chunk fits, and many open windows are closed in several commits") {
  std::string log;
  for (int key = 0; key < 800; ++key) absl::StrAppend(&log, "100 k", key, " 10\n");
  for (int key = 0; key < 800; ++key) absl::StrAppend(&log, "200 k", key, " 10\n");
  Subject s(log);
  WindowWorker worker = *s.TakeOver("one", WindowWorker::kMaxChunkEvents);
  REQUIRE(Subject::Finish(worker).ok());
  CHECK(s.Read("closed/").size() == 3200);
  CHECK(s.Read("open/").empty());
}

TEST_CASE("a finished log stays finished") {
  Subject s(kLog);
  WindowWorker worker = *s.TakeOver("one");
  REQUIRE(Subject::Finish(worker).ok());
  WindowWorker next = *s.TakeOver("two");
  CHECK(next.progress().state == Progress::State::kFinished);
  CHECK(next.Advance().ok());
  CHECK(s.Read("closed/") == kCounted);
}

}  // namespace
}  // namespace window_demo
