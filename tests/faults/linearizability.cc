#include "tests/faults/linearizability.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace tarn::testing {
namespace {

constexpr int64_t kBegin = std::numeric_limits<int64_t>::min();
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

bool IsErasure(const Call& call) {
  return call.kind == CallKind::kDelete || call.kind == CallKind::kTake;
}

bool Commits(const Call& call) {
  return call.fate == Fate::kDone && call.kind != CallKind::kGet && call.revision != 0;
}

// A read, whatever it was called: it changed nothing.
bool SawNothing(const Call& call) {
  return call.fate == Fate::kDone && !call.found && call.revision == 0 &&
         (call.kind == CallKind::kGet || IsErasure(call));
}

std::string Before(const std::string& sum) { return std::to_string(std::stoll(sum) - 1); }

// What a commit shows of the state that it met.
struct Met {
  enum class Kind : uint8_t { kAnything, kAbsent, kPresent, kValue };
  Kind kind = Kind::kAnything;
  std::string value;
  uint64_t revision = 0;  // 0: it does not show it.
};

Met MetBy(const Call& call) {
  if (call.expects.kind == Expectation::Kind::kAbsent) return {Met::Kind::kAbsent, "", 0};
  if (call.expects.kind == Expectation::Kind::kRevision) {
    return {Met::Kind::kPresent, "", call.expects.revision};
  }
  if (call.fate != Fate::kDone) return {};
  if (call.kind == CallKind::kTake) return {Met::Kind::kValue, call.value, 0};
  if (call.kind == CallKind::kDelete) return {Met::Kind::kPresent, "", 0};
  if (call.kind != CallKind::kIncrement) return {};
  if (call.value == "1") return {Met::Kind::kAbsent, "", 0};
  return {Met::Kind::kValue, Before(call.value), 0};
}

// One state that the key was in.
struct Commit {
  const Call* by = nullptr;  // Null: the state at first.
  uint64_t revision = 0;     // 0: not known, or the first.
  int64_t begin = kBegin;
  int64_t end = kBegin;
  std::optional<std::string> value;  // What it left there.
  Met met;
  std::vector<const Call*> reads;
  // Between which it took effect, if all is well.
  int64_t earliest = kBegin;
  int64_t latest = kNever;
  const Call* pushed_by = nullptr;  // Why not earlier.
  int64_t over = kBegin;            // Before which nothing that follows its reads took effect.
};

Commit Acknowledged(const Call& call) {
  Commit commit{&call, call.revision, call.begin, call.end, std::nullopt, MetBy(call), {}};
  if (!IsErasure(call)) commit.value = call.value;
  return commit;
}

// Unknown writes of one kind, and by when one of them must have begun. Which of them it was matters
// to nobody, so none is chosen: a choice that explains one thing may be missing for another one.
class Pool {
 public:
  // In the order of their begin.
  void Add(int64_t begin) { begins_.push_back(begin); }
  void Need(int64_t until) {
    untils_.insert(std::upper_bound(untils_.begin(), untils_.end(), until), until);
  }
  void NeedSooner(int64_t until, int64_t sooner) {
    untils_.erase(std::lower_bound(untils_.begin(), untils_.end(), until));
    Need(sooner);
  }
  bool IsEnough() const {
    return untils_.size() <= begins_.size() &&
           std::equal(untils_.begin(), untils_.end(), begins_.begin(),
                      [](int64_t until, int64_t begin) { return begin <= until; });
  }

 private:
  std::vector<int64_t> begins_;
  std::vector<int64_t> untils_;  // Sorted.
};

// How many unknown writes it takes to get from one state to another.
struct Needs {
  int64_t erasures = 0;
  int64_t increments = 0;
  int64_t puts = 0;  // Of whatever value.
};

struct Pools {
  Pool erasures;
  Pool increments;
  Pool puts;  // Those whose value nobody saw.

  // False when there are not so many.
  bool Need(const Needs& needs, int64_t until) {
    for (int64_t i = 0; i < needs.erasures; ++i) erasures.Need(until);
    for (int64_t i = 0; i < needs.increments; ++i) increments.Need(until);
    for (int64_t i = 0; i < needs.puts; ++i) puts.Need(until);
    return erasures.IsEnough() && increments.IsEnough() && puts.IsEnough();
  }
};

class Check {
 public:
  Check(const std::vector<Call>& calls, Unacknowledged seen)
      : calls_(calls),
        seen_(seen),
        is_sum_(std::any_of(calls.begin(), calls.end(),
                            [](const Call& call) { return call.kind == CallKind::kIncrement; })) {}

