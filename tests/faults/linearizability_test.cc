// The judge of histories is judged: what can have been is accepted, what cannot is refused.
#include "tests/faults/linearizability.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace tarn::testing {
namespace {

// --- A small language: Put("a", 5).In(1, 2) was acknowledged at revision 5 between 1 and 2. ---

struct Told : Call {
  Told In(int64_t from, int64_t until) const {
    Told told = *this;
    told.begin = from;
    told.end = until;
    return told;
  }
  Told As(Fate what) const {
    Told told = *this;
    told.fate = what;
    if (told.kind != CallKind::kGet) told.revision = 0;
    return told;
  }
  Told At(uint64_t expected) const {
    Told told = *this;
    told.expects = {Expectation::Kind::kRevision, expected};
    return told;
  }
  Told WhereNothingIs() const {
    Told told = *this;
    told.expects = {Expectation::Kind::kAbsent, 0};
    return told;
  }
};

Told Make(CallKind kind, bool found, const std::string& value, uint64_t revision) {
  Told told;
  told.kind = kind;
  told.found = found;
  told.value = value;
  told.revision = revision;
  return told;
}

Told Put(const std::string& value, uint64_t revision = 0) {
  return Make(CallKind::kPut, true, value, revision);
}
Told Sum(const std::string& sum, uint64_t revision = 0) {
  return Make(CallKind::kIncrement, true, sum, revision);
}
Told Seen(const std::string& value, uint64_t revision) {
  return Make(CallKind::kGet, true, value, revision);
}
Told Nothing() { return Make(CallKind::kGet, false, "", 0); }
Told Delete(uint64_t revision) { return Make(CallKind::kDelete, revision != 0, "", revision); }
Told Take(const std::string& value, uint64_t revision) {
  return Make(CallKind::kTake, true, value, revision);
}

constexpr char kFine[] = "linearizable";

std::string Judge(const std::vector<Told>& told, Unacknowledged seen = Unacknowledged::kStays) {
  const std::vector<Call> calls(told.begin(), told.end());
  const std::string anomaly = FindAnomaly(calls, seen).value_or(kFine);
  return anomaly.substr(0, anomaly.find(':'));
}

constexpr char kLost[] = "an update was lost";
constexpr char kOrder[] = "against the order of time";
constexpr char kEarly[] = "seen before it can have been done";
constexpr char kUnseen[] = "an entry was not seen that was there";
constexpr char kNobody[] = "nobody wrote what was seen";

TEST_CASE("a history without contention is accepted") {
  CHECK(Judge({Nothing().In(0, 1), Put("a", 5).In(2, 3), Seen("a", 5).In(4, 5),
               Put("b", 6).At(5).In(6, 7), Take("b", 7).In(8, 9), Nothing().In(10, 11),
               Put("c", 9).WhereNothingIs().In(12, 13), Delete(10).In(14, 15),
               Delete(0).In(16, 17)}) == kFine);
  CHECK(Judge({Sum("1", 3).In(0, 1), Sum("2", 4).In(2, 3), Seen("2", 4).In(4, 5)}) == kFine);
}

TEST_CASE("of writes that overlap either may be first, and reads beside them see either") {
  CHECK(Judge({Put("a", 6).In(0, 10), Put("b", 5).In(0, 10), Seen("b", 5).In(1, 2),
               Seen("a", 6).In(3, 4)}) == kFine);
  CHECK(Judge({Put("a", 6).In(0, 10), Nothing().In(1, 9), Seen("a", 6).In(2, 3),
               Nothing().In(0, 2)}) == kFine);
}

TEST_CASE("a stale read is refused") {
  CHECK(Judge({Put("a", 5).In(0, 1), Put("b", 6).In(2, 3), Seen("a", 5).In(4, 5)}) == kOrder);
  CHECK(Judge({Put("a", 5).In(0, 1), Nothing().In(2, 3)}) == kUnseen);
  CHECK(Judge({Put("a", 5).In(0, 1), Delete(6).In(2, 3), Seen("a", 5).In(4, 5)}) == kOrder);
}

TEST_CASE("a read that goes back behind another read is refused") {
  const Told slow = Put("b", 6).In(2, 20);
  CHECK(Judge({Put("a", 5).In(0, 1), slow, Seen("b", 6).In(3, 4), Seen("a", 5).In(5, 6)}) ==
        kEarly);
  CHECK(Judge({slow, Seen("b", 6).In(3, 4), Nothing().In(5, 6)}) == kUnseen);
}

TEST_CASE("a read of what is written later is refused") {
  CHECK(Judge({Seen("a", 5).In(0, 1), Put("a", 5).In(2, 3)}) == kEarly);
}

TEST_CASE("revisions against the order of time are refused") {
  CHECK(Judge({Put("a", 6).In(0, 1), Put("b", 5).In(2, 3)}) == kOrder);
  CHECK(Judge({Put("a", 6).In(0, 1), Delete(5).In(2, 3)}) != kFine);
}

TEST_CASE("a revision that two writes were told is refused") {
  CHECK(Judge({Put("a", 5).In(0, 1), Put("b", 5).In(2, 3)}) == "two writes have one revision");
}

TEST_CASE("a lost update is refused") {
  CHECK(Judge({Sum("1", 5).In(0, 1), Sum("1", 6).In(0, 1)}) == kLost);
  CHECK(Judge({Sum("1", 5).In(0, 1), Sum("3", 6).In(2, 3)}) == kLost);
  CHECK(Judge({Put("a", 5).In(0, 1), Put("b", 6).At(5).In(2, 9), Put("c", 7).At(5).In(2, 9)}) ==
        kLost);
  CHECK(Judge({Put("a", 5).In(0, 1), Put("b", 6).WhereNothingIs().In(2, 3)}) == kLost);
  CHECK(Judge({Put("a", 5).In(0, 1), Put("b", 6).In(2, 3), Take("a", 7).In(4, 5)}) == kLost);
  CHECK(Judge({Put("a", 5).In(0, 1), Take("a", 6).In(2, 9), Take("a", 7).In(2, 9)}) == kLost);
}

TEST_CASE("a write that was refused and is seen is refused") {
  CHECK(Judge({Put("a").In(0, 1).As(Fate::kRefused), Seen("a", 5).In(2, 3)}) == kNobody);
  CHECK(Judge({Put("a").In(0, 1).As(Fate::kMismatch), Seen("a", 5).In(2, 3)}) == kNobody);
  CHECK(Judge({Put("a").In(0, 1).As(Fate::kRefused), Take("a", 5).In(2, 3)}) == kLost);
  CHECK(Judge({Sum("1", 5).In(0, 1), Sum("").In(2, 3).As(Fate::kRefused), Sum("3", 7).In(4, 5)}) ==
        kLost);
}

TEST_CASE("a value that nobody wrote, or with another revision, is refused") {
  CHECK(Judge({Seen("x", 5).In(0, 1)}) == kNobody);
  CHECK(Judge({Put("a", 5).In(0, 1), Seen("a", 6).In(2, 3)}) == kNobody);
  CHECK(Judge({Put("a", 5).In(0, 1), Seen("b", 5).In(2, 3)}) ==
        "something else was seen than was written");
}

TEST_CASE("an unknown write may have been done, late, or not at all") {
  const Told unknown = Put("u").In(0, 1).As(Fate::kUnknown);
  CHECK(Judge({unknown, Nothing().In(2, 3)}) == kFine);
  CHECK(Judge({unknown, Nothing().In(2, 3), Seen("u", 5).In(4, 5)}) == kFine);
  CHECK(Judge({unknown, Take("u", 6).In(4, 5), Nothing().In(6, 7)}) == kFine);
  CHECK(Judge({Sum("1", 5).In(0, 1), Sum("").In(2, 3).As(Fate::kUnknown), Sum("3", 7).In(4, 5),
               Seen("3", 7).In(6, 7)}) == kFine);
  CHECK(Judge({Put("a", 5).In(0, 1), Delete(0).In(2, 3).As(Fate::kUnknown), Nothing().In(4, 5),
               Put("b", 8).WhereNothingIs().In(6, 7)}) == kFine);
}

TEST_CASE("an unknown write is done once, and not before it was asked for") {
  const Told unknown = Put("u").In(10, 11).As(Fate::kUnknown);
  CHECK(Judge({Seen("u", 5).In(0, 1), unknown}) == kNobody);
  CHECK(Judge({Take("u", 5).In(0, 1), unknown}) == kLost);
  CHECK(Judge({unknown, Seen("u", 5).In(12, 13), Seen("u", 6).In(14, 15)}) == kNobody);
  const Told add = Sum("").In(2, 3).As(Fate::kUnknown);
  CHECK(Judge({Sum("1", 5).In(0, 1), add, Sum("4", 7).In(4, 5)}) == kLost);
  CHECK(Judge({Sum("1", 5).In(0, 1), add, Seen("2", 6).In(4, 5), Seen("3", 7).In(6, 7)}) ==
        kNobody);
  const Told erase = Delete(0).In(4, 5).As(Fate::kUnknown);
  CHECK(Judge({Put("a", 5).In(0, 1), Nothing().In(2, 3), erase}) == kUnseen);
  CHECK(Judge({Put("a", 5).In(0, 1), erase, Nothing().In(6, 7), Put("b", 8).In(8, 9),
               Nothing().In(10, 11)}) == kUnseen);
}

// Of several unknown writes it must not matter which one is thought to explain what first.
TEST_CASE("what one unknown write cannot explain another one may") {
  const Told early = Sum("").In(2, 3).As(Fate::kUnknown);
  const Told late = Sum("").In(6, 7).As(Fate::kUnknown);
  const Told three = Sum("3", 7).In(4, 5);
  CHECK(Judge({Sum("1", 5).In(0, 1), early, three, late, Seen("4", 8).In(8, 9)}) == kFine);
  CHECK(Judge({Sum("1", 5).In(0, 1), early, three, Seen("4", 8).In(8, 9)}) == kLost);
  CHECK(Judge({Sum("1", 5).In(0, 1), three, late, Seen("3", 7).In(8, 9)}) == kLost);

  const Told one = Put("1").In(0, 1).As(Fate::kUnknown);
  const Told other = Put("2").In(0, 1).As(Fate::kUnknown);
  CHECK(Judge({one, other, Delete(6).In(2, 3), Take("1", 8).In(4, 5)}) == kFine);
  CHECK(Judge({one, other, Delete(6).In(2, 3), Take("2", 8).In(4, 5)}) == kFine);
  CHECK(Judge({one, Delete(6).In(2, 3), Take("1", 8).In(4, 5)}) == kLost);
  CHECK(Judge({one, other, Take("1", 6).In(2, 3), Take("1", 8).In(4, 5)}) == kLost);
}

TEST_CASE("between two writes nothing may have been there, if unknown writes explain both") {
  const Told erase = Delete(0).In(2, 3).As(Fate::kUnknown);
  const Told nothing = Nothing().In(4, 5);
  const Told put = Put("u").In(2, 3).As(Fate::kUnknown);
  const Told erased = Delete(8).In(6, 7);
  CHECK(Judge({Put("a", 5).In(0, 1), erase, put, nothing, erased}) == kFine);
  CHECK(Judge({Put("a", 5).In(0, 1), erase, nothing, erased}) == kUnseen);
  CHECK(Judge({Put("a", 5).In(0, 1), put, nothing, erased}) == kUnseen);
  CHECK(Judge({Put("a", 5).In(0, 1), erase, put, nothing, Put("b", 8).At(5).In(6, 7)}) == kUnseen);

  const Told add = Sum("").In(2, 3).As(Fate::kUnknown);
  const Told two = Sum("2", 8).In(6, 7);
  CHECK(Judge({Sum("1", 5).In(0, 1), erase, add, nothing, two}) == kFine);
  CHECK(Judge({Sum("1", 5).In(0, 1), erase, nothing, two}) == kUnseen);
  CHECK(Judge({Sum("3", 5).In(0, 1), erase, nothing, two, add}) == kLost);
}

TEST_CASE("nothing was there before an erasure that explains it was asked for") {
  const std::vector<Told> early = {Sum("1", 5).In(0, 1), Nothing().In(2, 3),
                                   Delete(0).In(4, 5).As(Fate::kUnknown), Sum("1", 8).In(6, 7)};
  CHECK(Judge({early[0], early[2], early[3]}) == kFine);
  CHECK(Judge(early) == kUnseen);
}

// The late landing of a write that timed out: its revision is older than what it overwrites.
TEST_CASE("an unknown write that lands after a newer one is refused") {
  CHECK(Judge({Put("u").In(0, 1).As(Fate::kUnknown), Put("b", 6).In(2, 3), Seen("b", 6).In(4, 5),
               Seen("u", 5).In(6, 7)}) == kOrder);
}

TEST_CASE("a write that is refused for a revision that was there is refused") {
  const Told refused = Put("b").At(5).In(2, 3).As(Fate::kMismatch);
  CHECK(Judge({Put("a", 5).In(0, 1), refused}) == "refused though it met what it expected");
  CHECK(Judge({Put("a", 5).In(0, 1), refused, Delete(7).In(1, 9)}) == kFine);
  CHECK(Judge({Put("b").WhereNothingIs().In(0, 1).As(Fate::kMismatch)}) ==
        "refused though it met what it expected");
  CHECK(Judge({Put("a", 5).In(0, 1), Put("b").WhereNothingIs().In(2, 3).As(Fate::kMismatch)}) ==
        kFine);
}

TEST_CASE("a failover may lose what was not acknowledged, and nothing else") {
  const Told unknown = Put("u").In(2, 3).As(Fate::kUnknown);
  const std::vector<Told> lost = {Put("a", 5).In(0, 1), unknown, Seen("u", 6).In(4, 5),
                                  Seen("a", 5).In(6, 7)};
  CHECK(Judge(lost) == kEarly);
  CHECK(Judge(lost, Unacknowledged::kMayVanish) == kFine);
  CHECK(Judge({Put("a", 5).In(0, 1), Put("b", 6).In(2, 3), unknown, Seen("a", 5).In(6, 7)},
              Unacknowledged::kMayVanish) == kOrder);
}

TEST_CASE("a failover that lost an acknowledged write is found out, whatever else is unknown") {
  const Told unknown = Sum("").In(0, 1).As(Fate::kUnknown);
  const auto judge = [&](std::vector<Told> told) {
    told.insert(told.begin(), unknown);
    return Judge(told, Unacknowledged::kMayVanish);
  };
  CHECK(judge({Sum("1", 5).In(2, 3), Sum("2", 6).In(4, 5), Sum("2", 7).In(6, 7)}) == kLost);
  CHECK(judge({Sum("1", 5).In(2, 3), Nothing().In(4, 5)}) == kUnseen);
  CHECK(judge({Sum("1", 5).In(2, 3), Sum("3", 7).In(6, 7)}) == kFine);
  CHECK(judge({Put("a", 5).In(2, 3), Put("b", 6).In(4, 5), Put("c", 7).At(5).In(6, 7)}) == kLost);
  CHECK(judge({Put("a", 5).In(2, 3), Put("c", 7).At(6).In(6, 7)}) == kFine);
  CHECK(judge({Seen("a", 5).In(2, 3), Put("a", 6).In(1, 8)}) == kFine);
}

// --- Histories of a register that is right, then with one thing wrong. ---

enum class Holds : uint8_t { kValues, kSums };

// Threads with overlapping calls on a key; each takes effect at a moment in between. Now and then
// nobody is answered for a while: as when a server is killed.
class Register {
 public:
  explicit Register(uint32_t seed, Holds holds = Holds::kValues) : holds_(holds), random_(seed) {}

