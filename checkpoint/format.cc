#include "checkpoint/format.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"

namespace tarn::checkpoint {
namespace {

using base::AppendFixed32;
using base::AppendFixed64;
using base::AppendLengthPrefixed;
using base::AppendVarint64;
using base::ConsumeFixed32;
using base::ConsumeFixed64;
using base::ConsumeLengthPrefixed;
using base::ConsumeVarint64;

absl::Status Damaged(absl::string_view what) {
  return base::MakeError(absl::StatusCode::kDataLoss, base::Reason::kDataLoss, what);
}

// Takes fields off the front of bytes whose length was checked once for all of them.
class FieldReader {
 public:
  explicit FieldReader(absl::string_view bytes) : left_(bytes) {}

  uint32_t Number32() { return *ConsumeFixed32(&left_); }
  uint64_t Number64() { return *ConsumeFixed64(&left_); }
  absl::string_view Bytes(size_t size) {
    const absl::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  base::Sha256Digest Digest() {
    base::Sha256Digest digest;
    const absl::string_view bytes = Bytes(digest.size());
    std::copy(bytes.begin(), bytes.end(), digest.begin());
    return digest;
  }
  CheckpointNumber Number() {
    const storage::Incarnation incarnation = Number64();
    return {incarnation, Number64()};
  }

 private:
  absl::string_view left_;
};

void AppendNumber(const CheckpointNumber& number, std::string* target) {
  AppendFixed64(target, number.incarnation);
  AppendFixed64(target, number.sequence);
}

void AppendPadded(absl::string_view text, size_t size, std::string* target) {
  const absl::string_view kept = text.substr(0, size);
  absl::StrAppend(target, kept);
  target->append(size - kept.size(), '\0');
}

std::string WithoutPadding(absl::string_view padded) {
  return std::string(padded.substr(0, padded.find('\0')));
}

absl::Status CheckVersion(absl::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return Damaged("the file is too short to be a checkpoint");
  FieldReader fields(bytes);
  if (fields.Bytes(kMagic.size()) != kMagic)
    return Damaged("the file does not begin as a checkpoint does");
  const uint32_t version = fields.Number32();
  if (version > kFormatVersion) {
    return base::MakeError(
        absl::StatusCode::kFailedPrecondition, base::Reason::kNewerFormat,
        absl::StrCat("the checkpoint has format version ", version, " at byte ", kMagic.size(),
                     "; this program reads up to ", kFormatVersion));
  }
  if (version != kFormatVersion || fields.Number32() != kHeaderBytes)
    return Damaged("the header has an impossible version or size");
  return absl::OkStatus();
}

// The same number has the same bytes everywhere, so that a record has one encoding.
std::optional<BlockInfo> ConsumeBlockInfo(absl::string_view* input) {
  constexpr size_t kFixedBytes = 2 + sizeof(base::Sha256Digest);
  if (input->size() < kFixedBytes) return std::nullopt;
  FieldReader fields(*input);
  BlockInfo info;
  const auto section = static_cast<uint8_t>(fields.Bytes(1)[0]);
  const auto codec = static_cast<uint8_t>(fields.Bytes(1)[0]);
  if (section > static_cast<uint8_t>(Section::kSystem) ||
      codec > static_cast<uint8_t>(Codec::kSnappy))
    return std::nullopt;
  info.section = static_cast<Section>(section);
  info.codec = static_cast<Codec>(codec);
  info.hash = fields.Digest();
  input->remove_prefix(kFixedBytes);
  for (uint64_t* number : {&info.offset, &info.stored_bytes, &info.raw_bytes, &info.entries}) {
    const std::optional<uint64_t> value = ConsumeVarint64(input);
    if (!value) return std::nullopt;
    *number = *value;
  }
  for (std::string* text : {&info.ns, &info.first_key}) {
    const std::optional<absl::string_view> value = ConsumeLengthPrefixed(input);
    if (!value) return std::nullopt;
    *text = std::string(*value);
  }
  return info;
}

}  // namespace

std::string EncodeHeader(const Header& header) {
  std::string bytes(kMagic);
  AppendFixed32(&bytes, kFormatVersion);
  AppendFixed32(&bytes, kHeaderBytes);
  AppendPadded(absl::HexStringToBytes(header.store_id), kStoreIdBytes, &bytes);
  AppendNumber(header.number, &bytes);
  AppendNumber(header.parent, &bytes);
  AppendFixed64(&bytes, header.revision);
  AppendFixed64(&bytes, static_cast<uint64_t>(header.create_time));
  AppendFixed64(&bytes, static_cast<uint64_t>(header.as_of));
  AppendFixed64(&bytes, header.entries);
  AppendFixed64(&bytes, header.data_bytes);
  AppendFixed64(&bytes, header.content_digest.high);
  AppendFixed64(&bytes, header.content_digest.low);
  AppendFixed64(&bytes, header.blocks);
  AppendFixed64(&bytes, header.index_offset);
  AppendFixed64(&bytes, header.index_bytes);
  AppendFixed32(&bytes, static_cast<uint32_t>(header.compression.codec));
  AppendFixed32(&bytes, static_cast<uint32_t>(header.compression.level));
  AppendPadded(header.engine, kEngineNameBytes, &bytes);
  AppendFixed64(&bytes, header.system_entries);
  absl::StrAppend(&bytes, base::BytesOf(header.system_digest));
  static_assert(kRootOffset == 224);
  bytes.resize(kRootOffset);
  return bytes;
}

absl::StatusOr<Header> DecodeHeader(absl::string_view bytes) {
  if (absl::Status status = CheckVersion(bytes); !status.ok()) return status;
  FieldReader fields(bytes.substr(kMagic.size() + 2 * sizeof(uint32_t), kHeaderBytes));
  Header header;
  header.store_id = absl::BytesToHexString(fields.Bytes(kStoreIdBytes));
  header.number = fields.Number();
  header.parent = fields.Number();
  header.revision = fields.Number64();
  header.create_time = static_cast<base::UnixMs>(fields.Number64());
  header.as_of = static_cast<base::UnixMs>(fields.Number64());
  header.entries = fields.Number64();
  header.data_bytes = fields.Number64();
  header.content_digest.high = fields.Number64();
  header.content_digest.low = fields.Number64();
  header.blocks = fields.Number64();
  header.index_offset = fields.Number64();
  header.index_bytes = fields.Number64();
  const uint32_t codec = fields.Number32();
  header.compression.codec = static_cast<Codec>(codec);
  header.compression.level = static_cast<int>(fields.Number32());
  header.engine = WithoutPadding(fields.Bytes(kEngineNameBytes));
  header.system_entries = fields.Number64();
  header.system_digest = fields.Digest();
  if (header.as_of < 0 || codec > static_cast<uint32_t>(Codec::kSnappy))
    return Damaged("the header has an impossible time or codec");
  // What a parent would mean is not known yet: taking such a file for a whole one would lose data.
  if (header.parent != CheckpointNumber{}) return Damaged("the header names a parent");
  header.root = FieldReader(bytes.substr(kRootOffset)).Digest();
  return header;
}

void AppendBlockInfo(const BlockInfo& info, std::string* index) {
  index->push_back(static_cast<char>(info.section));
  index->push_back(static_cast<char>(info.codec));
  absl::StrAppend(index, base::BytesOf(info.hash));
  for (const uint64_t number : {info.offset, info.stored_bytes, info.raw_bytes, info.entries})
    AppendVarint64(index, number);
  AppendLengthPrefixed(index, info.ns);
  AppendLengthPrefixed(index, info.first_key);
}

absl::StatusOr<std::vector<BlockInfo>> DecodeIndex(absl::string_view index, uint64_t blocks) {
  std::vector<BlockInfo> infos;
  const size_t size = index.size();
  while (infos.size() < blocks) {
    std::optional<BlockInfo> info = ConsumeBlockInfo(&index);
    if (!info)
      return Damaged(absl::StrCat("the index is malformed at its byte ", size - index.size()));
    infos.push_back(*std::move(info));
  }
  if (!index.empty())
    return Damaged(absl::StrCat("the index has ", index.size(), " bytes behind its last record"));
  return infos;
}

void AppendEntry(const EntryOrigin& origin, const storage::EntryView& entry, std::string* raw) {
  AppendVarint64(raw, origin.revision - entry.revision);
  AppendVarint64(raw, entry.deadline == base::kNever
                          ? 0
                          : static_cast<uint64_t>(entry.deadline - origin.as_of));
  AppendLengthPrefixed(raw, entry.key);
  AppendLengthPrefixed(raw, entry.value);
}

std::optional<storage::EntryView> ConsumeEntry(const EntryOrigin& origin, absl::string_view* raw) {
  const std::optional<uint64_t> age = ConsumeVarint64(raw);
  const std::optional<uint64_t> lifetime = age ? ConsumeVarint64(raw) : std::nullopt;
  if (!lifetime || *age >= origin.revision ||
      *lifetime > static_cast<uint64_t>(INT64_MAX - origin.as_of))
    return std::nullopt;
  const std::optional<absl::string_view> key = ConsumeLengthPrefixed(raw);
  const std::optional<absl::string_view> value = key ? ConsumeLengthPrefixed(raw) : std::nullopt;
  if (!value) return std::nullopt;
  storage::EntryView entry;
  entry.revision = origin.revision - *age;
  entry.deadline =
      *lifetime == 0 ? base::kNever : origin.as_of + static_cast<base::UnixMs>(*lifetime);
  entry.key = *key;
  entry.value = *value;
  return entry;
}

}  // namespace tarn::checkpoint
