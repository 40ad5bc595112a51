// Names to living namespaces, for the path that every batch takes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "storage/batch.h"
#include "storage/namespaces.h"
#include "storage/write_gate.h"

namespace tarn::storage {

// What a batch needs of its namespace. Never destroyed before the Store, even when it is deleted: a
// batch may be about to use it. There are at most as many as there are numbers.
struct LiveNamespace {
  LiveNamespace(absl::string_view name_in, NamespaceId id_in) : name(name_in), id(id_in) {}

  const std::string name;
  const NamespaceId id;
  std::atomic<int64_t> default_ttl_ms{0};
  std::atomic<Placement> placement{Placement::kSpread};
  std::atomic<bool> deleted{false};
  WriteGate gate;  // Closed while it is being created or deleted.
};

// A hash table that is read without a lock: it only grows, by being copied into a larger one. One
// writer at a time, any number of readers.
class NamespaceTable {
 public:
  NamespaceTable();
  ~NamespaceTable();

  // The newest of that name; nullptr when there never was one.
  LiveNamespace* Find(absl::string_view name) const;

  // In place of an earlier one of the same name.
  void Put(LiveNamespace& ns);

 private:
  struct Slots;

  std::atomic<const Slots*> current_;
  size_t names_ = 0;
  // Those that were outgrown stay, because a reader may still look at them; together they are
  // smaller than the current one.
  std::vector<std::unique_ptr<Slots>> all_;
};

}  // namespace tarn::storage