  std::optional<std::string> Run() {
    commits_.push_back(Commit{});
    AddAcknowledged();
    for (const Call& call : calls_) {
      if (call.fate == Fate::kUnknown && call.kind != CallKind::kGet) unknown_.push_back(&call);
    }
    std::sort(unknown_.begin(), unknown_.end(),
              [](const Call* a, const Call* b) { return a->begin < b->begin; });
    for (const auto step : {&Check::AddReads, &Check::Bound, &Check::FillPools, &Check::Explain,
                            &Check::PlaceAbsences, &Check::CheckMismatches}) {
      if (!anomaly_) (this->*step)();
    }
    return anomaly_;
  }

 private:
  void Fail(std::string text) {
    if (!anomaly_) anomaly_ = std::move(text);
  }

  void AddAcknowledged() {
    for (const Call& call : calls_) {
      if (Commits(call)) commits_.push_back(Acknowledged(call));
      if (call.fate == Fate::kDone && call.revision == 0 && !SawNothing(call)) {
        Fail("done without a revision: " + Show(call));
      }
    }
    SortCommits();
    for (size_t i = 1; i < commits_.size(); ++i) {
      if (commits_[i].revision == commits_[i - 1].revision) {
        Fail("two writes have one revision: " + Show(*commits_[i - 1].by) + ", " +
             Show(*commits_[i].by));
      }
    }
  }

  void SortCommits() {
    std::sort(commits_.begin(), commits_.end(),
              [](const Commit& a, const Commit& b) { return a.revision < b.revision; });
  }

  // Each read to the commit whose revision it has; it may be the only sign of that commit.
  void AddReads() {
    std::map<uint64_t, Commit> by_revision;
    for (Commit& commit : commits_) by_revision[commit.revision] = std::move(commit);
    for (const Call* read : ReadsByRevision()) {
      auto commit = by_revision.find(read->revision);
      if (commit == by_revision.end()) {
        const Call* writer = WriterOf(*read);
        if (seen_ == Unacknowledged::kMayVanish && (writer != nullptr || WrittenAgain(*read))) {
          continue;
        }
        if (writer == nullptr) return Fail("nobody wrote what was seen: " + Show(*read));
        commit = by_revision.emplace(read->revision, Sighted(*writer, *read)).first;
      }
      if (commit->second.value != read->value) {
        return Fail("something else was seen than was written: " + Show(*read) + " after " +
                    Show(*commit->second.by));
      }
      commit->second.reads.push_back(read);
    }
    commits_.clear();
    for (auto& [revision, commit] : by_revision) commits_.push_back(std::move(commit));
  }

  std::vector<const Call*> ReadsByRevision() const {
    std::vector<const Call*> reads;
    for (const Call& call : calls_) {
      const bool answered = call.kind == CallKind::kGet && call.fate == Fate::kDone;
      if (answered && call.found) reads.push_back(&call);
    }
    std::stable_sort(reads.begin(), reads.end(),
                     [](const Call* a, const Call* b) { return a->revision < b->revision; });
    return reads;
  }

  // The unknown write that a read saw.
  const Call* WriterOf(const Call& read) const {
    for (const Call* call : unknown_) {
      if (call->begin > read.end) break;
      if (call->kind == CallKind::kIncrement) return call;
      if (call->kind == CallKind::kPut && call->value == read.value) return call;
    }
    return nullptr;
  }

  // That an attempt was seen which vanished, so that its repetition was done, too.
  bool WrittenAgain(const Call& read) const {
    return std::any_of(calls_.begin(), calls_.end(), [&](const Call& call) {
      return Commits(call) && !IsErasure(call) && call.value == read.value &&
             call.begin <= read.end;
    });
  }

