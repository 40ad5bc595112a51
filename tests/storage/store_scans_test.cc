// Scans: chunks, limits, resuming, and how long their snapshots are kept.
#include <memory>
#include <string>

#include "tests/catch.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;
using testing::Value;

const std::string kExpired = "ABORTED SNAPSHOT_EXPIRED";
const std::string kInvalid = "INVALID_ARGUMENT INVALID_RESUME_TOKEN";

// A store with the entries a=1 to e=5 in "default".
struct Letters : StoreSubject {
  explicit Letters(const StoreOptions& options_in = Options()) : StoreSubject(options_in) {
    for (char c = 'a'; c <= 'e'; ++c) Set(std::string(1, c), std::string(1, c - 'a' + '1'));
  }

  void Set(const std::string& key, const std::string& value) {
    if (!Do(Put(key, value)).status.ok()) throw std::runtime_error("put failed");
  }

  // The token after the first `entries` of a scan that is then given up.
  std::string TokenAfter(uint64_t entries, ScanRequest request = {}) {
    request.limit = entries;
    const auto scan = testing::Value(Open(request));
    return Next(*scan).token;
  }
};

ScanRequest With(ScanRequest request, const std::string& token) {
  request.resume_token = token;
  return request;
}

ScanRequest Resuming(const std::string& token) { return With({}, token); }

TEST_CASE("a scan gives the entries of its range in order, in both directions") {
  Letters subject;
  CHECK(subject.ScanAll({}).entries == "a=1 b=2 c=3 d=4 e=5");
  CHECK(subject.ScanAll({.options = {.direction = ScanDirection::kDescending}}).entries ==
        "e=5 d=4 c=3 b=2 a=1");
  CHECK(subject.ScanAll({.bounds = {.start = "b", .end = "d"}}).entries == "b=2 c=3");
  CHECK(subject.ScanAll({.bounds = {.prefix = "c"}}).entries == "c=3");
  CHECK(subject.ScanAll({.options = {.content = ScanContent::kKeysOnly}}).entries ==
        "a= b= c= d= e=");
}

TEST_CASE("a scan of nothing ends at once, and knows its revision") {
  Letters subject;
  const Revision revision = subject.Do(Put("z", "9")).revision;
  for (const ScanRequest& request :
       {ScanRequest{.ns = "empty"}, ScanRequest{.bounds = {.prefix = "x"}},
        ScanRequest{.bounds = {.start = "b", .end = "b"}}}) {
    const auto scan = Value(subject.Open(request));
    const Scanned chunk = subject.Next(*scan);
    CHECK(chunk.status.ok());
    CHECK(chunk.entries.empty());
    CHECK(chunk.token.empty());
    CHECK(chunk.revision >= revision);
  }
  CHECK(subject.Names() == "default");
}

TEST_CASE("an invalid range is refused") {
  Letters subject;
  CHECK(Brief(subject.Open({.bounds = {.prefix = "a", .start = "b"}})) ==
        "INVALID_ARGUMENT INVALID_RANGE");
}

TEST_CASE("a prefix of wildcards finds only the keys that begin with them") {
  StoreSubject subject;
  for (const char* key : {"*", "*a", "a*", "[a]", "?"})
    REQUIRE(subject.Do(Put(key, "1")).status.ok());
  CHECK(subject.ScanAll({.bounds = {.prefix = "*"}}).entries == "*=1 *a=1");
  CHECK(subject.ScanAll({.bounds = {.prefix = "["}}).entries == "[a]=1");
}

TEST_CASE("a scan is cut into chunks by bytes, a larger entry coming alone") {
  StoreSubject subject;
  for (const char* key : {"a", "b", "d"}) REQUIRE(subject.Do(Put(key, "123456789")).status.ok());
  REQUIRE(subject.Do(Put("c", std::string(100, 'v'))).status.ok());
  const auto scan = Value(subject.Open({.chunk_bytes = 25}));
  CHECK(subject.Next(*scan).entries == "a=123456789 b=123456789");
  CHECK(subject.Next(*scan).entries == "c=" + std::string(100, 'v'));
  CHECK(subject.Next(*scan).entries == "d=123456789");
}

