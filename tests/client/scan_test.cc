// Scans against a server with a script, and above a source of the test's own.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/client/fixture.h"

namespace tarn::testing {
namespace {

using grpc::StatusCode;
using Writer = grpc::ServerWriter<v1::ScanResponse>;

v1::ScanResponse Chunk(const std::vector<std::string>& keys, const std::string& token) {
  v1::ScanResponse response;
  response.set_revision(42);
  response.set_resume_token(token);
  for (const std::string& key : keys) {
    auto* entry = response.add_entries();
    entry->set_key(key);
    entry->set_value("value of " + key);
    entry->set_revision(7);
  }
  return response;
}

// Keys joined by commas, then the error if there was one.
std::string Read(Scan scan) {
  std::string text;
  for (const absl::StatusOr<Entry>& entry : scan) {
    if (!text.empty()) text += ",";
    text += entry.ok() ? entry->key : std::string(ReasonName(ReasonOf(entry.status())));
  }
  return text;
}

TEST_CASE("a scan gives every entry of every chunk") {
  Fixture f;
  std::vector<v1::ScanRequest> requests;
  f.server.scans = {[&](const v1::ScanRequest& request, Writer& writer) {
    requests.push_back(request);
    writer.Write(Chunk({"a", "b"}, "t1"));
    writer.Write(Chunk({}, "t2"));
    writer.Write(Chunk({"c"}, ""));
    return grpc::Status::OK;
  }};
  Scan scan = f.MakeClient("app").Scan(KeyRange::Prefix("p"), {.order = ScanOrder::kDescending,
                                                               .content = ScanContent::kKeysOnly,
                                                               .limit = 10,
                                                               .chunk_bytes = 99});
  const auto first = scan.Next();
  REQUIRE((first.ok() && first->has_value()));
  CHECK((*first)->value == "value of a");
  CHECK((*first)->revision == 7);
  CHECK(scan.revision() == 42);
  CHECK(Read(std::move(scan)) == "b,c");
  CHECK(requests.at(0).ShortDebugString() ==
        R"(namespace: "app" range { prefix: "p" } order: SCAN_ORDER_DESCENDING )"
        R"(keys_only: true limit: 10 chunk_bytes: 99)");
}

TEST_CASE("an empty scan has a revision and no entries") {
  Fixture f;
  f.server.scans = {[](const v1::ScanRequest&, Writer& writer) {
    writer.Write(Chunk({}, ""));
    return grpc::Status::OK;
  }};
  Scan scan = f.MakeClient().Scan();
  CHECK_FALSE(scan.Next()->has_value());
  CHECK_FALSE(scan.Next()->has_value());
  CHECK(scan.revision() == 42);
}

TEST_CASE("a scan whose stream breaks continues where it was, at its revision") {
  Fixture f;
  std::vector<v1::ScanRequest> requests;
  f.server.scans = {[&](const v1::ScanRequest& request, Writer& writer) {
                      requests.push_back(request);
                      writer.Write(Chunk({"a", "b"}, "after b"));
                      return Broken();
                    },
                    [&](const v1::ScanRequest& request, Writer&) {
                      requests.push_back(request);
                      return TarnError(StatusCode::UNAVAILABLE, "NOT_READY");
                    },
                    [&](const v1::ScanRequest& request, Writer& writer) {
                      requests.push_back(request);
                      writer.Write(Chunk({"c"}, ""));
                      return grpc::Status::OK;
                    }};
  CHECK(Read(f.MakeClient().Scan({}, {.limit = 5})) == "a,b,c");
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].resume_token().empty());
  CHECK(requests[1].resume_token() == "after b");
  CHECK(requests[1].limit() == 3);
  CHECK(requests[2].resume_token() == "after b");
  CHECK(f.fake.slept->size() == 2);
}

TEST_CASE("a stream that breaks after the last entry, or at the limit, is no error") {
  Fixture f;
  f.server.scans = {[](const v1::ScanRequest& request, Writer& writer) {
    writer.Write(Chunk({"a"}, request.limit() == 1 ? "more" : ""));
    return Broken();
  }};
  CHECK(Read(f.MakeClient().Scan()) == "a");
  CHECK(Read(f.MakeClient().Scan({}, {.limit = 1})) == "a");
  CHECK(f.server.scan_calls == 2);
}

TEST_CASE("a scan whose snapshot is gone ends with the reason") {
  Fixture f;
  f.server.scans = {[](const v1::ScanRequest&, Writer& writer) {
    writer.Write(Chunk({"a"}, "t"));
    return TarnError(StatusCode::ABORTED, "SNAPSHOT_EXPIRED");
  }};
  CHECK(Read(f.MakeClient().Scan()) == "a,SNAPSHOT_EXPIRED");
  CHECK(f.server.scan_calls == 1);
}

TEST_CASE("a scan gives up when its retries are used up, and counts them anew after each chunk") {
  Fixture f;
  int calls = 0;
  f.server.scans = {[&calls](const v1::ScanRequest&, Writer& writer) {
    // Every third call brings an entry: with three retries between two of them it never gives up,
    // until the end.
    if (++calls % 3 == 0 && calls < 10) writer.Write(Chunk({std::to_string(calls)}, "t"));
    return TarnError(StatusCode::UNAVAILABLE, "NOT_READY");
  }};
  CHECK(Read(f.MakeClient().Scan()) == "3,6,9,NOT_READY");
}

TEST_CASE("a scan can be left before its end") {
  Fixture f;
  f.server.scans = {[](const v1::ScanRequest&, Writer& writer) {
    while (writer.Write(Chunk({"again"}, "t"))) {
    }
    return grpc::Status::OK;
  }};
  Scan scan = f.MakeClient().Scan();
  CHECK((*scan.Next())->key == "again");
}

TEST_CASE("a connection that offers nothing says so") {
  class Bare : public Connection {};
  const Client client(std::make_shared<Bare>());
  CHECK(client.Get("k").status().code() == absl::StatusCode::kUnimplemented);
  CHECK(client.Scan().Next().status().code() == absl::StatusCode::kUnimplemented);
  Pipeline pipeline = client.OpenPipeline();
  CHECK(pipeline.Add(Operation::Get("k")).get().status().code() ==
        absl::StatusCode::kUnimplemented);
  CHECK(pipeline.Flush().ok());
  CHECK(pipeline.Close().ok());
  absl::StatusCode code = absl::StatusCode::kOk;
  client.AsyncGet("k", {}, [&code](const auto& result) { code = result.status().code(); });
  CHECK(code == absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace tarn::testing
