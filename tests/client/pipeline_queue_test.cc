// What the pipeline keeps in line, without any stream.
#include "client/src/pipeline_queue.h"

#include <string>
#include <vector>

#include "tests/catch.h"

namespace tarn::internal {
namespace {

constexpr auto kIgnore = [](const auto&) {};

struct Line {
  PipelineQueue queue;

  explicit Line(PipelineOptions options = {}) : queue("app", options) {}

  Line& Get(const std::string& key) {
    queue.Add(Operation::Get(key), kIgnore);
    return *this;
  }
  Line& Put(const std::string& key, const std::string& value = "v") {
    queue.Add(Operation::Put(key, value), kIgnore);
    return *this;
  }
  Line& AddBatch(const std::string& key) {
    queue.Add(MakeBatchMessage("app", Batch::Atomic().Put(key, "v"), kIgnore));
    return *this;
  }
  // The keys of the next message, "-" if nothing may be sent.
  std::string Send() {
    const PipelineMessage* message = queue.NextToSend();
    return message == nullptr ? "-" : Keys(*message);
  }
  static std::string Keys(const PipelineMessage& message) {
    std::string keys;
    for (const auto& operation : message.request.operations()) keys += operation.key();
    return keys;
  }
};

TEST_CASE("the first two messages go at once, and then operations gather") {
  Line line;
  CHECK(line.Get("a").Send() == "a");
  CHECK(line.Get("b").Send() == "b");
  CHECK(line.Get("c").Get("d").Send() == "-");
  REQUIRE(line.queue.TakeAnswered(1) != nullptr);
  CHECK(line.Send() == "cd");
}

TEST_CASE("what cannot grow any more does not wait to grow") {
  Line full({.max_message_operations = 2});
  CHECK(full.Get("a").Send() == "a");
  CHECK(full.Get("b").Send() == "b");
  CHECK(full.Get("c").Get("d").Get("e").Send() == "cd");
  CHECK(full.Send() == "-");
  CHECK(full.AddBatch("f").Send() == "e");  // Something stands behind it.
  CHECK(full.Send() == "f");
}

TEST_CASE("a message ends before the operation that would make it too large") {
  Line line({.max_message_bytes = 10});
  line.Put("a", "1234").Put("b", "5678").Put("c", std::string(100, 'x')).Put("d");
  CHECK(line.Send() == "ab");
  CHECK(line.Send() == "c");
  CHECK(line.Send() == "-");
}

TEST_CASE("no more than the limit are unanswered") {
  Line line({.max_unanswered_messages = 2});
  line.AddBatch("a").AddBatch("b").AddBatch("c");
  CHECK(line.Send() == "a");
  CHECK(line.Send() == "b");
  CHECK(line.Send() == "-");
  REQUIRE(line.queue.TakeAnswered(2) != nullptr);
  CHECK(line.Send() == "c");
  CHECK(line.queue.unanswered_messages() == 2);
}

TEST_CASE("an answer belongs to one message, once") {
  Line line;
  line.AddBatch("a").AddBatch("b");
  line.Send();
  line.Send();
  CHECK(line.queue.TakeAnswered(0) == nullptr);
  CHECK(line.queue.TakeAnswered(3) == nullptr);
  CHECK(Line::Keys(*line.queue.TakeAnswered(2)) == "b");
  CHECK(line.queue.TakeAnswered(2) == nullptr);
  CHECK(Line::Keys(*line.queue.TakeAnswered(1)) == "a");
  CHECK(line.queue.TakeAnswered(1) == nullptr);
}

TEST_CASE("pending is what was added and not settled, whichever way it went") {
  Line line({.max_pending_operations = 3, .max_pending_bytes = 10});
  CHECK(line.queue.HasRoom(1000, 1000));  // Alone anything goes.
  line.Put("a", "1").Put("b", "2");
  CHECK(line.queue.HasRoom(1, 6));
  CHECK_FALSE(line.queue.HasRoom(2, 1));
  CHECK_FALSE(line.queue.HasRoom(1, 7));
  line.Send();
  const auto message = line.queue.TakeAnswered(1);
  CHECK(line.queue.pending_operations() == 2);
  line.queue.Settle(*message);
  CHECK(line.queue.pending_operations() == 0);
}

TEST_CASE("what is put back goes first, in its order, and takes nothing in") {
  Line line;
  line.AddBatch("a").AddBatch("b");
  line.Send();
  line.Send();
  line.Get("c");
  line.queue.PutBack(line.queue.TakeUnanswered());
  CHECK(line.Send() == "a");
  CHECK(line.Send() == "b");
  REQUIRE(line.queue.TakeAnswered(3) != nullptr);  // Sent again under new ids.
  CHECK(line.Get("d").Send() == "cd");
}

TEST_CASE("a message is used again as if it were new") {
  Line line;
  line.Put("a").Send();
  auto message = line.queue.TakeAnswered(1);
  line.queue.Settle(*message);
  Clear(*message);
  const PipelineMessage* const before = message.get();
  line.queue.Recycle(std::move(message));
  line.Get("b");
  const PipelineMessage* const again = line.queue.NextToSend();
  CHECK(again == before);
  CHECK(Line::Keys(*again) == "b");
  CHECK(again->reads_only);
  CHECK(again->operation_callbacks.size() == 1);
  CHECK(again->request.namespace_() == "app");
}

// --- sending one operation again
// --------------------------------------------------------------------------------

TEST_CASE("a read may be sent again unless a later write of its key may have been done") {
  Line line({.max_unanswered_messages = 1});
  line.Get("k").Put("other");
  line.Send();
  CHECK(line.queue.MaySendAgain(*line.queue.TakeAnswered(1), 0));
}

TEST_CASE("a later write in the same message forbids it, a later read does not") {
  Line line;
  line.Get("r").Get("w").Get("r").Put("w");
  line.Send();
  const auto message = line.queue.TakeAnswered(1);
  CHECK(line.queue.MaySendAgain(*message, 0));
  CHECK_FALSE(line.queue.MaySendAgain(*message, 1));
}

TEST_CASE("a write in a later message that is under way forbids it, one that waits does not") {
  Line line;
  line.Get("k").Get("j");
  line.Send();
  line.Put("k");
  line.Send();
  line.Put("j");
  CHECK(line.Send() == "-");
  const auto message = line.queue.TakeAnswered(1);
  CHECK_FALSE(line.queue.MaySendAgain(*message, 0));
  CHECK(line.queue.MaySendAgain(*message, 1));
}

TEST_CASE("a later message that was answered before forbids it, whatever it held") {
  Line line;
  line.Get("k");
  line.Send();
  line.Put("other");
  line.Send();
  REQUIRE(line.queue.TakeAnswered(2) != nullptr);
  CHECK_FALSE(line.queue.MaySendAgain(*line.queue.TakeAnswered(1), 0));
}

TEST_CASE("the reads of a message leave it with their callbacks and bytes") {
  Line line;
  line.Get("r1").Put("w", "12").Get("r2");
  line.Send();
  auto message = line.queue.TakeAnswered(1);
  const size_t pending = line.queue.pending_operations();
  const auto reads = SplitReads(*message);
  REQUIRE(reads != nullptr);
  CHECK(Line::Keys(*reads) == "r1r2");
  CHECK(reads->reads_only);
  CHECK((reads->bytes == 4 && message->bytes == 3));
  CHECK(message->operation_callbacks[0] == nullptr);
  CHECK(message->operation_callbacks[1] != nullptr);
  line.queue.Settle(*message);
  line.queue.Settle(*reads);
  CHECK(line.queue.pending_operations() == pending - 3);
  Line writes;
  writes.Put("w");
  writes.Send();
  CHECK(SplitReads(*writes.queue.TakeAnswered(1)) == nullptr);
}

}  // namespace
}  // namespace tarn::internal