TEST_CASE("a chunk is never larger than the server allows") {
  StoreOptions options = StoreSubject::Options();
  options.limits.max_scan_chunk_bytes = 4;
  Letters subject(options);
  const auto scan = Value(subject.Open({.chunk_bytes = 1 << 30}));
  CHECK(subject.Next(*scan).entries == "a=1 b=2");
}

TEST_CASE("a chunk of small keys is bounded in entries") {
  StoreSubject subject;
  std::vector<Op> ops;
  for (int i = 0; i < 4096; ++i) ops.push_back(Put("k" + std::to_string(i), ""));
  REQUIRE(subject.Batch(BatchMode::kIndependent, ops).status.ok());
  REQUIRE(subject.Do(Put("last", "")).status.ok());
  const auto scan = Value(subject.Open({.chunk_bytes = 1 << 20}));
  const std::string first = subject.Next(*scan).entries;
  CHECK(std::count(first.begin(), first.end(), '=') == 4096);
  CHECK(subject.Next(*scan).entries == "last=");
}

TEST_CASE("a limit bounds the entries in all, and the scan can go on behind it") {
  Letters subject;
  const auto scan = Value(subject.Open({.limit = 2}));
  const Scanned chunk = subject.Next(*scan);
  CHECK(chunk.entries == "a=1 b=2");
  CHECK_FALSE(chunk.token.empty());
  const Scanned after = subject.Next(*scan);
  CHECK(after.entries.empty());
  CHECK(after.token == chunk.token);
  CHECK(after.revision == chunk.revision);
  CHECK(subject.ScanAll(Resuming(chunk.token)).entries == "c=3 d=4 e=5");
}

TEST_CASE("a limit that is met at the very end leaves nothing to resume") {
  Letters subject;
  CHECK(subject.ScanAll({.limit = 5}).token.empty());
  CHECK(subject.ScanAll({.limit = 6}).token.empty());
  CHECK(subject.store().Stats().open_scans == 0);
}

// --- one view ---

TEST_CASE("a scan shows one revision, while writes go on") {
  Letters subject;
  const auto scan = Value(subject.Open({.chunk_bytes = 4}));
  const Scanned first = subject.Next(*scan);
  CHECK(first.entries == "a=1 b=2");
  subject.Set("c", "changed");
  REQUIRE(subject.Do(Delete("d")).found);
  subject.Set("bb", "new");
  Scanned second = subject.Next(*scan);
  CHECK(second.entries == "c=3 d=4");
  CHECK(second.revision == first.revision);
  CHECK(subject.Next(*scan).entries == "e=5");
}

TEST_CASE("a resumed scan goes on at the same revision, in both directions") {
  const auto direction = GENERATE(ScanDirection::kAscending, ScanDirection::kDescending);
  Letters subject;
  const ScanRequest request{.options = {.direction = direction}};
  const auto first = Value(subject.Open({.options = {.direction = direction}, .limit = 2}));
  const Scanned chunk = subject.Next(*first);
  subject.Set("c", "changed");
  subject.Set("cc", "new");
  const Scanned rest = subject.ScanAll(With(request, chunk.token));
  CHECK(rest.entries == (direction == ScanDirection::kAscending ? "c=3 d=4 e=5" : "c=3 b=2 a=1"));
  CHECK(rest.revision == chunk.revision);
}

TEST_CASE("a token can be used again, and so can an earlier one") {
  Letters subject;
  const auto scan = Value(subject.Open({.chunk_bytes = 2}));
  const std::string early = subject.Next(*scan).token;
  const std::string late = subject.Next(*scan).token;
  for (int i = 0; i < 2; ++i) {
    CHECK(subject.Next(*Value(subject.Open({.limit = 1, .resume_token = early}))).entries == "b=2");
    CHECK(subject.Next(*Value(subject.Open({.limit = 1, .resume_token = late}))).entries == "c=3");
  }
}

