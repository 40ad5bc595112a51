// The codecs that blocks of a checkpoint may be stored with. The only file that knows the libraries
// is compression.cc.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tarn::checkpoint {

// NOTE: do not change the values: they are part of the file format.
enum class Codec : uint8_t {
  kNone = 0,
  kLz4 = 1,   // The LZ4 block format.
  kZstd = 2,  // One Zstandard frame.
  kSnappy = 3,
};

struct Compression {
  Codec codec = Codec::kLz4;
  int level = 0;  // zstd: 0 is its default; others have none. Lower is faster.
};

// "none", "lz4", "zstd", "snappy".
absl::string_view CodecName(Codec codec);

// From a name, or "zstd:LEVEL" with a level from -7 to 19. INVALID_ARGUMENT naming what is allowed.
absl::StatusOr<Compression> ParseCompression(absl::string_view text);

// The stored form of `raw`, replacing what `stored` held.
void Compress(const Compression& compression, absl::string_view raw, std::string* stored);

// Decompresses exactly `raw_size` bytes. DATA_LOSS when `stored` gives anything else; never more
// memory than that is taken.
absl::StatusOr<std::string> Decompress(Codec codec, absl::string_view stored, size_t raw_size);

}  // namespace tarn::checkpoint
