// The judge of the crash test: each way to lose or invent a write is seen.
#include "tests/crash/journal.h"

#include "tests/catch.h"

namespace tarn::testing {
namespace {

using Mode = Attempt::Mode;

// Holds a = "1" at revision 10 and b = "2" at revision 11.
Journal Filled() {
  Journal journal;
  journal.Begin({Mode::kIndependent, {{"a", "1"}, {"b", "2"}}});
  REQUIRE(journal.Acknowledge({{10, 0}, {11, 0}}).empty());
  return journal;
}

Contents Kept() { return {{"a", {"1", 10, 0}}, {"b", {"2", 11, 0}}}; }

TEST_CASE("What was acknowledged and is there is right") {
  Journal journal = Filled();
  CHECK(journal.Settle(Kept()).empty());
  CHECK(journal.highest_revision() == 11);
}

TEST_CASE("A lost, changed or invented entry is wrong") {
  Contents lost = Kept();
  lost.erase("a");
  Contents older = Kept();
  older["b"].value = "1";
  Contents revision = Kept();
  revision["b"].revision = 12;
  Contents deadline = Kept();
  deadline["a"].expire_time_ms = 5;
  Contents ghost = Kept();
  ghost["c"] = {"3", 12, 0};
  for (const Contents& found : {lost, older, revision, deadline, ghost})
    CHECK(Filled().Settle(found).size() == 1);
}

TEST_CASE("What was deleted must not come back") {
  Journal journal = Filled();
  journal.Begin({Mode::kIndependent, {{"a", std::nullopt}}});
  REQUIRE(journal.Acknowledge({{12, 0}}).empty());
  CHECK(journal.Settle(Kept()).size() == 1);
}

TEST_CASE("What was refused must not be there") {
  Journal journal = Filled();
  journal.Begin({Mode::kIndependent, {{"a", "refused"}}});
  journal.Refuse();
  Contents found = Kept();
  found["a"] = {"refused", 12, 0};
  CHECK(journal.Settle(found).size() == 1);
}

TEST_CASE("An attempt without an answer may have been done or not") {
  for (const bool done : {false, true}) {
    Journal journal = Filled();
    journal.Begin({Mode::kAtomic, {{"a", "new"}, {"b", std::nullopt}, {"never", std::nullopt}}});
    const Contents found = done ? Contents{{"a", {"new", 12, 0}}} : Kept();
    CHECK(journal.Settle(found).empty());
    CHECK(journal.contents() == found);
  }
}

TEST_CASE("An atomic attempt must not be half done, an independent one may") {
  const std::vector<Change> changes = {{"a", "new"}, {"b", "new"}};
  Contents half = Kept();
  half["a"] = {"new", 12, 0};
  Journal atomic = Filled();
  atomic.Begin({Mode::kAtomic, changes});
  CHECK(atomic.Settle(half).size() == 1);
  Journal independent = Filled();
  independent.Begin({Mode::kIndependent, changes});
  CHECK(independent.Settle(half).empty());
}

TEST_CASE("An attempt must not leave something else, nor an old revision") {
  for (const Stored& stored : {Stored{"other", 12, 0}, Stored{"new", 11, 0}}) {
    Journal journal = Filled();
    journal.Begin({Mode::kIndependent, {{"a", "new"}}});
    Contents found = Kept();
    found["a"] = stored;
    CHECK(journal.Settle(found).size() == 1);
  }
}

TEST_CASE("A revision that does not rise is wrong, also right after a restart") {
  Journal journal = Filled();
  REQUIRE(journal.Settle(Kept()).empty());
  journal.Begin({Mode::kIndependent, {{"a", "new"}}});
  CHECK(journal.Acknowledge({{11, 0}}).size() == 1);
}

TEST_CASE("Only what changes something has a revision") {
  Journal removed = Filled();
  removed.Begin({Mode::kIndependent, {{"missing", std::nullopt}}});
  CHECK(removed.Acknowledge({{12, 0}}).size() == 1);
  Journal written = Filled();
  written.Begin({Mode::kIndependent, {{"a", "x"}}});
  CHECK_FALSE(written.Acknowledge({{0, 0}}).empty());
}

}  // namespace
}  // namespace tarn::testing
