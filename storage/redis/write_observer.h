// What snapshots must know of every write, as the engine sends it and learns what became of it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/batch.h"
#include "storage/revision.h"

namespace tarn::storage::redis {

// What one write replaced.
struct Replaced {
  Revision revision = 0;  // Of the write.
  NamespaceId ns = kSystemNamespace;
  absl::string_view key;
  // As it was stored (record.h), also when it had expired; nothing when there was none.
  std::optional<absl::string_view> record;
};

// Called on the loop's thread. Views are valid during the call.
class WriteObserver {
 public:
  virtual ~WriteObserver() = default;

  // Asked when a write takes its revision: whether it must bring back what it replaces.
  virtual bool WantsReplaced() const = 0;

  // Each key that a write changed, before that write counts as answered. Only of writes that were
  // sent while it was wanted.
  virtual void OnReplaced(const Replaced& replaced) = 0;

  // A write that should have brought back what it replaced was done, or may have been, and what
  // it replaced is not known.
  virtual void OnReplacedLost(Revision revision, const absl::Status& why) = 0;

  // Expired entries whose deadline is later stay, because a snapshot may still show them; kMax of
  // the type when there is none.
  virtual base::UnixMs SweepBound() const = 0;

  // What answers is another process than before (see LinkListener).
  virtual void OnNodeChanged(const absl::Status& why) = 0;
};

// Which writes have been sent and not answered. Revisions are taken here, in the order in which
// commands go out. A write whose answer was lost is under way until it is settled.
//
// The loop's thread's, but for last().
class WritesUnderWay {
 public:
  // Takes the next revision.
  Revision Begin();
  // Of each one that was begun, once: it was answered, settled, or never sent after all.
  void End(Revision revision);

  // The newest that was taken.
  Revision last() const { return revisions_.Last(); }
  // The oldest under way; last() + 1 when none is.
  Revision oldest() const;

  // Calls `then` when nothing up to that revision is under way; at once if so now. In the order of
  // revisions.
  void WhenAnswered(Revision up_to, absl::AnyInvocable<void() &&> then);

  // Only while nothing is under way.
  void StartIncarnation(Incarnation incarnation) { revisions_.StartIncarnation(incarnation); }

 private:
  struct Write {
    Revision revision = 0;
    bool ended = false;
  };

  RevisionSource revisions_{0};
  std::deque<Write> writes_;  // Ascending; the first one has not ended.
  std::multimap<Revision, absl::AnyInvocable<void() &&>> waiting_;
};

}  // namespace tarn::storage::redis