TEST_CASE("entries that expire are not shown, even in the middle of a scan") {
  Letters subject;
  REQUIRE(subject.Do(Put("bb", "x").For(1000)).status.ok());
  REQUIRE(subject.Do(Put("cc", "x").For(1000)).status.ok());
  const auto scan = Value(subject.Open({.chunk_bytes = 6}));
  CHECK(subject.Next(*scan).entries == "a=1 b=2");
  CHECK(subject.Next(*scan).entries == "bb=x c=3");
  subject.clock.Advance(1000);
  CHECK(subject.Next(*scan).entries == "d=4 e=5");
}

// --- tokens ---

TEST_CASE("a token goes with its request only") {
  Letters subject;
  const ScanRequest request{.bounds = {.start = "a", .end = "e"}};
  const std::string token = subject.TokenAfter(2, request);
  CHECK(subject.ScanAll(With(request, token)).entries == "c=3 d=4");
  CHECK(Brief(subject.ScanAll(With({.bounds = {.start = "a", .end = "d"}}, token)).status) ==
        kInvalid);
  CHECK(Brief(subject.ScanAll(With({.bounds = {.prefix = "a"}}, token)).status) == kInvalid);
  CHECK(Brief(subject.ScanAll(With({.ns = "other", .bounds = request.bounds}, token)).status) ==
        kInvalid);
  ScanRequest reverse = request;
  reverse.options.direction = ScanDirection::kDescending;
  CHECK(Brief(subject.ScanAll(With(reverse, token)).status) == kInvalid);
  ScanRequest keys = request;
  keys.options.content = ScanContent::kKeysOnly;
  CHECK(Brief(subject.ScanAll(With(keys, token)).status) == kInvalid);
}

TEST_CASE("limit and chunk size may differ when a scan is resumed, and default is a name too") {
  Letters subject;
  const std::string token = subject.TokenAfter(2);
  CHECK(subject.ScanAll({.ns = "default", .limit = 1, .chunk_bytes = 1, .resume_token = token})
            .entries == "c=3");
}

TEST_CASE("what is no token at all is refused") {
  Letters subject;
  for (const std::string token : {"x", "garbage garbage garbage garbage", "\x01"}) {
    CHECK(Brief(subject.ScanAll(Resuming(token)).status) == kInvalid);
  }
}

TEST_CASE("a forged token that mixes sessions and requests is refused") {
  Letters subject;
  const ResumeTokenCodec codec(subject.meta.store_id);
  ResumeToken whole = Value(codec.Decode(subject.TokenAfter(2)));
  const ResumeToken part =
      Value(codec.Decode(subject.TokenAfter(1, {.bounds = {.start = "a", .end = "d"}})));
  ResumeToken forged = whole;
  forged.session = part.session;
  CHECK(Brief(subject.ScanAll(Resuming(codec.Encode(forged))).status) == kInvalid);
  forged = part;
  forged.last_key = "z";
  CHECK(Brief(subject.ScanAll(With({.bounds = {.start = "a", .end = "d"}}, codec.Encode(forged)))
                  .status) == kInvalid);
  CHECK(subject.ScanAll(Resuming(codec.Encode(whole))).entries == "c=3 d=4 e=5");
}

