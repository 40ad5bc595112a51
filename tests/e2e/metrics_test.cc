// What /metrics says of what was done.
#include <signal.h>

#include <cstdlib>
#include <fstream>

#include "tests/catch.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/http_get.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

// The value of one series, or "(none)".
std::string ValueOf(const std::string& metrics, const std::string& series) {
  const size_t begin = metrics.find("\n" + series + " ");
  if (begin == std::string::npos) return "(none)";
  const size_t value = begin + series.size() + 2;
  return metrics.substr(value, metrics.find('\n', value) - value);
}

class Subject {
 public:
  explicit Subject(const std::string& engine)
      : daemon({.directory = dir.path(), .arguments = {"--engine", engine}}),
        client(daemon.grpc()) {}

  std::string Metrics() const { return HttpGet(daemon.http(), "/metrics").body; }
  std::string Metric(const std::string& series) const { return ValueOf(Metrics(), series); }

  const TempDir dir;
  DaemonProcess daemon;
  RawClient client;
};

std::string AnyEngine() { return GENERATE(std::string("memory"), std::string("rocksdb")); }

TEST_CASE("calls, operations and bytes are counted") {
  const Subject subject(AnyEngine());
  RawClient client(subject.daemon.grpc());
  REQUIRE(client.Put("key", "value") == "OK");
  REQUIRE(client.Get("key") == "value");
  REQUIRE(client.Get("other") == "(none)");
  REQUIRE(client.Get("") == "INVALID_ARGUMENT INVALID_KEY key");
  REQUIRE(client.All() == "key=value");
  const std::string metrics = subject.Metrics();
  CHECK(ValueOf(metrics, "tarn_grpc_calls_total{method=\"Get\",code=\"OK\"}") == "2");
  CHECK(ValueOf(metrics, "tarn_grpc_calls_total{method=\"Get\",code=\"INVALID_ARGUMENT\"}") == "1");
  CHECK(ValueOf(metrics, "tarn_grpc_call_duration_seconds_count{method=\"Get\"}") == "3");
  CHECK(ValueOf(metrics, "tarn_operations_total{kind=\"get\",result=\"hit\"}") == "1");
  CHECK(ValueOf(metrics, "tarn_operations_total{kind=\"get\",result=\"miss\"}") == "1");
  CHECK(ValueOf(metrics, "tarn_operations_total{kind=\"get\",result=\"error\"}") == "1");
  CHECK(ValueOf(metrics, "tarn_operations_total{kind=\"put\",result=\"miss\"}") == "1");
  CHECK(ValueOf(metrics, "tarn_request_bytes_total") == "16");  // key value, key, other.
  CHECK(ValueOf(metrics, "tarn_scanned_entries_total") == "1");
  CHECK(ValueOf(metrics, "tarn_connections") == "1");
  CHECK(ValueOf(metrics, "tarn_ready") == "1");
}

TEST_CASE("operations of a pipeline are counted, and the stream while it is open") {
  Subject subject(AnyEngine());
  const auto context = subject.client.NewContext();
  const auto stream = subject.client.state().Pipeline(context.get());
  v1::PipelineRequest request;
  request.set_mode(v1::BATCH_MODE_INDEPENDENT);
  for (int i = 0; i < 5; ++i) *request.add_operations() = PutOp("k", "v");
  v1::PipelineResponse response;
  REQUIRE(stream->Write(request));
  REQUIRE(stream->Read(&response));
  CHECK(subject.Metric("tarn_pipelines") == "1");
  CHECK(subject.Metric("tarn_grpc_calls_in_flight") == "1");
  CHECK(subject.Metric("tarn_operations_total{kind=\"put\",result=\"hit\"}") == "4");
  CHECK(subject.Metric("tarn_batches_total") == "1");
  stream->WritesDone();
  CHECK(stream->Finish().ok());
}

