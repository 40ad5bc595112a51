// What the store says of itself.
#include <string>
#include <thread>

#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

TEST_CASE("A store that was never initialised has no meta") {
  Subject subject({}, Start::kEmpty);
  const auto meta = subject.engine().ReadMeta();
  REQUIRE(meta.ok());
  CHECK_FALSE(meta->has_value());
}

TEST_CASE("Meta is read as it was written last") {
  Subject subject({}, Start::kEmpty);
  for (const storage::Incarnation incarnation :
       {storage::Incarnation{1}, storage::Incarnation{2}, storage::kMaxIncarnation}) {
    const storage::StoreMeta written{std::string(32, 'c'), incarnation};
    REQUIRE(subject.engine().WriteMeta(written).ok());
    const auto meta = subject.engine().ReadMeta();
    REQUIRE(meta.ok());
    REQUIRE(meta->has_value());
    CHECK((*meta)->store_id == written.store_id);
    CHECK((*meta)->incarnation == incarnation);
  }
}

TEST_CASE("Meta is no entry: it is neither scanned nor counted, and survives deletes") {
  Subject subject;
  for (const NamespaceId ns : {0, 1}) {
    CHECK(subject.All(ns).empty());
    CHECK(UsageOf(subject, ns) == "0 entries, 0 bytes");
  }
}

TEST_CASE("An engine says what it is called and what an acknowledged write survives") {
  Subject subject;
  CHECK_FALSE(subject.engine().name().empty());
  CHECK_FALSE(subject.engine().durability().empty());
}

TEST_CASE("A healthy engine is writable and has had no errors") {
  Subject subject;
  subject.MustDo(Put("k", "v"));
  subject.Do(Put("k", "v").IfAbsent());
  const storage::EngineStats stats = subject.engine().Stats();
  CHECK(stats.writable);
  CHECK(stats.errors == 0);
  // A batch may count until its completion has returned, which is a moment later.
  while (subject.engine().Stats().queued_batches != 0) std::this_thread::yield();
}

}  // namespace
}  // namespace tarn::testing