TEST_CASE("a token from before a restart, or of a namespace that was replaced, has expired") {
  Letters subject;
  REQUIRE(subject.Do(Put("a", "1"), "other").status.ok());
  REQUIRE(subject.Do(Put("b", "1"), "other").status.ok());
  const std::string replaced = subject.TokenAfter(1, {.ns = "other"});
  REQUIRE(subject.DeleteRange("other").ok());
  REQUIRE(subject.Drop("other").ok());
  CHECK(Brief(subject.ScanAll(With({.ns = "other"}, replaced)).status) == kExpired);
  REQUIRE(subject.Create("other").ok());
  CHECK(Brief(subject.ScanAll(With({.ns = "other"}, replaced)).status) == kExpired);

  const std::string token = subject.TokenAfter(2);
  REQUIRE(subject.Reopen().ok());
  CHECK(Brief(subject.ScanAll(Resuming(token)).status) == kExpired);
}

// --- how long a snapshot is kept ---

TEST_CASE("a scan that was given up keeps its snapshot") {
  Letters subject;
  subject.TokenAfter(2);
  CHECK(subject.engine->open_snapshots() == 1);
  CHECK(subject.store().Stats().open_scans == 1);
}

TEST_CASE("a scan that was whole in one chunk keeps nothing: nobody has a token") {
  Letters subject;
  CHECK(subject.ScanAll({}).token.empty());
  CHECK(subject.engine->open_snapshots() == 0);
}

