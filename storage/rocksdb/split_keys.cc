#include "storage/rocksdb/split_keys.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "rocksdb/table_properties.h"
#include "storage/base/coding.h"
#include "storage/rocksdb/layout.h"
#include "storage/rocksdb/slice.h"

namespace tarn::storage::rocks {
namespace {

// How far from the ideal place a cut may be, as a part of what lies between two cuts.
constexpr uint64_t kTolerance = 16;
// How often the search looks more closely; each time the keys have eight bytes more in common.
constexpr int kMaxLooks = 16;

// Keys as RocksDB has them: with the namespace.
struct Interval {
  std::string lower;
  std::string upper;
};

// Keys of an interval seen as numbers: the eight bytes behind what all of them have in common.
class Window {
 public:
  Window(absl::string_view first, absl::string_view last)
      : prefix_(first.begin(),
                std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first),
        low_(NumberOf(first)),
        high_(NumberOf(last)) {}

  uint64_t low() const { return low_; }
  uint64_t high() const { return high_; }
  std::string KeyOf(uint64_t number) const {
    std::string key = prefix_;
    base::AppendFixed64(&key, number);
    return key;
  }

 private:
  uint64_t NumberOf(absl::string_view key) const {
    std::string bytes(key.substr(prefix_.size(), sizeof(uint64_t)));
    bytes.resize(sizeof(uint64_t), '\0');
    return base::DecodeFixed64(bytes.data());
  }

  const std::string prefix_;
  const uint64_t low_;
  const uint64_t high_;
};

// How much larger what is in files would be in memory: there it is compressed.
double ScaleOfFiles(const Database& database) {
  rocksdb::TablePropertiesCollection tables;
  database.db().GetPropertiesOfAllTables(database.entries(), &tables).PermitUncheckedError();
  uint64_t stored = 0;
  uint64_t raw = 0;
  for (const auto& [name, table] : tables) {
    stored += table->data_size;
    raw += table->raw_key_size + table->raw_value_size +
           table->num_entries * KeySamples::kOverheadBytes;
  }
  return stored == 0 ? 1 : static_cast<double>(raw) / static_cast<double>(stored);
}

class Divider {
 public:
  Divider(const Database& database, const rocksdb::Snapshot* snapshot, NamespaceId ns)
      : database_(database),
        snapshot_(snapshot),
        all_{std::string(EntryKey(ns, "").view()), std::string(EntryKey(ns + 1, "").view())} {
    uint64_t in_memory = 0;
    database.db().GetIntProperty(database.entries(), rocksdb::DB::Properties::kCurSizeAllMemTables,
                                 &in_memory);
    samples_ = database.samples().Newest(in_memory);
    if (InMemory(all_.upper) * kTolerance > InFiles(all_.upper)) scale_ = ScaleOfFiles(database);
  }

  std::vector<std::string> Divide(size_t parts) const {
    std::vector<std::string> keys;
    const uint64_t part = SizeBefore(all_.upper) / parts;
    if (part == 0) return keys;
    std::string previous = all_.lower;
    for (size_t i = 1; i < parts; ++i) {
      std::string cut = Find(part * i, part / kTolerance);
      if (cut <= previous || cut >= all_.upper) continue;
      keys.push_back(cut.substr(kNamespaceBytes));
      previous = std::move(cut);
    }
    return keys;
  }

 private:
  // A key with about so much before it.
  std::string Find(uint64_t size, uint64_t tolerance) const {
    Interval interval = all_;
    for (int i = 0; i < kMaxLooks; ++i) {
      const std::optional<Window> window = WindowOf(interval);
      if (!window) break;
      Narrow(*window, size, interval);
      if (SizeBefore(interval.upper) <= SizeBefore(interval.lower) + tolerance) break;
    }
    return interval.upper;
  }

  // To between two neighbours, or to what is behind the last.
  void Narrow(const Window& window, uint64_t size, Interval& interval) const {
    if (SizeBefore(window.KeyOf(window.high())) < size) {
      interval.lower = window.KeyOf(window.high());
      return;
    }
    uint64_t from = window.low();
    uint64_t to = window.high();
    while (from < to) {
      const uint64_t middle = from + (to - from) / 2;
      if (SizeBefore(window.KeyOf(middle)) < size) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    interval.upper = window.KeyOf(from);
    if (from > window.low()) interval.lower = window.KeyOf(from - 1);
  }

  // Nothing when there are fewer than two keys.
  std::optional<Window> WindowOf(const Interval& interval) const {
    const rocksdb::Slice lower = ToSlice(interval.lower);
    const rocksdb::Slice upper = ToSlice(interval.upper);
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    options.iterate_lower_bound = &lower;
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> it(
        database_.db().NewIterator(options, database_.entries()));
    it->SeekToFirst();
    if (!it->Valid()) return std::nullopt;
    const std::string first = it->key().ToString();
    it->SeekToLast();
    if (!it->Valid() || ToView(it->key()) == first) return std::nullopt;
    return Window(first, ToView(it->key()));
  }

  uint64_t SizeBefore(absl::string_view key) const { return InFiles(key) + InMemory(key); }

  uint64_t InMemory(absl::string_view key) const {
    const auto from = std::lower_bound(samples_.begin(), samples_.end(), all_.lower);
    const auto to = std::lower_bound(from, samples_.end(), key);
    return static_cast<uint64_t>(to - from) * KeySamples::kBytesEach;
  }

  // By RocksDB's estimate, scaled to what it would be in memory.
  uint64_t InFiles(absl::string_view key) const {
    const rocksdb::Range range(ToSlice(all_.lower), ToSlice(key));
    rocksdb::SizeApproximationOptions options;
    options.include_files = true;
    uint64_t size = 0;
    database_.db()
        .GetApproximateSizes(options, database_.entries(), &range, 1, &size)
        .PermitUncheckedError();
    return static_cast<uint64_t>(static_cast<double>(size) * scale_);
  }

  const Database& database_;
  const rocksdb::Snapshot* const snapshot_;
  const Interval all_;
  std::vector<std::string> samples_;  // In order.
  double scale_ = 1;
};

}  // namespace

std::vector<std::string> SplitKeys(const Database& database, const rocksdb::Snapshot* snapshot,
                                   NamespaceId ns, size_t parts) {
  if (parts < 2) return {};
  return Divider(database, snapshot, ns).Divide(parts);
}

}  // namespace tarn::storage::rocks
