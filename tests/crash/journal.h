// What one worker knows of its keys: what was acknowledged, and what may have been done when the
// daemon was killed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tarn::testing {

struct Stored {
  std::string value;
  uint64_t revision = 0;
  int64_t expire_time_ms = 0;

  bool operator==(const Stored&) const = default;
};

// By key. A key that is not in it does not exist.
using Contents = std::map<std::string, Stored>;

// What an operation leaves at its key.
struct Change {
  std::string key;
  std::optional<std::string> after;  // Nothing: no entry.
};

// A batch with each key at most once. `atomic`: all of it or nothing.
struct Attempt {
  enum class Mode : uint8_t { kAtomic, kIndependent };
  Mode mode = Mode::kIndependent;
  std::vector<Change> changes;
};

// What the daemon answered for one change.
struct Acknowledged {
  uint64_t revision = 0;  // 0: there was nothing to change.
  int64_t expire_time_ms = 0;
};

// Not thread-safe: one worker, one attempt at a time. Functions that find something wrong say it,
// one line each.
class Journal {
 public:
  const Contents& contents() const { return contents_; }

  // The highest revision this worker was told or has found.
  uint64_t highest_revision() const { return highest_revision_; }

  void Begin(Attempt attempt) { attempt_ = std::move(attempt); }
  std::vector<std::string> Acknowledge(const std::vector<Acknowledged>& results);
  void Refuse() { attempt_.reset(); }

  // After a restart: compares with what the store holds of this worker's keys, decides what became
  // of an attempt that was not answered, and goes on from there.
  std::vector<std::string> Settle(const Contents& found);

 private:
  enum class Fate : uint8_t { kEither, kDone, kNotDone, kWrong };

  Fate FateOf(const Change& change, const Contents& found) const;
  std::vector<std::string> SettleAttempt(const Contents& found);

  Contents contents_;
  std::optional<Attempt> attempt_;
  uint64_t highest_revision_ = 0;
};

}  // namespace tarn::testing
