// Scans over the wire.
#include <algorithm>
#include <set>

#include "tests/catch.h"
#include "tests/e2e/raw_client.h"
#include "tests/support/daemon.h"
#include "tests/support/temp_dir.h"

namespace tarn::testing {
namespace {

class Subject {
 public:
  explicit Subject(std::vector<std::string> arguments)
      : daemon_({.directory = dir_.path(), .arguments = std::move(arguments)}),
        client(daemon_.grpc()) {}

  // key00000 to key<n-1>, each with its number and a kilobyte behind it.
  void Fill(int count) {
    for (int begin = 0; begin < count; begin += 1000) {
      v1::BatchRequest batch;
      batch.set_mode(v1::BATCH_MODE_INDEPENDENT);
      for (int i = begin; i < std::min(begin + 1000, count); ++i)
        *batch.add_operations() = PutOp(Key(i), Value(i));
      v1::BatchResponse response;
      REQUIRE(client.Call(client.state(), &v1::StateService::Stub::Batch, batch, &response) ==
              "OK");
    }
  }

  static std::string Key(int i) {
    std::string digits = std::to_string(i);
    return "key" + std::string(5 - digits.size(), '0') + digits;
  }
  static std::string Value(int i) { return std::to_string(i) + std::string(1000, '.'); }

 private:
  const TempDir dir_;
  DaemonProcess daemon_;

 public:
  RawClient client;
};

// What one call of Scan gave.
struct Scanned {
  std::vector<v1::Entry> entries;
  std::vector<uint64_t> revisions;
  size_t largest_chunk = 0;
  int chunks = 0;
  std::string token;
  std::string end;
};

Scanned Run(RawClient& client, const v1::ScanRequest& request, int max_chunks = 1 << 30) {
  const auto context = client.NewContext();
  const auto reader = client.state().Scan(context.get(), request);
  Scanned result;
  v1::ScanResponse response;
  while (result.chunks < max_chunks && reader->Read(&response)) {
    ++result.chunks;
    size_t bytes = 0;
    for (const auto& entry : response.entries()) {
      bytes += entry.key().size() + entry.value().size();
      result.entries.push_back(entry);
    }
    result.largest_chunk = std::max(result.largest_chunk, bytes);
    result.revisions.push_back(response.revision());
    result.token = response.resume_token();
  }
  if (result.chunks == max_chunks) context->TryCancel();
  while (reader->Read(&response)) continue;
  result.end = Brief(reader->Finish());
  return result;
}

Subject AnyEngine() {
  return Subject({"--engine", GENERATE(std::string("memory"), std::string("rocksdb"))});
}

TEST_CASE("a scan gives every entry once, in order, in chunks, at one revision") {
  Subject subject = AnyEngine();
  subject.Fill(3000);
  const Scanned scan = Run(subject.client, {});
  CHECK(scan.end == "OK");
  REQUIRE(scan.entries.size() == 3000);
  for (int i = 0; i < 3000; ++i) {
    REQUIRE(scan.entries[i].key() == Subject::Key(i));
    REQUIRE(scan.entries[i].value() == Subject::Value(i));
  }
  CHECK(scan.chunks > 2);
  CHECK(scan.largest_chunk <= 256 << 10);
  CHECK(std::set<uint64_t>(scan.revisions.begin(), scan.revisions.end()).size() == 1);
  CHECK(scan.token.empty());
}

TEST_CASE("a scan goes backwards, over a part, and without values") {
  Subject subject = AnyEngine();
  subject.Fill(100);
  v1::ScanRequest request;
  request.mutable_range()->set_start(Subject::Key(10));
  request.mutable_range()->set_end(Subject::Key(20));
  request.set_order(v1::SCAN_ORDER_DESCENDING);
  request.set_keys_only(true);
  const Scanned scan = Run(subject.client, request);
  REQUIRE(scan.entries.size() == 10);
  CHECK(scan.entries.front().key() == Subject::Key(19));
  CHECK(scan.entries.back().key() == Subject::Key(10));
  CHECK(scan.entries.front().value().empty());
  CHECK(scan.entries.front().revision() > 0);
}

TEST_CASE("a scan that was broken off goes on where it was, at the same revision") {
  Subject subject = AnyEngine();
  constexpr int kEntries = 20'000;  // More than windows and sockets hold.
  subject.Fill(kEntries);
  const Scanned first = Run(subject.client, {}, 2);
  REQUIRE_FALSE(first.token.empty());
  REQUIRE(subject.client.Put(Subject::Key(kEntries - 1), "changed") == "OK");
  REQUIRE(subject.client.Put("key99999", "new") == "OK");
  REQUIRE(subject.client.Delete(Subject::Key(kEntries - 2)) == "OK");
  v1::ScanRequest request;
  request.set_resume_token(first.token);
  const Scanned rest = Run(subject.client, request);
  CHECK(rest.end == "OK");
  REQUIRE(first.entries.size() + rest.entries.size() == kEntries);
  CHECK(rest.entries.front().key() == Subject::Key(static_cast<int>(first.entries.size())));
  CHECK(rest.entries.back().value() == Subject::Value(kEntries - 1));
  CHECK(rest.revisions.front() == first.revisions.front());
}

TEST_CASE("a limit ends the scan with a token that goes on") {
  Subject subject = AnyEngine();
  subject.Fill(100);
  v1::ScanRequest request;
  request.set_limit(30);
  const Scanned first = Run(subject.client, request);
  CHECK(first.end == "OK");
  CHECK(first.entries.size() == 30);
  REQUIRE_FALSE(first.token.empty());
  request.set_resume_token(first.token);
  request.set_limit(0);
  CHECK(Run(subject.client, request).entries.size() == 70);
}

TEST_CASE("a token is good only for the request it came from") {
  Subject subject = AnyEngine();
  subject.Fill(100);
  v1::ScanRequest request;
  request.set_limit(10);
  request.set_resume_token(Run(subject.client, request).token);
  request.set_keys_only(true);
  CHECK(Run(subject.client, request).end == "INVALID_ARGUMENT INVALID_RESUME_TOKEN resume_token");
}

TEST_CASE("a token that has outlived its snapshot says so") {
  Subject subject({"--engine", "memory", "--scan-lifetime", "0s"});
  subject.Fill(100);
  v1::ScanRequest request;
  request.set_limit(10);
  request.set_resume_token(Run(subject.client, request).token);
  CHECK(Run(subject.client, request).end == "ABORTED SNAPSHOT_EXPIRED");
}

TEST_CASE("an empty range gives its revision and nothing else") {
  Subject subject = AnyEngine();
  subject.Fill(1);
  v1::ScanRequest request;
  request.mutable_range()->set_prefix("none");
  const Scanned scan = Run(subject.client, request);
  CHECK(scan.end == "OK");
  CHECK(scan.chunks == 1);
  CHECK(scan.entries.empty());
  CHECK(scan.revisions.front() > 0);
}

TEST_CASE("an entry larger than a chunk comes alone") {
  Subject subject = AnyEngine();
  REQUIRE(subject.client.Put("a", "small") == "OK");
  REQUIRE(subject.client.Put("b", std::string(400 << 10, 'v')) == "OK");
  const Scanned scan = Run(subject.client, {});
  CHECK(scan.entries.size() == 2);
  CHECK(scan.chunks == 2);
}

}  // namespace
}  // namespace tarn::testing
