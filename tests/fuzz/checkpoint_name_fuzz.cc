// Any bytes as the name of a file in a catalog, or as an id: nothing, or exactly what the name is
// written as.
#include <cstdint>
#include <cstdlib>

#include "checkpoint/checkpoint_id.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tarn::checkpoint::CatalogFileKind;
  const absl::string_view name(reinterpret_cast<const char*>(data), size);
  const auto id = tarn::checkpoint::ParseCheckpointId(name);
  if (id && tarn::checkpoint::ToString(*id) != name) std::abort();
  const auto file = tarn::checkpoint::ParseFileName(name);
  // A temporary one may be that of a pin.
  if (file && file->kind != CatalogFileKind::kTemporary &&
      tarn::checkpoint::FileName(file->id, file->kind) != name) {
    std::abort();
  }
  return 0;
}
