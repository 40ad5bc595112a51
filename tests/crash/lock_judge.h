// What workers that contend for locks were told, and what is wrong with it.
//
// Stale writes can be seen exactly: tokens and the revisions of writes are one order. A write under
// token T that landed at revision R is stale if a token between T and R was granted for the same
// lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tarn::testing {

// Times are milliseconds since the boot of the machine: one clock for all processes, which nobody
// can set.
int64_t SinceBootMs();

struct LockGrantTold {
  int64_t asked = 0;                // It was granted after this,
  int64_t answered = 0;             // and before this.
  std::optional<int64_t> released;  // When its holder gave it back, if it did.
};

// From when to when something was done that voids grants.
struct Voided {
  int64_t begin = 0;
  int64_t end = 0;
};

class LockJudge {
 public:
  // Lines of a worker; see lock_worker.cc.
  void Read(std::istream& in);
  void Excuse(Voided voided) { voided_.push_back(voided); }

  size_t granted() const { return granted_; }
  size_t fenced() const { return fenced_; }

  // Tokens that two were told, of whichever locks.
  size_t SharedTokens() const;
  // Writes that landed under a token after a later one of their lock was granted.
  size_t StaleWrites() const;
  // Locks that went to the next one though the holder had neither given them back nor had them for
  // `ttl_ms`, and nothing voided the grant. Never a false one; one that began long after it was
  // asked for may be overlooked, unless it is known when the grant before it ended.
  size_t EarlyEnds(int64_t ttl_ms) const;

 private:
  struct Write {
    uint64_t token = 0;
    uint64_t revision = 0;
  };
  using Grants = std::map<uint64_t, LockGrantTold>;  // By token.

  size_t EarlyEnds(const Grants& grants, int64_t ttl_ms) const;
  bool IsExcused(int64_t begin, int64_t end) const;

  std::map<std::string, Grants> grants_;
  std::map<std::string, std::vector<Write>> writes_;
  std::map<uint64_t, size_t> told_;  // How often, by token.
  std::vector<Voided> voided_;
  size_t granted_ = 0;
  size_t fenced_ = 0;
};

}  // namespace tarn::testing
