// A checkpoint of any engine restores into any other, with the same content digest.
#include "tests/checkpoint/engines.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "checkpoint/content_digest.h"
#include "tests/catch.h"
#include "tests/checkpoint/daemon.h"
#include "tests/checkpoint/engine_in_redis.h"
#include "tests/support/status.h"

namespace tarn::checkpoint {
namespace {

using testing::Brief;
using testing::Daemon;
using testing::EngineInRedis;
using testing::EngineOnDisk;
using testing::kStart;
using testing::kStoreA;
using testing::Machine;
using testing::Put;
using testing::Row;
using testing::RowsOf;
using testing::TestEngine;
using testing::Value;

const std::vector<storage::NamespaceId> kAll = {0, 1, 2};

void Fill(storage::Engine& engine) {
  testing::AddNamespace(engine, "a", 1);
  testing::AddNamespace(engine, "b", 2);
  for (int i = 0; i < 3000; ++i) {
    const auto answer = testing::Do(
        engine, Put(absl::StrCat("k", i % 2500), std::string(static_cast<size_t>(i % 200), 'v'))
                    .In(1 + i % 2)
                    .Until(i % 3 == 0 ? kStart + 1000 + i : base::kNever));
    REQUIRE(answer.status.ok());
  }
}

// Takes a checkpoint of `from` in its incarnation, and restores it into `to` as the next.
Header Move(Machine& machine, storage::Engine& from, const storage::UsageLedger& ledger,
            storage::Engine& to, storage::Incarnation incarnation) {
  Daemon daemon(machine, from, ledger, {kStoreA, incarnation},
                {.writer = {.block_bytes = 5000, .threads = 3}});
  const CheckpointInfo info = Value(daemon.Create()).info;
  const Restorer restorer({to, *daemon.catalog, machine.clock, daemon.recorder, 3});
  Progress progress;
  LoadedCheckpoint loaded = Value(restorer.Load(info.id, progress));
  REQUIRE(Brief(std::move(loaded).Publish({kStoreA, incarnation + 1}, progress)) == "OK");
  return info.header;
}

TEST_CASE("from memory to rocksdb and back, everything and its digest stay the same") {
  Machine machine;
  TestEngine first(machine.clock);
  Fill(*first);
  EngineOnDisk second(machine.clock, {kStoreA, 8});
  TestEngine third(machine.clock, {kStoreA, 9});
  const std::vector<Row> rows = RowsOf(*first, kAll);

  const Header there = Move(machine, *first, first.ledger(), *second, 7);
  second.Reopen();
  CHECK(RowsOf(*second, kAll) == rows);
  const Header back = Move(machine, *second, second.ledger(), *third, 8);
  CHECK(RowsOf(*third, kAll) == rows);
  const Header last = testing::Write(*third, machine.files, "last");
  CHECK(there.engine == "memory");
  CHECK(back.engine == "rocksdb");
  CHECK(ToHex(there.content_digest) == ToHex(back.content_digest));
  CHECK(ToHex(there.content_digest) == ToHex(last.content_digest));
  CHECK(there.system_digest == last.system_digest);
}

TEST_CASE("from memory to redis and on to rocksdb, everything and its digest stay the same") {
  Machine machine;
  TestEngine first(machine.clock);
  Fill(*first);
  EngineInRedis second(machine.clock, {kStoreA, 8});
  EngineOnDisk third(machine.clock, {kStoreA, 9});
  const std::vector<Row> rows = RowsOf(*first, kAll);

  const Header there = Move(machine, *first, first.ledger(), *second, 7);
  CHECK(second.ledger().Get(1).entries == first.ledger().Get(1).entries);
  second.Reopen();
  CHECK(RowsOf(*second, kAll) == rows);
  REQUIRE(second->WriteMeta({kStoreA, 8}).ok());
  const Header on = Move(machine, *second, second.ledger(), *third, 8);
  CHECK(RowsOf(*third, kAll) == rows);
  CHECK(there.engine == "memory");
  CHECK(on.engine == "redis");
  CHECK(ToHex(there.content_digest) == ToHex(on.content_digest));
  CHECK(there.system_digest == on.system_digest);
}

TEST_CASE(
    "a restored store on the disk is there after the next start, in the incarnation it was given") {
  Machine machine;
  TestEngine first(machine.clock);
  Fill(*first);
  EngineOnDisk second(machine.clock, {kStoreA, 8});
  Move(machine, *first, first.ledger(), *second, 7);
  second.Reopen();
  const auto meta = Value(second->ReadMeta());
  REQUIRE(meta);
  CHECK(meta->incarnation == 8);
  CHECK(second->Stats().revision == storage::FirstRevision(8));
}

TEST_CASE(
    "entries that expire while a store on the disk is restored do not make the digests differ") {
  Machine machine;
  TestEngine first(machine.clock);
  Fill(*first);
  Daemon daemon(machine, *first, first.ledger());
  const CheckpointInfo info = Value(daemon.Create()).info;
  machine.clock.Advance(2500);
  EngineOnDisk second(machine.clock, {kStoreA, 8});
  const Restorer restorer({*second, *daemon.catalog, machine.clock, daemon.recorder, 2});
  Progress progress;
  LoadedCheckpoint loaded = Value(restorer.Load(info.id, progress));
  CHECK(Brief(std::move(loaded).Publish({kStoreA, 8}, progress)) == "OK");
}

}  // namespace
}  // namespace tarn::checkpoint
