// Every state a store ever had: for each key, all its entries by revision.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/usage.h"
#include "tests/model/semantics.h"

namespace tarn::testing {

// In the order of scans: by namespace, then by the key's unsigned bytes, which is how std::string
// compares.
using FullKey = std::pair<NamespaceId, std::string>;

class History {
 public:
  // The key's entry after all commits up to `revision`, expired or not; nullptr when there is none.
  const Entry* AsOf(const FullKey& key, Revision revision) const;
  const Entry* Newest(const FullKey& key) const;

  // The revision of the key's newest write or erasure; 0 when it has none.
  Revision LastChange(const FullKey& key) const;

  void Write(const FullKey& key, Entry entry);
  void Erase(const FullKey& key, Revision revision);

  // Takes away an expired entry as if it had been erased by the commit that wrote it: sweeping has
  // no revision.
  void Sweep(const FullKey& key);

  // Calls `visit` for the keys that have an entry as of `revision`, expired or not, in ascending
  // order.
  void ForEach(Revision revision,
               const std::function<void(const FullKey&, const Entry&)>& visit) const;

  // The live entries of a namespace from `start` to `end` (empty: no end) in ascending order.
  std::vector<Row> Range(NamespaceId ns, const std::string& start, const std::string& end,
                         Revision revision, UnixMs now) const;

  // Drops what only a state older than `revision` shows.
  void ForgetBefore(Revision revision);

 private:
  using Versions = std::map<Revision, std::optional<Entry>>;

  static const Entry* AsOf(const Versions& versions, Revision revision);

  std::map<FullKey, Versions> keys_;
};

storage::Usage UsageOf(const FullKey& key, const Entry& entry);

}  // namespace tarn::testing
