#include "storage/namespace_table.h"

#include "absl/hash/hash.h"

namespace tarn::storage {
namespace {

constexpr size_t kInitialSlots = 64;

size_t HashOf(absl::string_view name) { return absl::Hash<absl::string_view>{}(name); }

}  // namespace

// Open addressing with linear probing, never more than half full.
struct NamespaceTable::Slots {
  explicit Slots(size_t count) : mask(count - 1), slots(new std::atomic<LiveNamespace*>[count]()) {}

  // The slot that holds the name, or the empty one where it would be.
  std::atomic<LiveNamespace*>& At(absl::string_view name) const {
    for (size_t i = HashOf(name);; ++i) {
      std::atomic<LiveNamespace*>& slot = slots[i & mask];
      const LiveNamespace* const ns = slot.load(std::memory_order_acquire);
      if (ns == nullptr || ns->name == name) return slot;
    }
  }

  const size_t mask;
  const std::unique_ptr<std::atomic<LiveNamespace*>[]> slots;
};

NamespaceTable::NamespaceTable() {
  all_.push_back(std::make_unique<Slots>(kInitialSlots));
  current_.store(all_.back().get(), std::memory_order_release);
}

NamespaceTable::~NamespaceTable() = default;

LiveNamespace* NamespaceTable::Find(absl::string_view name) const {
  return current_.load(std::memory_order_acquire)->At(name).load(std::memory_order_acquire);
}

void NamespaceTable::Put(LiveNamespace& ns) {
  const Slots* slots = current_.load(std::memory_order_relaxed);
  std::atomic<LiveNamespace*>& slot = slots->At(ns.name);
  const bool is_new = slot.load(std::memory_order_relaxed) == nullptr;
  slot.store(&ns, std::memory_order_release);
  if (!is_new || ++names_ * 2 <= slots->mask) return;

  auto larger = std::make_unique<Slots>((slots->mask + 1) * 2);
  for (size_t i = 0; i <= slots->mask; ++i) {
    LiveNamespace* const old = slots->slots[i].load(std::memory_order_relaxed);
    if (old != nullptr) larger->At(old->name).store(old, std::memory_order_relaxed);
  }
  current_.store(larger.get(), std::memory_order_release);
  all_.push_back(std::move(larger));
}

}  // namespace tarn::storage
