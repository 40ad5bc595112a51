// Snapshots of one Redis are exact, or end by name; and engines that are wrong are found out.
#include "tests/storage/redis/support/exactness.h"

#include <memory>
#include <string>

#include "tests/catch.h"
#include "tests/storage/redis/support/keyspace_engine.h"
#include "tests/storage/redis/support/redis_server.h"

namespace tarn::testing {
namespace {

TEST_CASE("snapshots are exact under creations, deletions, expiries and sweeping") {
  RedisServer server;
  KeyspaceEngine engine(server);
  Findings findings;
  Race(engine, Count(150, 5'000), findings);
  CHECK(findings.FirstWrong().empty());
  CHECK(findings.ended == 0);
  CHECK(engine.Stats().snapshot_bytes == 0);
}

TEST_CASE("when connections are cut, a snapshot is exact or ends by name") {
  RedisServer server;
  KeyspaceEngine engine(server);
  Findings findings;
  int cuts = 0;
  Race(engine, Count(100, 3'000), findings, [&] {
    if (++cuts % 2 == 0) engine.Ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"});
  });
  CHECK(findings.FirstWrong().empty());
  CHECK(findings.unnamed.empty());
  CHECK_FALSE(findings.seen.empty());
  CHECK(engine.core().link->Stats().front().pool.failed > 0);
}

// An engine that forgets to tell snapshots of some writes, or tells them too late, is found out:
// by what its snapshots show, or by themselves.
bool IsFoundOut(const Flaws& flaws) {
  RedisServer server;
  KeyspaceEngine::Options options;
  options.flaws = flaws;
  KeyspaceEngine engine(server, options);
  Findings findings;
  Race(engine, 40, findings);
  return findings.ended > 0 || !findings.FirstWrong().empty();
}

TEST_CASE("an engine without an overlay is found out") {
  CHECK(IsFoundOut({.tells = [](const storage::redis::Replaced&) { return false; }}));
}

TEST_CASE("an engine that forgets some images is found out") {
  CHECK(IsFoundOut({.tells = [told = std::make_shared<uint64_t>(0)](
                                 const storage::redis::Replaced&) { return ++*told % 5 != 0; }}));
}

TEST_CASE("an engine that gives ranges out before it knows what was replaced is found out") {
  CHECK(IsFoundOut({.late_ms = 20}));
}

}  // namespace
}  // namespace tarn::testing
