// Any bytes as what a store keeps in Redis: what is read as a record, a name or a member is exactly
// what is written for it, so that no two forms mean the same.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/redis/generations.h"
#include "storage/redis/layout.h"
#include "storage/redis/record.h"
#include "storage/redis/store_records.h"

namespace tarn::storage::redis {
namespace {

void Require(bool truth) {
  if (!truth) std::abort();
}

void CheckEntry(absl::string_view bytes) {
  if (const auto record = DecodeRecord(bytes)) Require(EncodeRecord(*record) == bytes);
  if (const auto member = DecodeIndexMember(bytes)) Require(EncodeIndexMember(*member) == bytes);
  static const Layout layout = *Layout::Create("t");
  for (const Partition partition : {Partition{0}, Partition{255}}) {
    const auto name = layout.ParseEntry(partition, bytes);
    if (name) Require(layout.Entry(partition, *name) == bytes);
  }
}

void CheckStore(absl::string_view bytes) {
  if (const auto meta = DecodeMeta(bytes); meta.ok()) Require(EncodeMeta(*meta) == bytes);
  if (const auto owner = DecodeOwner(bytes)) Require(EncodeOwner(*owner) == bytes);
  if (const auto beat = DecodeHeartbeat(bytes)) {
    const auto again = DecodeHeartbeat(EncodeHeartbeat(*beat));
    Require(again && again->holder == beat->holder && again->name == beat->name);
  }
  if (const auto generations = DecodeGenerations(bytes)) {
    Require(DecodeGenerations(EncodeGenerations(*generations)) == generations);
  }
  CheckFormat(bytes).IgnoreError();
}

void Check(absl::string_view bytes) {
  CheckEntry(bytes);
  CheckStore(bytes);
}

}  // namespace
}  // namespace tarn::storage::redis

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tarn::storage::redis::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