  // A put is known by its value; of increments only that there was one.
  Commit Sighted(const Call& writer, const Call& read) {
    Commit commit{&writer, read.revision, writer.begin, kNever, read.value, MetBy(writer), {}};
    if (writer.kind == CallKind::kIncrement) {
      commit.by = &read;
      commit.begin = kBegin;
      commit.met = read.value == "1" ? Met{Met::Kind::kAbsent, "", 0}
                                     : Met{Met::Kind::kValue, Before(read.value), 0};
    } else {
      std::erase(unknown_, &writer);
    }
    return commit;
  }

  // What unknown writes there are to explain the rest, once those are gone that were seen.
  void FillPools() {
    std::set<std::string> taken;
    for (const Call& call : calls_) {
      if (call.kind == CallKind::kTake && call.fate == Fate::kDone) taken.insert(call.value);
    }
    for (const Call* call : unknown_) {
      if (IsErasure(*call)) pools_.erasures.Add(call->begin);
      if (call->kind == CallKind::kIncrement) pools_.increments.Add(call->begin);
      if (call->kind != CallKind::kPut) continue;
      if (taken.count(call->value) == 1) {
        taken_[call->value] = call->begin;
      } else {
        pools_.puts.Add(call->begin);
      }
    }
    for (const Commit& commit : commits_) {
      if (commit.by == nullptr || commit.by->kind != CallKind::kGet) continue;
      if (!pools_.Need({.increments = 1}, commit.latest)) {
        return Fail("nobody wrote what was seen: " + Show(*commit.by));
      }
    }
  }

  // Whether each commit met what the one before it left; unknown writes may have come between.
  void Explain() {
    erased_.resize(commits_.size() + 1);
    for (size_t i = 1; i < commits_.size(); ++i) {
      const std::optional<Needs> needs = NeedsAt(i, commits_[i - 1].value);
      if (!needs || !pools_.Need(*needs, commits_[i].latest) || !TakeNamed(i)) {
        return Fail("an update was lost: " + Show(*commits_[i].by) + " did not meet what " +
                    (i == 1 ? "was there at first" : Show(*commits_[i - 1].by) + " left"));
      }
      if (needs->erasures > 0) erased_[i] = commits_[i].latest;
    }
  }

  // What it takes at least that the commit at `i` meets what it met, after `left`; nothing when no
  // unknown writes can bring that about.
  std::optional<Needs> NeedsAt(size_t i, const std::optional<std::string>& left) const {
    if (i == commits_.size()) return Needs();
    const Met& met = commits_[i].met;
    if (met.revision != 0) {
      const bool met_it = met.revision == commits_[i - 1].revision && left;
      if (met_it || MetUnacknowledged(commits_[i])) return Needs();
      return std::nullopt;
    }
    switch (met.kind) {
      case Met::Kind::kAnything:
        return Needs();
      case Met::Kind::kAbsent:
        return Needs{.erasures = left ? 1 : 0};
      case Met::Kind::kPresent:
        if (left) return Needs();
        return is_sum_ ? Needs{.increments = 1} : Needs{.puts = 1};
      case Met::Kind::kValue:
        return is_sum_ ? NeedsOfSum(left ? std::stoll(*left) : 0, std::stoll(met.value))
                       : NeedsOfValue(i, left);
    }
    return std::nullopt;
  }

  static Needs NeedsOfSum(int64_t left, int64_t met) {
    if (met >= left) return {.increments = met - left};
    return {.erasures = 1, .increments = met};
  }

  // That put is known by its value, and in no pool.
  std::optional<Needs> NeedsOfValue(size_t i, const std::optional<std::string>& left) const {
    const std::string& value = commits_[i].met.value;
    const auto put = taken_.find(value);
    const bool can_be = put != taken_.end() && put->second <= commits_[i].latest;
    if (left == value || can_be) return Needs();
    return std::nullopt;
  }

  // False when what the commit at `i` took was taken before.
  bool TakeNamed(size_t i) {
    const Met& met = commits_[i].met;
    const bool named = met.kind == Met::Kind::kValue && taken_.count(met.value) == 1;
    return !named || took_.insert(met.value).second;
  }

