// Any bytes as each of the things the RocksDB engine stores: refused, or exactly what the encoder
// makes of what was found.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/rocksdb/generations.h"
#include "storage/rocksdb/layout.h"

using namespace tarn::storage::rocks;  // NOLINT: every one of its decoders

namespace {

void Expect(bool condition) {
  if (!condition) std::abort();
}

void CheckEntries(absl::string_view bytes) {
  if (const auto key = DecodeEntryKey(bytes)) Expect(EntryKey(key->ns, key->key).view() == bytes);
  if (const auto entry = DecodeEntry(bytes)) {
    const EntryHeader header = EncodeEntryHeader(entry->revision, entry->deadline);
    Expect(std::string(header.data(), header.size()) + std::string(entry->value) == bytes);
  }
  if (const auto key = DecodeExpiryKey(bytes)) {
    Expect(EncodeExpiryKey(key->deadline, key->entry_key) == bytes);
  }
}

void CheckRecords(absl::string_view bytes) {
  if (const auto version = DecodeFormat(bytes)) Expect(EncodeFormat(*version) == bytes);
  if (const auto meta = DecodeStore(bytes)) Expect(EncodeStore(*meta) == bytes);
  if (const auto revision = DecodeCommit(bytes)) Expect(EncodeCommit(*revision) == bytes);
  if (const auto ns = DecodeUsageKey(bytes)) Expect(EncodeUsageKey(*ns) == bytes);
  if (const auto usage = DecodeUsage(bytes)) Expect(EncodeUsage(*usage) == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckEntries(bytes);
  CheckRecords(bytes);
  if (const auto pointer = DecodePointer(bytes)) Expect(FormatOfPointer(bytes) == 1);
  return 0;
}