TEST_CASE("a scan that was read to its end can be resumed for a moment, its tail may be lost") {
  Letters subject;
  std::string token;
  {
    const auto scan = Value(subject.Open({.chunk_bytes = 6}));
    token = subject.Next(*scan).token;
    CHECK(subject.Next(*scan).token.empty());
  }
  CHECK(subject.engine->open_snapshots() == 1);
  CHECK(subject.ScanAll(Resuming(token)).entries == "d=4 e=5");
  subject.clock.Advance(4'999);
  CHECK(subject.ScanAll(Resuming(token)).status.ok());
  subject.clock.Advance(5'000);
  CHECK(Brief(subject.ScanAll(Resuming(token)).status) == kExpired);
  subject.store().SweepOnce();
  CHECK(subject.engine->open_snapshots() == 0);
}

TEST_CASE("a scan that was read to its end makes room before one that was given up") {
  StoreOptions options = StoreSubject::Options();
  options.max_open_scans = 2;
  Letters subject(options);
  const std::string given_up = subject.TokenAfter(2);
  subject.ScanAll({.chunk_bytes = 6});
  subject.TokenAfter(1);
  CHECK(subject.ScanAll(Resuming(given_up)).status.ok());
}

TEST_CASE("a scan that was never read keeps nothing: nobody has a token") {
  Letters subject;
  { const auto scan = Value(subject.Open({})); }
  CHECK(subject.engine->open_snapshots() == 0);
}

TEST_CASE("a snapshot that nobody comes back for is ended after its lifetime, and not before") {
  Letters subject;
  const std::string token = subject.TokenAfter(2);
  subject.clock.Advance(59'999);
  subject.store().SweepOnce();
  CHECK(subject.engine->open_snapshots() == 1);
  subject.clock.Advance(1);
  subject.store().SweepOnce();
  CHECK(subject.engine->open_snapshots() == 0);
  CHECK(Brief(subject.ScanAll(Resuming(token)).status) == kExpired);
}

TEST_CASE("a token is refused from its time on, even before the snapshot is swept") {
  Letters subject;
  const std::string token = subject.TokenAfter(2);
  subject.clock.Advance(60'000);
  CHECK(Brief(subject.ScanAll(Resuming(token)).status) == kExpired);
}

TEST_CASE("each use keeps a snapshot for another lifetime") {
  Letters subject;
  const std::string token = subject.TokenAfter(2);
  for (int i = 0; i < 5; ++i) {
    subject.clock.Advance(50'000);
    subject.store().SweepOnce();
    const auto scan = Value(subject.Open({.limit = 1, .resume_token = token}));
    CHECK(subject.Next(*scan).entries == "c=3");
  }
  CHECK(subject.store().Stats().oldest_scan_age == absl::Milliseconds(250'000));
}

TEST_CASE("a scan that is being read does not expire, however slow its reader is") {
  Letters subject;
  const auto scan = Value(subject.Open({.chunk_bytes = 4}));
  CHECK(subject.Next(*scan).entries == "a=1 b=2");
  subject.clock.Advance(10'000'000);
  subject.store().SweepOnce();
  CHECK(subject.Next(*scan).entries == "c=3 d=4");
}

TEST_CASE("a caller that comes back while its lost connection lives on shares the snapshot") {
  Letters subject;
  const size_t at_start = subject.engine->opened_snapshots();
  const auto lost = Value(subject.Open({.chunk_bytes = 4}));
  const std::string token = subject.Next(*lost).token;
  CHECK(subject.ScanAll(Resuming(token)).entries == "c=3 d=4 e=5");
  CHECK(subject.Next(*lost).entries == "c=3 d=4");
  CHECK(subject.engine->opened_snapshots() == at_start + 1);
}

TEST_CASE("at the limit the scan that has been idle longest is ended for a new one") {
  StoreOptions options = StoreSubject::Options();
  options.max_open_scans = 3;
  Letters subject(options);
  const std::string first = subject.TokenAfter(1);
  const std::string second = subject.TokenAfter(1);
  const auto active = Value(subject.Open({.chunk_bytes = 2}));
  subject.Next(*active);
  { const auto used = Value(subject.Open({.limit = 1, .resume_token = first})); }
  const std::string fourth = subject.TokenAfter(1);
  CHECK(Brief(subject.ScanAll(Resuming(second)).status) == kExpired);
  CHECK(subject.Next(*active).entries == "b=2");
  CHECK(subject.ScanAll(Resuming(fourth)).status.ok());
  CHECK(subject.engine->open_snapshots() <= 3);
}

TEST_CASE("when all scans are being read, a new one is refused") {
  StoreOptions options = StoreSubject::Options();
  options.max_open_scans = 2;
  Letters subject(options);
  auto first = Value(subject.Open({.chunk_bytes = 2}));
  const auto second = Value(subject.Open({.chunk_bytes = 2}));
  CHECK(Brief(subject.Open({})) == "RESOURCE_EXHAUSTED TOO_MANY_SNAPSHOTS");
  CHECK(subject.Next(*first).entries == "a=1");
  first.reset();
  CHECK(subject.Open({}).ok());
}

TEST_CASE("a scan whose snapshot the engine ended says so, and keeps nothing") {
  Letters subject;
  auto scan = Value(subject.Open({.chunk_bytes = 4}));
  const std::string token = subject.Next(*scan).token;
  subject.engine->ExpireSnapshots();
  CHECK(Brief(subject.Next(*scan).status) == kExpired);
  scan.reset();
  CHECK(subject.engine->open_snapshots() == 0);
  CHECK(Brief(subject.ScanAll(Resuming(token)).status) == kExpired);
}

TEST_CASE("a scan that cannot be opened gives back its place") {
  StoreOptions options = StoreSubject::Options();
  options.max_open_scans = 1;
  Letters subject(options);
  subject.engine->FailOpenSnapshot(absl::InternalError("no"));
  for (int i = 0; i < 3; ++i) CHECK(Brief(subject.Open({})) == "INTERNAL");
  subject.engine->FailOpenSnapshot(absl::OkStatus());
  subject.executor.Refuse(absl::ResourceExhaustedError("busy"));
  for (int i = 0; i < 3; ++i) CHECK(Brief(subject.Open({})) == "RESOURCE_EXHAUSTED");
  subject.executor.Refuse(absl::OkStatus());
  CHECK(subject.Open({}).ok());
}

TEST_CASE("an engine that answers pages late is as good") {
  Letters subject;
  subject.engine->AnswerPagesLate();
  CHECK(subject.ScanAll({.chunk_bytes = 4}).entries == "a=1 b=2 c=3 d=4 e=5");
}

}  // namespace
}  // namespace tarn::storage