  // That the commit met a revision of a write that nobody acknowledged.
  bool MetUnacknowledged(const Commit& commit) const {
    const auto has_revision = [&](const Commit& other) {
      return other.revision == commit.met.revision;
    };
    return seen_ == Unacknowledged::kMayVanish && commit.met.revision != 0 &&
           std::none_of(commits_.begin(), commits_.end(), has_revision);
  }
  // That nothing was there because of an erasure that vanished.
  bool MayHaveVanished(const Call& absence) const {
    return seen_ == Unacknowledged::kMayVanish &&
           std::any_of(calls_.begin(), calls_.end(), [&](const Call& call) {
             return IsErasure(call) && call.fate == Fate::kUnknown && call.begin <= absence.end;
           });
  }
  bool HasUnknown(int64_t until) const {
    return !unknown_.empty() && unknown_.front()->begin <= until;
  }

  // Between which each commit took effect. Fails when that is nowhere.
  void Bound() {
    int64_t from = kBegin;
    const Call* pushed_by = nullptr;
    for (Commit& commit : commits_) {
      if (commit.begin > from) pushed_by = commit.by;
      commit.earliest = from = std::max(from, commit.begin);
      commit.pushed_by = pushed_by;
      if (commit.earliest > commit.end && commit.by != nullptr) return FailOrder(commit);
      for (const Call* read : commit.reads) {
        if (commit.earliest > read->end) {
          return Fail("seen before it can have been done: " + Show(*read) + ", written by " +
                      Show(*commit.by));
        }
        if (read->begin > from) pushed_by = read;
        from = std::max(from, read->begin);
      }
      commit.over = from;
    }
    int64_t until = kNever;
    for (auto commit = commits_.rbegin(); commit != commits_.rend(); ++commit) {
      for (const Call* read : commit->reads) until = std::min(until, read->end);
      if (commit->by != nullptr) until = std::min(until, commit->end);
      commit->latest = until;
    }
  }

  void FailOrder(const Commit& commit) {
    Fail("against the order of time: " + Show(*commit.by) + " comes after " +
         (commit.pushed_by == nullptr ? "nothing" : Show(*commit.pushed_by)) +
         " by revision, and ended before that began");
  }

  int64_t LatestAfter(size_t i) const {
    return i + 1 < commits_.size() ? commits_[i + 1].latest : kNever;
  }

  // Reads that found nothing have no revision: each goes where a commit had left nothing, or an
  // unknown erasure may have been. Of two such reads the later one never goes before the other.
  void PlaceAbsences() {
    std::vector<size_t> absences;
    for (size_t i = 0; i < commits_.size(); ++i) {
      if (!commits_[i].value) absences.push_back(i);
    }
    for (const Call& call : calls_) {
      if (!SawNothing(call) || FitsAfterOne(call, absences) || MayHaveVanished(call)) continue;
      hidden_.push_back(&call);
    }
    std::sort(hidden_.begin(), hidden_.end(),
              [](const Call* a, const Call* b) { return a->end < b->end; });
    if (!PlaceHidden(0, pools_)) {
      Fail("an entry was not seen that was there: " + Show(*hidden_[most_placed_]));
    }
  }

  bool FitsAfterOne(const Call& call, const std::vector<size_t>& absences) const {
    const auto behind = std::partition_point(
        absences.begin(), absences.end(), [&](size_t i) { return commits_[i].over <= call.end; });
    return behind != absences.begin() && call.begin <= LatestAfter(*std::prev(behind));
  }

  // Whether unknown erasures explain the reads from that one on, in the order of their ends. Tries
  // the places of each; gives up looking, and believes, when there are too many.
  bool PlaceHidden(size_t number, const Pools& pools) {
    if (number == hidden_.size() || ++tried_ > kTries) return true;
    most_placed_ = std::max(most_placed_, number);
    const Call& call = *hidden_[number];
    const auto behind = std::partition_point(commits_.begin(), commits_.end(),
                                             [&](auto& commit) { return commit.over <= call.end; });
    for (auto i = static_cast<size_t>(behind - commits_.begin()); i > 0; --i) {
      if (call.begin > LatestAfter(i - 1)) break;
      if (PlaceBefore(i, number, pools)) return true;
    }
    return false;
  }

