#include "server/rpc/scan_handler.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/server/rpc/fakes.h"

namespace tarn::server {
namespace {

using Outcome = StreamHandler::Outcome;

// Gives one entry a chunk: "a", "b", ... as many as there are.
class Letters final : public storage::Scan {
 public:
  Letters(char last, absl::Status end) : last_(last), end_(std::move(end)) {}

  void Next(Done done) override {
    if (next_ > last_ && !end_.ok()) return std::move(done)(end_, {});
    const std::string key(1, next_);
    storage::EntryView entry;
    entry.key = key;
    entry.value = "value";
    entry.revision = 5;
    storage::ScanChunk chunk{.revision = 9};
    if (next_ <= last_) chunk.entries = absl::MakeConstSpan(&entry, 1);
    ++next_;
    if (next_ <= last_ || !end_.ok()) chunk.resume_token = "token";
    std::move(done)(absl::OkStatus(), chunk);
  }

 private:
  char next_ = 'a';
  const char last_;
  const absl::Status end_;
};

// One scan over as many letters as there are up to `last`, and then `end`.
class Scanning {
 public:
  explicit Scanning(char last, absl::Status end = absl::OkStatus()) {
    store_.open_scan = [last, end] { return std::make_unique<Letters>(last, end); };
    gate_.Open(store_);
  }

  Scanning& Limit(uint64_t limit) {
    request_.set_limit(limit);
    return *this;
  }
  Scanning& AsksWith(absl::string_view bytes) {
    const auto kept = std::make_shared<std::string>(bytes);
    bytes_ = EncodedMessage(std::shared_ptr<const char>(kept, kept->data()), kept->size());
    return *this;
  }
  Scanning& OpensWith(const absl::Status& error) {
    store_.open_scan = [error] { return error; };
    return *this;
  }
  Scanning& Drain() {
    gate_.Drain();
    return *this;
  }

  Scanning& Start() {
    handler_ = std::make_unique<ScanHandler>(gate_, counters_, ServerLimits(),
                                             bytes_.value_or(Encode(request_)), stream_);
    handler_->Start();
    return *this;
  }

  // What is being written: "a@9" or "a@9+" when there is more, "@9" for a chunk without entries.
  std::string Chunk() const {
    if (!stream_.writing) return "nothing";
    const auto chunk = testing::Decode<tarn::v1::ScanResponse>(*stream_.writing);
    std::string text = chunk.entries().empty() ? "" : chunk.entries(0).key();
    text += "@" + std::to_string(chunk.revision());
    return chunk.resume_token().empty() ? text : text + "+";
  }
  void Written(Outcome outcome = Outcome::kDone) {
    stream_.writing.reset();
    handler_->OnWritten(outcome);
  }
  std::string End() const {
    if (!stream_.finished) return "";
    return stream_.finished->code() == 0 ? "OK" : stream_.finished->message();
  }

  Counters& counters() { return counters_; }

 private:
  testing::FakeStore store_;
  Gate gate_;
  Counters counters_;
  tarn::v1::ScanRequest request_;
  std::optional<EncodedMessage> bytes_;
  testing::FakeStream<EncodedMessage, EncodedMessage> stream_;
  std::unique_ptr<ScanHandler> handler_;
};

TEST_CASE("chunks go out one after another until the end") {
  Scanning scan('c');
  scan.Start();
  CHECK(scan.Chunk() == "a@9+");
  scan.Written();
  CHECK(scan.Chunk() == "b@9+");
  scan.Written();
  CHECK(scan.Chunk() == "c@9");
  CHECK(scan.End().empty());
  scan.Written();
  CHECK(scan.End() == "OK");
  CHECK(scan.counters().Read().scanned_entries == 3);
}

TEST_CASE("a scan that is alone reads the next chunk while one goes out") {
  Scanning scan('c');
  scan.Start();
  CHECK(scan.counters().Read().scanned_entries == 2);
}

TEST_CASE("a scan among other calls reads the next chunk when one is out") {
  Scanning scan('c');
  scan.counters().BeginCall();
  scan.counters().BeginCall();
  scan.Start();
  CHECK(scan.counters().Read().scanned_entries == 1);
  scan.Written();
  CHECK(scan.Chunk() == "b@9+");
  CHECK(scan.counters().Read().scanned_entries == 2);
  scan.Written(Outcome::kFailed);
  CHECK(scan.End() == "OK");  // Nobody sees it.
}

TEST_CASE("an empty range still tells its revision") {
  Scanning scan('a' - 1);
  scan.Start();
  CHECK(scan.Chunk() == "@9");
  scan.Written();
  CHECK(scan.End() == "OK");
}

TEST_CASE("a scan ends at its limit, with the token to go on") {
  Scanning scan('z');
  scan.Limit(2).Start();
  scan.Written();
  CHECK(scan.Chunk() == "b@9+");
  scan.Written();
  CHECK(scan.End() == "OK");
}

TEST_CASE("a scan that cannot be opened says why") {
  Scanning scan('c');
  scan.OpensWith(absl::InternalError("broken")).Start();
  CHECK(scan.End() == "broken");
}

TEST_CASE("bytes that are no scan are refused") {
  Scanning scan('c');
  scan.AsksWith("\x0a\x7f").Start();
  CHECK(scan.End() == "the request is not a well-formed message");
}

TEST_CASE("a scan that fails midway says why") {
  Scanning scan('a', absl::AbortedError("expired"));
  scan.Start();
  CHECK(scan.Chunk() == "a@9+");
  scan.Written();
  CHECK(scan.End() == "expired");
}

TEST_CASE("a scan whose caller has gone ends") {
  Scanning scan('z');
  scan.Start().Written(Outcome::kFailed);
  CHECK(scan.End() == "OK");  // Nobody sees it.
}

TEST_CASE("a scan that begins while draining is refused") {
  Scanning scan('z');
  scan.Drain().Start();
  CHECK(scan.End() == "the server is shutting down; nothing was done");
}

}  // namespace
}  // namespace tarn::server