  std::vector<Call> Run(int calls) {
    std::vector<Call> history;
    for (int i = 0; i < calls; ++i) {
      if (Below(40) == 0) silent_until_ = i + 6;
      history.push_back(Next(i));
    }
    return history;
  }

 private:
  int64_t Below(int64_t bound) { return static_cast<int64_t>(random_() % bound); }

  // Calls take effect in the order of `i`, 100 apart; each lasts up to some hundreds around that.
  Call Next(int i) {
    const int64_t moment = 1000 + 100 * i;
    Call call;
    call.begin = moment - Below(400);
    call.end = moment + Below(400);
    const int64_t kind = Below(10);
    if (kind < 3) return Read(call);
    call.kind = kind == 3 ? CallKind::kTake : kind == 4 ? CallKind::kDelete : Writes();
    if (call.kind == CallKind::kPut) call.value = "v" + std::to_string(i);
    if (call.kind == CallKind::kPut && Below(4) == 0) Expect(call);
    if (i < silent_until_ && Below(4) != 0) return Unanswered(call);
    call = Write(call);
    if (call.fate == Fate::kDone) told_ = revision_;
    return call;
  }
  CallKind Writes() const { return holds_ == Holds::kSums ? CallKind::kIncrement : CallKind::kPut; }
  void Expect(Call& call) {
    const bool nothing = told_ == 0 || Below(2) == 0;
    call.expects.kind = nothing ? Expectation::Kind::kAbsent : Expectation::Kind::kRevision;
    if (!nothing) call.expects.revision = told_;
  }
  Call Unanswered(Call call) {
    call.fate = Below(2) == 0 ? Fate::kUnknown : Fate::kRefused;
    if (call.fate == Fate::kUnknown && Below(2) == 0) Write(call);
    return call;
  }