  // The same, with that one right before the commit at `i`.
  bool PlaceBefore(size_t i, size_t number, Pools pools) {
    const std::optional<Needs> more = ToErase(i);
    if (!more || !pools.Need(*more, LatestAfter(i - 1))) return false;
    const std::optional<int64_t> erased = erased_[i];
    const int64_t until = std::min(erased.value_or(LatestAfter(i - 1)), hidden_[number]->end);
    if (erased) {
      pools.erasures.NeedSooner(*erased, until);
    } else {
      pools.erasures.Need(until);
    }
    if (!pools.erasures.IsEnough()) return false;
    erased_[i] = until;
    if (PlaceHidden(number + 1, pools)) return true;
    erased_[i] = erased;
    return false;
  }

  // What it takes, besides an erasure, that there was nothing for a while before the commit at `i`.
  std::optional<Needs> ToErase(size_t i) const {
    if (erased_[i]) return Needs();
    const std::optional<Needs> without = NeedsAt(i, commits_[i - 1].value);
    const std::optional<Needs> with = NeedsAt(i, std::nullopt);
    if (!without || !with) return std::nullopt;
    return Needs{.increments = with->increments - without->increments,
                 .puts = with->puts - without->puts};
  }

  static bool Fits(const Met& met, const Commit& before) {
    if (met.kind == Met::Kind::kAbsent) return !before.value;
    return before.value && met.revision == before.revision;
  }

  // A write that met something else than it expected: there must have been something else.
  void CheckMismatches() {
    for (const Call& call : calls_) {
      if (call.fate != Fate::kMismatch || HasUnknown(call.end)) continue;
      const Met met = MetBy(call);
      // The first state that can have lasted until the call.
      auto state =
          std::partition_point(commits_.begin() + 1, commits_.end(),
                               [&](const Commit& commit) { return commit.latest < call.begin; }) -
          1;
      while (state != commits_.end() && state->earliest <= call.end && Fits(met, *state)) ++state;
      if (state == commits_.end() || state->earliest > call.end) {
        return Fail("refused though it met what it expected: " + Show(call));
      }
    }
  }

  static constexpr int kTries = 100'000;

  const std::vector<Call>& calls_;
  const Unacknowledged seen_;
  const bool is_sum_;
  std::vector<Commit> commits_;           // By revision, after the state at first.
  std::vector<const Call*> unknown_;      // Unknown writes, by begin, less the puts that were seen.
  Pools pools_;                           // Of them.
  std::map<std::string, int64_t> taken_;  // Of those puts whose value was taken: the begin.
  std::set<std::string> took_;            // Of them: those that explain a take.
  // Before which commits an unknown erasure left nothing, and by when that had begun.
  std::vector<std::optional<int64_t>> erased_;
  std::vector<const Call*> hidden_;  // Reads that found nothing where no commit left that.
  size_t most_placed_ = 0;
  int tried_ = 0;
  std::optional<std::string> anomaly_;  // The first.
};

const char* NameOf(CallKind kind) {
  switch (kind) {
    case CallKind::kGet:
      return "get";
    case CallKind::kPut:
      return "put";
    case CallKind::kDelete:
      return "delete";
    case CallKind::kTake:
      return "take";
    case CallKind::kIncrement:
      return "increment";
  }
  return "?";
}

const char* NameOf(Fate fate) {
  switch (fate) {
    case Fate::kDone:
      return "";
    case Fate::kRefused:
      return ", refused";
    case Fate::kMismatch:
      return ", met something else";
    case Fate::kUnknown:
      return ", nobody knows";
  }
  return "?";
}

std::string ShowExpectation(const Expectation& expects) {
  if (expects.kind == Expectation::Kind::kAbsent) return " expecting nothing";
  if (expects.kind == Expectation::Kind::kNothing) return "";
  return " expecting revision " + std::to_string(expects.revision);
}

}  // namespace

std::string Show(const Call& call) {
  std::string text = std::string(NameOf(call.kind)) + " [" + std::to_string(call.begin) + ", " +
                     std::to_string(call.end) + "]" + ShowExpectation(call.expects);
  if (!call.value.empty()) text += " = " + call.value;
  if (call.revision != 0) text += " at revision " + std::to_string(call.revision);
  if (SawNothing(call)) text += " found nothing";
  return text + NameOf(call.fate);
}

std::optional<std::string> FindAnomaly(const std::vector<Call>& calls, Unacknowledged seen) {
  return Check(calls, seen).Run();
}

}  // namespace tarn::testing
