#include "storage/usage.h"

#include <cstdlib>
#include <new>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::storage {
namespace {

// Adds `change` to `counter`; takes it back and says false when that is growth beyond `limit` (0:
// none).
bool AddWithin(std::atomic<int64_t>& counter, int64_t change, int64_t limit) {
  if (change == 0) return true;
  const int64_t after = counter.fetch_add(change, std::memory_order_relaxed) + change;
  if (change < 0 || limit == 0 || after <= limit) return true;
  counter.fetch_sub(change, std::memory_order_relaxed);
  return false;
}

absl::Status OverQuota(absl::string_view what, int64_t limit) {
  return base::MakeError(
      absl::StatusCode::kResourceExhausted, base::Reason::kQuotaExceeded,
      absl::StrCat("the namespace's quota of ", limit, " ", what, " is used up"));
}

}  // namespace

// Fresh zero pages take no memory until they are written to, where a constructor would write to all
// of them.
UsageLedger::UsageLedger()
    : slots_(static_cast<Slot*>(std::calloc(kMaxNamespaceIds, sizeof(Slot)))) {
  static_assert(std::is_trivially_destructible_v<Slot>);
  if (slots_ == nullptr) throw std::bad_alloc();
}

void UsageLedger::Free::operator()(Slot* slots) const { std::free(slots); }

absl::Status UsageLedger::Charge(NamespaceId ns, const Usage& change) {
  Slot& slot = slots_[ns];
  const int64_t max_entries = slot.max_entries.load(std::memory_order_relaxed);
  const int64_t max_bytes = slot.max_bytes.load(std::memory_order_relaxed);
  if (!AddWithin(slot.entries, change.entries, max_entries))
    return OverQuota("entries", max_entries);
  if (AddWithin(slot.bytes, change.bytes, max_bytes)) return absl::OkStatus();
  slot.entries.fetch_sub(change.entries, std::memory_order_relaxed);
  return OverQuota("bytes", max_bytes);
}

void UsageLedger::Add(NamespaceId ns, const Usage& change) {
  Slot& slot = slots_[ns];
  if (change.entries != 0) slot.entries.fetch_add(change.entries, std::memory_order_relaxed);
  if (change.bytes != 0) slot.bytes.fetch_add(change.bytes, std::memory_order_relaxed);
}

Usage UsageLedger::Get(NamespaceId ns) const {
  const Slot& slot = slots_[ns];
  return {slot.entries.load(std::memory_order_relaxed), slot.bytes.load(std::memory_order_relaxed)};
}

void UsageLedger::SetQuota(NamespaceId ns, const Quota& quota) {
  Slot& slot = slots_[ns];
  slot.max_entries.store(quota.max_entries, std::memory_order_relaxed);
  slot.max_bytes.store(quota.max_bytes, std::memory_order_relaxed);
}

void UsageLedger::Clear() {
  for (NamespaceId ns = 0; ns < kMaxNamespaceIds; ++ns) {
    const Usage usage = Get(ns);
    Add(ns, {-usage.entries, -usage.bytes});
  }
}

}  // namespace tarn::storage
