#include "storage/memory/entry.h"

#include <new>

namespace tarn::storage::memory {
namespace {

// What the hash set, the ordered set and the allocator's rounding add to an entry, measured by
// tarn-bench engine.
constexpr size_t kIndexBytes = 40;

}  // namespace

Entry* Entry::New(EntryPool& pool, const Fields& fields) {
  const size_t deadline_bytes = fields.deadline == base::kNever ? 0 : sizeof(base::UnixMs);
  const size_t size =
      sizeof(Entry) + deadline_bytes + fields.key.size() + fields.head.size() + fields.tail.size();
  return new (pool.Allocate(size)) Entry(fields);
}

Entry::Entry(const Fields& fields)
    : revision_(fields.revision),
      size_and_flags_(static_cast<uint32_t>(fields.head.size() + fields.tail.size()) |
                      (fields.kind == Kind::kTombstone ? kTombstoneFlag : 0) |
                      (fields.deadline == base::kNever ? 0 : kDeadlineFlag)),
      ns_(static_cast<uint16_t>(fields.ns)),
      key_size_(static_cast<uint16_t>(fields.key.size())) {
  char* const key = body() + deadline_bytes();
  if (!fields.key.empty()) std::memcpy(key, fields.key.data(), fields.key.size());
  Overwrite(fields.revision, fields.deadline, fields.head, fields.tail);
}

void Entry::Delete(EntryPool& pool, Entry* entry) { pool.Free(entry, entry->allocated_bytes()); }

size_t Entry::footprint() const { return allocated_bytes() + kIndexBytes; }

void Entry::Overwrite(Revision revision, base::UnixMs deadline, absl::string_view head,
                      absl::string_view tail) {
  revision_ = revision;
  if (has_deadline()) std::memcpy(body(), &deadline, sizeof(deadline));
  char* const value = body() + deadline_bytes() + key_size_;
  if (!head.empty()) std::memmove(value, head.data(), head.size());
  if (!tail.empty()) std::memmove(value + head.size(), tail.data(), tail.size());
}

}  // namespace tarn::storage::memory
