// Any bytes as a scan's resume token: refused, or exactly what the encoder makes. The first input
// byte chooses whether the checksum is made right first, so that what lies behind it is reached
// too.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/base/checksum.h"
#include "storage/base/coding.h"
#include "storage/resume_token.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string store_id(32, 'a');
  const tarn::storage::ResumeTokenCodec codec(store_id);
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'c') {
    const uint64_t seed = tarn::base::Checksum64(store_id);
    tarn::base::AppendFixed64(&bytes, tarn::base::Checksum64(bytes, seed));
  }
  const auto token = codec.Decode(bytes);
  if (token.ok() && codec.Encode(*token) != bytes) std::abort();
  return 0;
}
