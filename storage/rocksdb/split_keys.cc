#include "storage/rocksdb/split_keys.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "storage/base/coding.h"
#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {
namespace {

// The first and the last key of a namespace; nothing when it has fewer than two.
std::optional<std::pair<std::string, std::string>> Ends(const Database& database,
                                                        const rocksdb::Snapshot* snapshot,
                                                        NamespaceId ns) {
  const EntryKey lower(ns, "");
  const EntryKey upper(ns + 1, "");
  const rocksdb::Slice lower_bound = ToSlice(lower.view());
  const rocksdb::Slice upper_bound = ToSlice(upper.view());
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  options.iterate_lower_bound = &lower_bound;
  options.iterate_upper_bound = &upper_bound;
  const std::unique_ptr<rocksdb::Iterator> it(
      database.db().NewIterator(options, database.entries()));
  it->SeekToFirst();
  if (!it->Valid()) return std::nullopt;
  std::string first(ToView(it->key()).substr(kNamespaceBytes));
  it->SeekToLast();
  if (!it->Valid()) return std::nullopt;
  std::string last(ToView(it->key()).substr(kNamespaceBytes));
  if (first == last) return std::nullopt;
  return std::make_pair(std::move(first), std::move(last));
}

// Looks for keys by the eight bytes in which the first and the last key begin to differ.
class Divider {
 public:
  Divider(const Database& database, NamespaceId ns, const std::string& first,
          const std::string& last)
      : database_(database), ns_(ns), start_(EntryKey(ns, first).view()) {
    const auto differ = std::mismatch(first.begin(), first.end(), last.begin(), last.end());
    prefix_ = std::string(first.begin(), differ.first);
    low_ = Number(first);
    high_ = Number(last);
    total_ = SizeBefore(high_);
  }

  std::vector<std::string> Divide(size_t parts) const {
    std::vector<std::string> keys;
    if (total_ == 0) return keys;
    uint64_t from = low_;
    for (size_t i = 1; i < parts; ++i) {
      const uint64_t number = Find(from, total_ / parts * i);
      if (number > from) keys.push_back(KeyOf(number));
      from = number;
    }
    return keys;
  }

 private:
  uint64_t Number(const std::string& key) const {
    std::string bytes = key.substr(prefix_.size(), 8);
    bytes.resize(8, '\0');
    return base::DecodeFixed64(bytes.data());
  }

  std::string KeyOf(uint64_t number) const {
    std::string key = prefix_;
    base::AppendFixed64(&key, number);
    return key;
  }

  // Of the files' content that comes before the key.
  uint64_t SizeBefore(uint64_t number) const {
    const EntryKey end(ns_, KeyOf(number));
    const rocksdb::Range range(start_, ToSlice(end.view()));
    rocksdb::SizeApproximationOptions options;
    options.include_files = true;
    uint64_t size = 0;
    database_.db()
        .GetApproximateSizes(options, database_.entries(), &range, 1, &size)
        .PermitUncheckedError();
    return size;
  }

  // The lowest number with so much before it.
  uint64_t Find(uint64_t from, uint64_t size) const {
    uint64_t to = high_;
    while (from < to) {
      const uint64_t middle = from + (to - from) / 2;
      if (SizeBefore(middle) < size) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  const Database& database_;
  const NamespaceId ns_;
  const std::string start_;
  std::string prefix_;
  uint64_t low_ = 0;
  uint64_t high_ = 0;
  uint64_t total_ = 0;
};

}  // namespace

std::vector<std::string> SplitKeys(const Database& database, const rocksdb::Snapshot* snapshot,
                                   NamespaceId ns, size_t parts) {
  const auto ends = Ends(database, snapshot, ns);
  if (parts < 2 || !ends) return {};
  return Divider(database, ns, ends->first, ends->second).Divide(parts);
}

}  // namespace tarn::storage::rocks
