// Checkpoints of a real daemon, restored into it while it serves.
#include <atomic>
#include <thread>

#include "tests/catch.h"
#include "tests/e2e/checkpoint_client.h"
#include "tests/support/daemon.h"
#include "tests/support/http_get.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

std::string AnyEngine() { return GENERATE(std::string("memory"), std::string("rocksdb")); }

DaemonProcess::Options Quiet(const TempDir& dir, const std::string& engine) {
  return {.directory = dir.path(),
          .arguments = {"--engine", engine, "--checkpoint-interval", "0s"}};
}

bool IsId(const std::string& text) { return text.size() == 19 && text[8] == '-'; }

TEST_CASE("a restore brings everything back, with the revisions it had, in a new incarnation") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, AnyEngine()));
  CheckpointClient client(daemon.grpc());
  REQUIRE(client.raw().Put("a", "1") == "OK");
  REQUIRE(client.raw().Put("b", "1") == "OK");
  const uint64_t revision = client.raw().RevisionOf("a");
  const std::string id = client.Create();
  REQUIRE(IsId(id));
  REQUIRE(client.raw().Put("a", "2") == "OK");
  REQUIRE(client.raw().Delete("b") == "OK");
  REQUIRE(client.raw().Put("c", "2") == "OK");
  CHECK(client.Restore(id) == id);
  CHECK(client.raw().All() == "a=1 b=1");
  CHECK(client.raw().RevisionOf("a") == revision);
  REQUIRE(client.raw().Put("a", "3") == "OK");
  CHECK(client.raw().RevisionOf("a") >> 40 == (revision >> 40) + 1);
  CHECK(HttpGet(daemon.http(), "/readyz").status == 200);
}

TEST_CASE("the state that a restore gave up is in a pinned checkpoint, and can be had back") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, AnyEngine()));
  CheckpointClient client(daemon.grpc());
  REQUIRE(client.raw().Put("a", "1") == "OK");
  const std::string id = client.Create();
  REQUIRE(client.raw().Put("a", "2") == "OK");
  REQUIRE(client.Restore(id) == id);
  const auto all = client.List();
  REQUIRE(all.size() == 3);
  CHECK(all[1].pin_reason() == "the state before the restore of " + id);
  CHECK(client.Delete(all[1].id()) == "FAILED_PRECONDITION CHECKPOINT_PINNED");
  CHECK(client.Restore(all[1].id()) == all[1].id());
  CHECK(client.raw().All() == "a=2");
}

TEST_CASE("what was restored is still there after kill -9 and a start") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, AnyEngine()));
  {
    CheckpointClient client(daemon.grpc());
    REQUIRE(client.raw().Put("a", "1") == "OK");
    const std::string id = client.Create();
    REQUIRE(client.raw().Put("a", "2") == "OK");
    REQUIRE(client.Restore(id) == id);
  }
  daemon.Kill();
  daemon.Start();
  CHECK(RawClient(daemon.grpc()).All() == "a=1");
}

TEST_CASE("a restore of the latest falls back over a damaged one and says so") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, "memory"));
  CheckpointClient client(daemon.grpc());
  REQUIRE(client.raw().Put("a", "1") == "OK");
  const std::string good = client.Create();
  REQUIRE(client.raw().Put("a", "2") == "OK");
  const std::string bad = client.Create();
  REQUIRE(client.raw().Put("a", "3") == "OK");
  FlipByte(daemon.data_dir() + "/checkpoints/" + bad + ".ckpt", 260);
  v1::RestoreCheckpointRequest request;
  request.set_id("latest");
  std::string error;
  const auto job = client.Begin(request, &error);
  REQUIRE(job);
  const v1::Job ended = client.WaitFor(job->id());
  CHECK(ended.result() == good);
  CHECK(ended.subject().find("passed over " + bad) != std::string::npos);
  CHECK(client.raw().All() == "a=1");
  CHECK(client.Quarantined() == std::vector<std::string>{bad});
}