TEST_CASE("errors are counted by reason, wherever they are told") {
  Subject subject(AnyEngine());
  const auto told = [&](const std::string& reason) {
    return subject.Metric("tarn_errors_total{reason=\"" + reason + "\"}");
  };
  CHECK(told("INVALID_KEY") == "(none)");
  CHECK(subject.client.Get("") == "INVALID_ARGUMENT INVALID_KEY key");
  CHECK(told("INVALID_KEY") == "1");

  v1::BatchRequest batch;
  batch.set_mode(v1::BATCH_MODE_INDEPENDENT);
  for (const char* key : {"", "k", ""}) *batch.add_operations() = PutOp(key, "v");
  *batch.add_operations() = IncrementOp("k", 1);
  v1::BatchResponse answer;
  REQUIRE(subject.client.Call(subject.client.state(), &v1::StateService::Stub::Batch, batch,
                              &answer) == "OK");
  CHECK(told("INVALID_KEY") == "3");
  CHECK(told("NOT_AN_INTEGER") == "1");

  const auto context = subject.client.NewContext();
  const auto stream = subject.client.state().Pipeline(context.get());
  v1::PipelineRequest request;
  request.set_mode(v1::BATCH_MODE_ATOMIC);
  *request.add_operations() = IncrementOp("k", 1);
  v1::PipelineResponse response;
  REQUIRE(stream->Write(request));
  REQUIRE(stream->Read(&response));
  CHECK(told("NOT_AN_INTEGER") == "2");
  request.mutable_operations(0)->set_key("");
  REQUIRE(stream->Write(request));
  REQUIRE(stream->Read(&response));
  CHECK(told("INVALID_KEY") == "4");
  stream->WritesDone();
  CHECK(stream->Finish().ok());
}

// What is swept is swept in the background: asked for until it is there.
bool Becomes(const Subject& subject, const std::string& series, const std::string& value) {
  const auto end = std::chrono::steady_clock::now() + RawClient::kPatience;
  while (std::chrono::steady_clock::now() < end) {
    if (subject.Metric(series) == value) return true;
  }
  return false;
}

TEST_CASE("what has expired is swept and counted") {
  Subject subject(AnyEngine());
  REQUIRE(subject.client.Put("kept", "v") == "OK");
  REQUIRE(subject.client.Put("k", "v", [](v1::PutRequest& request) {
    request.mutable_ttl()->set_milliseconds(1);
  }) == "OK");
  CHECK(Becomes(subject, "tarn_swept_entries_total", "1"));
  CHECK(Becomes(subject, "tarn_namespace_entries{namespace=\"default\"}", "1"));
}

TEST_CASE("entries and bytes are there by namespace") {
  Subject subject(AnyEngine());
  REQUIRE(subject.client.Put("abc", "12345",
                             [](auto& request) { request.set_namespace_("orders"); }) == "OK");
  const std::string metrics = subject.Metrics();
  CHECK(ValueOf(metrics, "tarn_namespace_entries{namespace=\"orders\"}") == "1");
  CHECK(ValueOf(metrics, "tarn_namespace_bytes{namespace=\"orders\"}") == "8");
  CHECK(ValueOf(metrics, "tarn_namespace_entries{namespace=\"default\"}") == "0");
  CHECK(ValueOf(metrics, "tarn_namespaces") == "2");
}

TEST_CASE("calls that are to be tried again are counted") {
  Subject subject("memory");
  REQUIRE(subject.client.Put("big", std::string(2 << 20, 'v')) == "OK");
  for (int i = 0; i < 12; ++i)
    REQUIRE(subject.client.Put(std::to_string(i), std::string(2 << 20, 'v')) == "OK");
  const auto context = subject.client.NewContext();
  const auto scan = subject.client.state().Scan(context.get(), {});
  v1::ScanResponse chunk;
  REQUIRE(scan->Read(&chunk));
  subject.daemon.Signal(SIGTERM);
  subject.daemon.AwaitLog("draining");
  CHECK(RawClient(subject.daemon.grpc()).Get("k") != "(none)");  // Refused, or not even connected.
  CHECK(subject.client.Get("k") == "UNAVAILABLE DRAINING");
  const std::string metrics = subject.Metrics();
  CHECK(ValueOf(metrics, "tarn_retries_advised_total") != "0");
  CHECK(ValueOf(metrics, "tarn_ready") == "0");
  context->TryCancel();
}

TEST_CASE("promtool finds nothing to complain of") {
  const Subject subject(AnyEngine());
  RawClient client(subject.daemon.grpc());
  REQUIRE(client.Put("key", "value") == "OK");
  const std::string promtool =
      std::string(std::getenv("TARN_SOURCE_DIR")) + "/build/tools/bin/promtool";
  INFO("get it with .ci/tools promtool");
  REQUIRE(std::ifstream(promtool).good());
  const std::string metrics = subject.dir / "metrics";
  std::ofstream(metrics) << subject.Metrics();
  const std::string complaints = subject.dir / "complaints";
  const int failed = std::system(
      ("'" + promtool + "' check metrics <" + metrics + " >" + complaints + " 2>&1").c_str());
  std::ifstream file(complaints);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  CHECK(text.empty());
  CHECK(failed == 0);
}

}  // namespace
}  // namespace tarn::testing
