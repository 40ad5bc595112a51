#include "tests/faults/linearizability.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
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
};

Commit Acknowledged(const Call& call) {
  Commit commit{&call, call.revision, call.begin, call.end, std::nullopt, MetBy(call), {}};
  if (!IsErasure(call)) commit.value = call.value;
  return commit;
}

Commit Unknown(const Call& call, uint64_t revision, std::optional<std::string> value) {
  return {&call, revision, call.begin, kNever, std::move(value), {}, {}};
}

class Check {
 public:
  Check(const std::vector<Call>& calls, Unacknowledged seen) : calls_(calls), seen_(seen) {}

  std::optional<std::string> Run() {
    commits_.push_back(Commit{});
    AddAcknowledged();
    for (const Call& call : calls_) {
      if (call.fate == Fate::kUnknown && call.kind != CallKind::kGet) unknown_.push_back(&call);
    }
    std::sort(unknown_.begin(), unknown_.end(),
              [](const Call* a, const Call* b) { return a->begin < b->begin; });
    for (const auto step : {&Check::AddReads, &Check::Explain, &Check::Bound, &Check::PlaceAbsences,
                            &Check::CheckMismatches}) {
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
        std::erase(unknown_, writer);
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

  static Commit Sighted(const Call& writer, const Call& read) {
    Commit commit = Unknown(writer, read.revision, read.value);
    commit.met = MetBy(writer);
    if (writer.kind == CallKind::kIncrement) {
      commit.met = read.value == "1" ? Met{Met::Kind::kAbsent, "", 0}
                                     : Met{Met::Kind::kValue, Before(read.value), 0};
    }
    return commit;
  }

  // Whether each commit met what the one before it left; unknown writes may have come between.
  void Explain() {
    for (size_t i = 1; i < commits_.size(); ++i) {
      while (!Fits(commits_[i].met, commits_[i - 1])) {
        if (!InsertBefore(i)) {
          if (MetUnacknowledged(commits_[i])) break;
          return Fail("an update was lost: " + Show(*commits_[i].by) + " did not meet what " +
                      (i == 1 ? "was there at first" : Show(*commits_[i - 1].by) + " left"));
        }
        ++i;
      }
    }
  }

  static bool Fits(const Met& met, const Commit& before) {
    if (met.revision != 0 && met.revision != before.revision) return false;
    switch (met.kind) {
      case Met::Kind::kAnything:
        return true;
      case Met::Kind::kAbsent:
        return !before.value;
      case Met::Kind::kPresent:
        return before.value.has_value();
      case Met::Kind::kValue:
        return before.value == met.value;
    }
    return false;
  }

  // One unknown write that helps to explain what the commit at `i` met.
  bool InsertBefore(size_t i) {
    const Met& met = commits_[i].met;
    if (met.revision != 0) return false;
    for (const Call* call : unknown_) {
      if (call->begin > commits_[i].end) break;
      std::optional<std::optional<std::string>> left = Leaves(*call, commits_[i - 1], met);
      if (!left) continue;
      commits_.insert(commits_.begin() + static_cast<std::ptrdiff_t>(i),
                      Unknown(*call, 0, *std::move(left)));
      std::erase(unknown_, call);
      return true;
    }
    return false;
  }

  // What the write leaves after `before`, if that leads to what was met.
  static std::optional<std::optional<std::string>> Leaves(const Call& call, const Commit& before,
                                                          const Met& met) {
    using Left = std::optional<std::optional<std::string>>;
    if (IsErasure(call)) {
      if (!before.value) return std::nullopt;
      const bool sum_again = met.kind == Met::Kind::kValue && IsSum(met.value) &&
                             IsSum(*before.value) && Number(met.value) < Number(*before.value);
      if (met.kind == Met::Kind::kAbsent || sum_again) return Left(std::in_place, std::nullopt);
      return std::nullopt;
    }
    if (met.kind == Met::Kind::kAbsent) return std::nullopt;
    if (call.kind == CallKind::kPut) {
      if (met.kind == Met::Kind::kValue && call.value != met.value) return std::nullopt;
      return Left(std::in_place, call.value);
    }
    const int64_t sum = (before.value ? Number(*before.value) : 0) + 1;
    if (met.kind == Met::Kind::kValue && sum > Number(met.value)) return std::nullopt;
    return Left(std::in_place, std::to_string(sum));
  }

  static bool IsSum(const std::string& value) {
    return !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
  }
  static int64_t Number(const std::string& value) { return IsSum(value) ? std::stoll(value) : -1; }

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

  // Reads that found nothing have no revision: each goes to the last absence that was in time. It
  // keeps no other one from its place: of two such reads the later one never goes before the other.
  void PlaceAbsences() {
    FindAbsences();
    for (const Call& call : calls_) {
      if (!SawNothing(call)) continue;
      if (!PlaceAbsence(call) && !(InsertErasure(call) && PlaceAbsence(call)) &&
          !MayHaveVanished(call)) {
        return Fail("an entry was not seen that was there: " + Show(call));
      }
    }
    Bound();
  }

  void FindAbsences() {
    absences_.clear();
    for (size_t i = 0; i < commits_.size(); ++i) {
      if (!commits_[i].value) absences_.push_back(i);
    }
  }

  bool PlaceAbsence(const Call& call) {
    const auto behind = std::partition_point(absences_.begin(), absences_.end(), [&](size_t i) {
      return commits_[i].earliest <= call.end;
    });
    if (behind == absences_.begin()) return false;
    const size_t last = *std::prev(behind);
    if (call.begin > LatestAfter(last)) return false;
    commits_[last].reads.push_back(&call);
    return true;
  }

  // An unknown delete or take in a place where it explains that nothing was seen.
  bool InsertErasure(const Call& seen) {
    const auto erasure = std::find_if(unknown_.begin(), unknown_.end(), [&](const Call* call) {
      return IsErasure(*call) && call->begin <= seen.end;
    });
    if (erasure == unknown_.end()) return false;
    for (size_t i = commits_.size(); i-- > 0;) {
      const bool last = i + 1 == commits_.size();
      const Met::Kind next = last ? Met::Kind::kAnything : commits_[i + 1].met.kind;
      const bool fits = next == Met::Kind::kAnything || next == Met::Kind::kAbsent;
      if (!fits || !commits_[i].value || commits_[i].earliest > seen.end ||
          seen.begin > LatestAfter(i) || (*erasure)->begin > LatestAfter(i)) {
        continue;
      }
      commits_.insert(commits_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                      Unknown(**erasure, 0, std::nullopt));
      unknown_.erase(erasure);
      Bound();
      FindAbsences();
      return true;
    }
    return false;
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

  const std::vector<Call>& calls_;
  const Unacknowledged seen_;
  std::vector<Commit> commits_;         // By revision, after the state at first.
  std::vector<size_t> absences_;        // Those among them that left nothing.
  std::vector<const Call*> unknown_;    // Unknown writes that explain nothing yet, by begin.
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
