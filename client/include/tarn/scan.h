// Reading a range of keys in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tarn/types.h"

namespace tarn {

enum class ScanOrder { kAscending, kDescending };

// Some entries of a scan that follow each other.
struct ScanChunk {
  std::vector<Entry> entries;
  Revision revision = 0;     // The one revision of the whole scan.
  std::string resume_token;  // Continues after the last entry; empty when there are no more.
};

// Where a scan's chunks come from. For those who derive a Connection; used by one thread at a time.
class ScanSource {
 public:
  virtual ~ScanSource() = default;
  // The next chunk; nullopt at the end. After an error or the end it is not called again.
  virtual absl::StatusOr<std::optional<ScanChunk>> Next() = 0;
};

// The entries of a range, all as of one revision, fetched as they are read:
//
//   for (absl::StatusOr<Entry>& entry : client.Scan(KeyRange::Prefix("user/"))) {
//     if (!entry.ok()) return entry.status();
//     Use(*std::move(entry));
//   }
//
// An error is the last element. When the connection breaks, the scan continues by itself where it
// was, at the same revision; after the server's snapshot has expired (60 s without reading, by
// default) it ends with ABORTED, SNAPSHOT_EXPIRED, and has to begin anew. Used by one thread at a
// time; can be iterated once.
class Scan {
 public:
  explicit Scan(std::unique_ptr<ScanSource> source) : source_(std::move(source)) {}
  Scan(Scan&&) noexcept = default;
  Scan& operator=(Scan&&) noexcept = default;
  ~Scan() = default;

  // The next entry, nullopt at the end, or why there is none; after that nullopt.
  absl::StatusOr<std::optional<Entry>> Next();

  // The revision of the scan; 0 until the first entry, or the end, was read.
  Revision revision() const { return revision_; }

  class iterator {  // NOLINT(readability-identifier-naming): as the standard library has it.
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = absl::StatusOr<Entry>;
    using difference_type = std::ptrdiff_t;
    using pointer = value_type*;
    using reference = value_type&;

    reference operator*() const { return *scan_->current_; }
    pointer operator->() const { return &*scan_->current_; }
    iterator& operator++() {
      scan_->Advance();
      return *this;
    }
    void operator++(int) { scan_->Advance(); }
    friend bool operator==(const iterator& a, const iterator& b) {
      return a.at_end() == b.at_end();
    }

   private:
    friend class Scan;
    explicit iterator(Scan* scan) : scan_(scan) {}
    bool at_end() const { return scan_ == nullptr || !scan_->current_.has_value(); }
    Scan* scan_;
  };

  iterator begin() {
    Advance();
    return iterator(this);
  }
  iterator end() { return iterator(nullptr); }

 private:
  void Advance();
  absl::Status FetchChunk();  // Sets `source_` to null at the end.

  std::unique_ptr<ScanSource> source_;
  std::vector<Entry> entries_;
  size_t next_ = 0;
  Revision revision_ = 0;
  std::optional<absl::StatusOr<Entry>> current_;
};

}  // namespace tarn