TEST_CASE("a restore of a damaged checkpoint fails, and the state goes on being served") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, AnyEngine()));
  CheckpointClient client(daemon.grpc());
  REQUIRE(client.raw().Put("a", "1") == "OK");
  const std::string id = client.Create();
  REQUIRE(client.raw().Put("a", "2") == "OK");
  FlipByte(daemon.data_dir() + "/checkpoints/" + id + ".ckpt", 260);
  CHECK(client.Restore(id) == "DATA_LOSS DATA_LOSS");
  CHECK(client.raw().All() == "a=2");
  CHECK(client.raw().Put("a", "3") == "OK");
  CHECK(client.Restore(id) == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  CHECK(client.Restore("latest") == "NOT_FOUND CHECKPOINT_NOT_FOUND");
}

TEST_CASE("validating a restore changes nothing") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, "memory"));
  CheckpointClient client(daemon.grpc());
  REQUIRE(client.raw().Put("a", "1") == "OK");
  const std::string id = client.Create();
  REQUIRE(client.raw().Put("a", "2") == "OK");
  v1::RestoreCheckpointRequest request;
  request.set_id("latest");
  request.set_validate_only(true);
  CHECK(client.Restore(request) == id);
  CHECK(client.raw().All() == "a=2");
  CHECK(client.Ids() == std::vector<std::string>{id});
}

TEST_CASE("no acknowledged write is lost by a restore: it is in the safety checkpoint") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, AnyEngine()));
  CheckpointClient client(daemon.grpc());
  REQUIRE(client.raw().Put("base", "1") == "OK");
  const std::string id = client.Create();
  std::atomic<bool> stop{false};
  std::atomic<int> acknowledged{0};
  std::atomic<int> odd_errors{0};
  std::thread writer([&] {
    RawClient raw(daemon.grpc());
    // Until the first refusal: from then on writes belong to the new state.
    for (int i = 1; !stop; ++i) {
      const std::string answer = raw.Put("k", std::to_string(i));
      if (answer == "UNAVAILABLE NOT_READY") return;
      if (answer != "OK") ++odd_errors;
      acknowledged = i;
    }
  });
  while (acknowledged < 50) std::this_thread::yield();
  const std::string restored = client.Restore(id);
  stop = true;
  writer.join();
  CHECK(restored == id);
  CHECK(odd_errors == 0);
  const auto all = client.List();
  REQUIRE(client.Restore(all[1].id()) == all[1].id());
  const std::string in_safety = client.raw().Get("k");
  // The writer may have gone on in the restored state when it met no refusal.
  CHECK(std::stoi(in_safety) >= 50);
  CHECK(std::stoi(in_safety) <= acknowledged);
}

TEST_CASE("a restore ends though clients hold a pipeline and a scan open") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, AnyEngine()));
  CheckpointClient client(daemon.grpc());
  const std::string big(1 << 20, 'x');
  constexpr int kMoreThanIsOnTheWay = 48;  // Buffers of both ends and between them.
  for (int i = 0; i < kMoreThanIsOnTheWay; ++i)
    REQUIRE(client.raw().Put("k" + std::to_string(i), big) == "OK");
  const std::string id = client.Create();
  const auto pipeline_context = client.raw().NewContext();
  auto pipeline = client.raw().state().Pipeline(pipeline_context.get());
  v1::PipelineRequest batch;
  batch.set_mode(v1::BATCH_MODE_INDEPENDENT);
  *batch.add_operations() = PutOp("p", "1");
  v1::PipelineResponse answer;
  REQUIRE(pipeline->Write(batch));
  REQUIRE(pipeline->Read(&answer));
  const auto scan_context = client.raw().NewContext();
  auto scan = client.raw().state().Scan(scan_context.get(), v1::ScanRequest());
  v1::ScanResponse chunk;
  REQUIRE(scan->Read(&chunk));
  const std::string token = chunk.resume_token();
  CHECK(client.Restore(id) == id);
  REQUIRE(pipeline->Write(batch));
  REQUIRE(pipeline->Read(&answer));
  CHECK(answer.status().code() == 0);
  pipeline->WritesDone();
  CHECK(Brief(pipeline->Finish()) == "OK");
  while (scan->Read(&chunk)) {
  }
  CHECK(Brief(scan->Finish()) == "ABORTED SNAPSHOT_EXPIRED");
  v1::ScanRequest resumed;
  resumed.set_resume_token(token);
  const auto resumed_context = client.raw().NewContext();
  auto again = client.raw().state().Scan(resumed_context.get(), resumed);
  CHECK_FALSE(again->Read(&chunk));
  CHECK(Brief(again->Finish()) == "ABORTED SNAPSHOT_EXPIRED");
}

