// A fixed view of a store, and how it is read in key order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/base/arena.h"
#include "storage/base/clock.h"
#include "storage/batch.h"
#include "storage/revision.h"

namespace tarn::storage {

// A live key with all that belongs to it. A view into a page, or into what a loader was given.
struct EntryView {
  NamespaceId ns = kSystemNamespace;
  Revision revision = 0;
  base::UnixMs deadline = base::kNever;
  absl::string_view key;
  absl::string_view value;  // Empty when only keys were asked for.
};

// Keys from `start` (inclusive) to `end` (exclusive) of one namespace, as unsigned bytes.
struct KeyRange {
  NamespaceId ns = kSystemNamespace;
  std::string start;
  std::string end;  // Empty: up to the last key.
};

enum class ScanDirection : uint8_t { kAscending, kDescending };
enum class ScanContent : uint8_t { kEntries, kKeysOnly };
// Whether what a cursor has passed may be asked for again. kOnce is a promise about all cursors of
// the snapshot: an engine may then forget it, and whoever asks again is given anything.
enum class ScanReading : uint8_t { kMayRepeat, kOnce };

struct ScanOptions {
  ScanDirection direction = ScanDirection::kAscending;
  ScanContent content = ScanContent::kEntries;
  ScanReading reading = ScanReading::kMayRepeat;
};

// How much one step may return. A page ends at whichever bound it meets first, and holds at least
// one entry unless the range has ended. Bytes are those of keys and values.
struct PageBudget {
  size_t max_entries = 1024;
  size_t max_bytes = 64 << 10;
};

struct Page {
  std::vector<EntryView> entries;
  bool at_end = false;  // Nothing follows this page.
  base::Arena arena;    // What the entries view.
};

// As Completion: called once, perhaps inline, with no lock held; the page is valid during the call
// alone, and only until the cursor's Next is called again from within it. The status is ABORTED
// (SNAPSHOT_EXPIRED) when the snapshot was ended meanwhile, DATA_LOSS for damaged bytes,
// UNAVAILABLE for an engine that cannot be reached; the page is then empty.
using PageCompletion = absl::AnyInvocable<void(const absl::Status&, Page&) &&>;

// Walks a range of a snapshot. Not thread-safe: one Next at a time, the next one only after the
// completion of the one before (from within it is allowed). Must not be destroyed while a Next is
// under way (from within its completion is allowed, when that comes after Next has returned), nor
// outlive its snapshot.
class Cursor {
 public:
  virtual ~Cursor() = default;

  // Gives the next page: exactly the entries of the snapshot that have not expired at `now`.
  virtual void Next(const PageBudget& budget, base::UnixMs now, PageCompletion done) = 0;
};

// Exactly the commits up to one revision, while writes go on. Thread-safe. Ends when destroyed;
// until then it costs the engine what has been replaced since.
class Snapshot {
 public:
  virtual ~Snapshot() = default;

  // At least every revision acknowledged before the snapshot was opened.
  virtual Revision revision() const = 0;

  // Tarn's time when it was opened. Entries that expire later than this stay readable for as long
  // as the snapshot lives.
  virtual base::UnixMs as_of() const = 0;

  virtual std::unique_ptr<Cursor> NewCursor(const KeyRange& range, const ScanOptions& options) = 0;

  // Ascending keys that divide the namespace into at most `parts` parts of about the same size, so
  // that several threads can read it. Fewer, or none, where the engine cannot tell.
  virtual std::vector<std::string> SplitKeys(NamespaceId /*ns*/, size_t /*parts*/) { return {}; }
};

}  // namespace tarn::storage
