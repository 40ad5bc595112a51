// Any bytes as the record of a lock: refused, or exactly what the encoder makes.
#include <cstdint>
#include <cstdlib>

#include "storage/locks/lock_record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto record = tarn::storage::DecodeLockRecord(bytes);
  if (record.ok() && tarn::storage::EncodeLockRecord(*record) != bytes) std::abort();
  return 0;
}