  Call Read(Call call) {
    told_ = revision_;
    call.found = !value_.empty();
    call.value = value_;
    call.revision = revision_;
    return call;
  }
  Call Write(Call call) {
    const bool fits =
        call.expects.kind == Expectation::Kind::kNothing || call.expects.revision == revision_;
    if (!fits) return Mismatch(call);
    if (call.kind == CallKind::kTake || call.kind == CallKind::kDelete) return Erase(call);
    if (call.kind == CallKind::kIncrement) {
      call.value = std::to_string(value_.empty() ? 1 : std::stoi(value_) + 1);
    }
    value_ = call.value;
    call.revision = revision_ = ++counter_;
    return call;
  }
  static Call Mismatch(Call call) {
    call.fate = Fate::kMismatch;
    return call;
  }
  Call Erase(Call call) {
    call.found = !value_.empty();
    if (call.kind == CallKind::kTake) call.value = value_;
    call.revision = call.found ? ++counter_ : 0;
    value_.clear();
    revision_ = 0;
    return call;
  }

  const Holds holds_;
  std::mt19937 random_;
  std::string value_;
  uint64_t revision_ = 0;
  uint64_t counter_ = 0;
  uint64_t told_ = 0;  // The last revision that anybody was told.
  int silent_until_ = 0;
};

TEST_CASE("what a register that is right tells is accepted") {
  for (uint32_t round = 0; round < 300; ++round) {
    INFO("round " << round);
    for (const Holds holds : {Holds::kValues, Holds::kSums}) {
      CHECK(FindAnomaly(Register(Seed() + round, holds).Run(200)).value_or(kFine) == kFine);
    }
  }
}

TEST_CASE("a register that answers one read with what was there before is found out") {
  int refused = 0;
  int broken = 0;
  for (uint32_t round = 0; round < 100; ++round) {
    std::vector<Call> calls = Register(Seed() + round).Run(200);
    std::shuffle(calls.begin(), calls.end(), std::mt19937(round));
    const auto is_read = [](const Call& call) { return call.kind == CallKind::kGet && call.found; };
    const auto late = std::max_element(calls.begin(), calls.end(), [&](auto& a, auto& b) {
      return std::pair(is_read(a), a.begin) < std::pair(is_read(b), b.begin);
    });
    const auto old = std::find_if(calls.begin(), calls.end(), [&](const Call& call) {
      return is_read(call) && call.end + 2000 < late->begin && call.revision < late->revision;
    });
    if (old == calls.end()) continue;
    late->value = old->value;
    late->revision = old->revision;
    ++broken;
    refused += FindAnomaly(calls) ? 1 : 0;
  }
  CHECK(broken > 50);
  CHECK(refused == broken);
}

}  // namespace
}  // namespace tarn::testing
