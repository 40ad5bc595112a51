#include "checkpoint/compression.h"

#include <lz4.h>
#include <snappy.h>
#include <zstd.h>

#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::checkpoint {
namespace {

constexpr int kMinZstdLevel = -7;
constexpr int kMaxZstdLevel = 19;  // Beyond it a decoder needs more memory than a block is worth.

absl::Status Damaged(absl::string_view what) {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss, what);
}

// Making a context costs more than compressing a block.
ZSTD_CCtx* CompressionContext() {
  thread_local const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                                  &ZSTD_freeCCtx);
  return context.get();
}

void CompressLz4(absl::string_view raw, std::string* stored) {
  stored->resize(static_cast<size_t>(LZ4_compressBound(static_cast<int>(raw.size()))));
  const int size = LZ4_compress_default(raw.data(), stored->data(), static_cast<int>(raw.size()),
                                        static_cast<int>(stored->size()));
  stored->resize(static_cast<size_t>(size));
}

void CompressZstd(int level, absl::string_view raw, std::string* stored) {
  stored->resize(ZSTD_compressBound(raw.size()));
  const size_t size = ZSTD_compressCCtx(CompressionContext(), stored->data(), stored->size(),
                                        raw.data(), raw.size(), level);
  stored->resize(size);
}

absl::StatusOr<std::string> DecompressLz4(absl::string_view stored, size_t raw_size) {
  std::string raw(raw_size, '\0');
  const int size = LZ4_decompress_safe(stored.data(), raw.data(), static_cast<int>(stored.size()),
                                       static_cast<int>(raw_size));
  if (size < 0 || static_cast<size_t>(size) != raw_size)
    return Damaged("an lz4 block does not decompress to its size");
  return raw;
}

absl::StatusOr<std::string> DecompressZstd(absl::string_view stored, size_t raw_size) {
  std::string raw(raw_size, '\0');
  const size_t size = ZSTD_decompress(raw.data(), raw.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0 || size != raw_size)
    return Damaged("a zstd block does not decompress to its size");
  return raw;
}

absl::StatusOr<std::string> DecompressSnappy(absl::string_view stored, size_t raw_size) {
  size_t claimed = 0;
  if (!snappy::GetUncompressedLength(stored.data(), stored.size(), &claimed) ||
      claimed != raw_size) {
    return Damaged("a snappy block does not have the size it should");
  }
  std::string raw(raw_size, '\0');
  if (!snappy::RawUncompress(stored.data(), stored.size(), raw.data()))
    return Damaged("a snappy block does not decompress");
  return raw;
}

}  // namespace

absl::string_view CodecName(Codec codec) {
  switch (codec) {
    case Codec::kNone:
      return "none";
    case Codec::kLz4:
      return "lz4";
    case Codec::kZstd:
      return "zstd";
    case Codec::kSnappy:
      return "snappy";
  }
  return "unknown";
}

absl::StatusOr<Compression> ParseCompression(absl::string_view text) {
  const size_t colon = text.find(':');
  const absl::string_view name = text.substr(0, colon);
  for (const Codec codec : {Codec::kNone, Codec::kLz4, Codec::kZstd, Codec::kSnappy}) {
    if (name != CodecName(codec)) continue;
    if (colon == absl::string_view::npos) return Compression{codec, 0};
    int level = 0;
    if (codec == Codec::kZstd && absl::SimpleAtoi(text.substr(colon + 1), &level) &&
        level >= kMinZstdLevel && level <= kMaxZstdLevel) {
      return Compression{codec, level};
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown codec '", text, "': use none, lz4, snappy, zstd, or zstd:LEVEL with ",
                   kMinZstdLevel, " to ", kMaxZstdLevel));
}

void Compress(const Compression& compression, absl::string_view raw, std::string* stored) {
  switch (compression.codec) {
    case Codec::kNone:
      stored->assign(raw.data(), raw.size());
      break;
    case Codec::kLz4:
      CompressLz4(raw, stored);
      break;
    case Codec::kZstd:
      CompressZstd(compression.level, raw, stored);
      break;
    case Codec::kSnappy:
      snappy::Compress(raw.data(), raw.size(), stored);
      break;
  }
}

absl::StatusOr<std::string> Decompress(Codec codec, absl::string_view stored, size_t raw_size) {
  switch (codec) {
    case Codec::kNone:
      if (stored.size() != raw_size) return Damaged("a block does not have the size it should");
      return std::string(stored);
    case Codec::kLz4:
      return DecompressLz4(stored, raw_size);
    case Codec::kZstd:
      return DecompressZstd(stored, raw_size);
    case Codec::kSnappy:
      return DecompressSnappy(stored, raw_size);
  }
  return Damaged("a block has an unknown codec");
}

}  // namespace tarn::checkpoint
