#include "tarn/scan.h"

#include <utility>

namespace tarn {

absl::StatusOr<std::optional<Entry>> Scan::Next() {
  while (next_ == entries_.size()) {
    if (source_ == nullptr) return std::nullopt;
    const absl::Status status = FetchChunk();
    if (!status.ok()) return status;
  }
  return std::move(entries_[next_++]);
}

absl::Status Scan::FetchChunk() {
  absl::StatusOr<std::optional<ScanChunk>> chunk = source_->Next();
  entries_.clear();
  next_ = 0;
  if (!chunk.ok() || !chunk->has_value()) {
    source_.reset();
    return chunk.status();
  }
  revision_ = (*chunk)->revision;
  entries_ = std::move((*chunk)->entries);
  return absl::OkStatus();
}

void Scan::Advance() {
  absl::StatusOr<std::optional<Entry>> entry = Next();
  if (!entry.ok()) {
    current_.emplace(entry.status());
  } else if (entry->has_value()) {
    current_.emplace(**std::move(entry));
  } else {
    current_.reset();
  }
}

}  // namespace tarn
