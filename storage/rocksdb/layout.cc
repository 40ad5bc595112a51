#include "storage/rocksdb/layout.h"

#include <cstring>

#include "absl/strings/match.h"
#include "storage/base/coding.h"

namespace tarn::storage::rocks {
namespace {

using base::AppendFixed32;
using base::AppendFixed64;
using base::DecodeFixed32;
using base::DecodeFixed64;

// NOTE: persisted. The form of an entry's value; others may come beside it.
constexpr char kPlainEntry = 1;

constexpr size_t kStoreIdBytes = 32;

void Store32(uint32_t value, char* target) {
  value = __builtin_bswap32(value);
  std::memcpy(target, &value, sizeof(value));
}

void Store64(uint64_t value, char* target) {
  value = __builtin_bswap64(value);
  std::memcpy(target, &value, sizeof(value));
}

}  // namespace

void EntryKey::Write(NamespaceId ns, absl::string_view key, char* target) {
  Store32(ns, target);
  if (!key.empty()) std::memcpy(target + kNamespaceBytes, key.data(), key.size());
}

std::optional<NamespacedKey> DecodeEntryKey(absl::string_view bytes) {
  if (bytes.size() < kNamespaceBytes) return std::nullopt;
  return NamespacedKey{DecodeFixed32(bytes.data()), bytes.substr(kNamespaceBytes)};
}

EntryHeader EncodeEntryHeader(Revision revision, base::UnixMs deadline) {
  EntryHeader header;
  header[0] = kPlainEntry;
  Store64(revision, header.data() + 1);
  Store64(static_cast<uint64_t>(deadline), header.data() + 9);
  return header;
}

std::optional<StoredEntry> DecodeEntry(absl::string_view bytes) {
  if (bytes.size() < kEntryHeaderBytes || bytes[0] != kPlainEntry) return std::nullopt;
  return StoredEntry{DecodeFixed64(bytes.data() + 1),
                     static_cast<base::UnixMs>(DecodeFixed64(bytes.data() + 9)),
                     bytes.substr(kEntryHeaderBytes)};
}

std::string EncodeExpiryKey(base::UnixMs deadline, absl::string_view entry_key) {
  std::string bytes;
  bytes.reserve(8 + entry_key.size());
  AppendFixed64(&bytes, static_cast<uint64_t>(deadline));
  bytes.append(entry_key.data(), entry_key.size());
  return bytes;
}

std::string ExpiryBoundAfter(base::UnixMs deadline) { return EncodeExpiryKey(deadline + 1, ""); }

std::optional<ExpiryKey> DecodeExpiryKey(absl::string_view bytes) {
  if (bytes.size() < 8 + kNamespaceBytes) return std::nullopt;
  return ExpiryKey{static_cast<base::UnixMs>(DecodeFixed64(bytes.data())), bytes.substr(8)};
}

std::string EncodeFormat(uint32_t version) {
  std::string bytes;
  AppendFixed32(&bytes, version);
  return bytes;
}

std::optional<uint32_t> DecodeFormat(absl::string_view bytes) {
  if (bytes.size() != 4) return std::nullopt;
  return DecodeFixed32(bytes.data());
}

std::string EncodeStore(const StoreMeta& meta) {
  std::string bytes;
  AppendFixed64(&bytes, meta.incarnation);
  bytes.append(meta.store_id);
  return bytes;
}

std::optional<StoreMeta> DecodeStore(absl::string_view bytes) {
  if (bytes.size() != 8 + kStoreIdBytes) return std::nullopt;
  return StoreMeta{std::string(bytes.substr(8)), DecodeFixed64(bytes.data())};
}

std::string EncodeCommit(Revision revision) {
  std::string bytes;
  AppendFixed64(&bytes, revision);
  return bytes;
}

std::optional<Revision> DecodeCommit(absl::string_view bytes) {
  if (bytes.size() != 8) return std::nullopt;
  return DecodeFixed64(bytes.data());
}

std::string EncodeUsageKey(NamespaceId ns) {
  std::string bytes(kUsagePrefix);
  AppendFixed32(&bytes, ns);
  return bytes;
}

std::optional<NamespaceId> DecodeUsageKey(absl::string_view bytes) {
  if (bytes.size() != kUsagePrefix.size() + 4 || !absl::StartsWith(bytes, kUsagePrefix)) {
    return std::nullopt;
  }
  return DecodeFixed32(bytes.data() + kUsagePrefix.size());
}

std::string EncodeUsage(const Usage& usage) {
  std::string bytes;
  AppendFixed64(&bytes, static_cast<uint64_t>(usage.entries));
  AppendFixed64(&bytes, static_cast<uint64_t>(usage.bytes));
  return bytes;
}

std::optional<Usage> DecodeUsage(absl::string_view bytes) {
  if (bytes.size() != 16) return std::nullopt;
  return Usage{static_cast<int64_t>(DecodeFixed64(bytes.data())),
               static_cast<int64_t>(DecodeFixed64(bytes.data() + 8))};
}

}  // namespace tarn::storage::rocks