TEST_CASE("metrics tell of checkpoints and restores") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, "memory"));
  CheckpointClient client(daemon.grpc());
  const std::string id = client.Create();
  REQUIRE(client.Create() == id);
  REQUIRE(client.Restore(id) == id);
  REQUIRE(client.Restore("00000001-0000000099") == "NOT_FOUND CHECKPOINT_NOT_FOUND");
  const std::string metrics = HttpGet(daemon.http(), "/metrics").body;
  const auto has = [&](const std::string& line) {
    INFO(line);
    CHECK(metrics.find("\n" + line + "\n") != std::string::npos);
  };
  has("tarn_checkpoints_created_total 2");  // The second is of the restored state.
  has("tarn_checkpoints_skipped_total 2");  // The second request, and the safety checkpoint.
  has("tarn_checkpoint_files 2");
  has("tarn_restores_total 1");
  has("tarn_restore_failures_total 0");
  has("tarn_jobs_running{kind=\"restore\"} 0");
  has("tarn_store_incarnation 2");
}

TEST_CASE("one restore at a time") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, "memory"));
  CheckpointClient client(daemon.grpc());
  for (int i = 0; i < 200; ++i)
    REQUIRE(client.raw().Put(std::to_string(i), std::string(50'000, 'x')) == "OK");
  const std::string id = client.Create();
  v1::RestoreCheckpointRequest request;
  request.set_id(id);
  std::string error;
  const auto first = client.Begin(request, &error);
  REQUIRE(first);
  // The first may be over by now; while it runs, a second is refused.
  const auto second = client.Begin(request, &error);
  if (!second) CHECK(error == "FAILED_PRECONDITION RESTORE_RUNNING");
  CHECK(client.WaitFor(first->id()).result() == id);
  if (second) CHECK(client.WaitFor(second->id()).result() == id);
  CHECK(client.Restore(id) == id);
}

TEST_CASE("a range alone is restored, and the rest stays as it is") {
  const TempDir dir;
  DaemonProcess daemon(Quiet(dir, AnyEngine()));
  CheckpointClient client(daemon.grpc());
  for (const char* key : {"a1", "a2", "b1"}) REQUIRE(client.raw().Put(key, "1") == "OK");
  const std::string id = client.Create();
  REQUIRE(client.raw().Put("a1", "2") == "OK");
  REQUIRE(client.raw().Delete("a2") == "OK");
  REQUIRE(client.raw().Put("a3", "2") == "OK");
  REQUIRE(client.raw().Put("b1", "2") == "OK");
  v1::RestoreCheckpointRequest request;
  request.set_id("latest");
  request.mutable_range()->mutable_range()->set_prefix("a");
  CHECK(client.Restore(request) == id);
  CHECK(client.raw().All() == "a1=1 a2=1 b1=2");
  const auto all = client.List();
  REQUIRE(all.size() == 2);
  CHECK(all[1].pin_reason().find("before the restore of a range") != std::string::npos);
  request.mutable_range()->set_namespace_("unknown");
  CHECK(client.Restore(request) == "FAILED_PRECONDITION NAMESPACE_NOT_FOUND");
  request.mutable_range()->clear_namespace_();
  request.set_validate_only(true);
  CHECK(client.Restore(request).find("INVALID_ARGUMENT INVALID_REQUEST") == 0);
}

}  // namespace
}  // namespace tarn::testing
