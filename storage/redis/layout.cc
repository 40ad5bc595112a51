#include "storage/redis/layout.h"

#include <algorithm>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/error.h"

namespace tarn::storage::redis {
namespace {

// NOTE: persisted.
constexpr char kEntryKind = 'v';
constexpr char kIndexKind = 'i';
constexpr char kIndexLogKind = 'l';
constexpr char kDeadlinesKind = 'x';
constexpr char kRemovalsKind = 'r';
constexpr char kOwnerKind = 'o';
constexpr char kHeartbeatKind = 'h';
constexpr char kFormatKind = 'f';
constexpr char kMetaKind = 'm';
constexpr char kGenerationsKind = 'g';

bool IsPrefixCharacter(char c) {
  return absl::ascii_isalnum(c) || c == '.' || c == ':' || c == '-' || c == '_';
}

std::optional<uint32_t> ConsumeVarint32(absl::string_view* input) {
  const std::optional<uint64_t> number = base::ConsumeVarint64(input);
  if (!number || *number > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

}  // namespace

absl::StatusOr<Layout> Layout::Create(absl::string_view prefix) {
  if (prefix.empty() || prefix.size() > kMaxKeyPrefixBytes ||
      !std::all_of(prefix.begin(), prefix.end(), IsPrefixCharacter)) {
    return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kInvalidRequest,
                           absl::StrCat("the key prefix must be 1 to ", kMaxKeyPrefixBytes,
                                        " letters, digits, '.', ':', '-' or '_'"));
  }
  return Layout(prefix);
}

std::string Layout::Name(Partition partition, char kind) const {
  return absl::StrCat(prefix_, "{", PartitionTag(partition), "}", absl::string_view(&kind, 1));
}

std::string Layout::Entry(Partition partition, const EntryName& name) const {
  std::string text = Name(partition, kEntryKind);
  text.reserve(text.size() + 10 + name.key.size());
  base::AppendVarint64(&text, name.generation);
  base::AppendVarint64(&text, name.ns);
  absl::StrAppend(&text, name.key);
  return text;
}

std::string Layout::Index(Partition partition, Generation generation) const {
  std::string text = Name(partition, kIndexKind);
  base::AppendVarint64(&text, generation);
  return text;
}

std::string Layout::IndexLog(Partition partition, Generation generation, int half) const {
  std::string text = Name(partition, kIndexLogKind);
  base::AppendVarint64(&text, generation);
  text.push_back(static_cast<char>(half));
  return text;
}

std::string Layout::Deadlines(Partition partition, Generation generation) const {
  std::string text = Name(partition, kDeadlinesKind);
  base::AppendVarint64(&text, generation);
  return text;
}

std::string Layout::Removals(Partition partition, Generation generation) const {
  std::string text = Name(partition, kRemovalsKind);
  base::AppendVarint64(&text, generation);
  return text;
}

std::string Layout::Owner(Partition partition) const { return Name(partition, kOwnerKind); }

std::string Layout::Heartbeat() const { return Name(kStorePartition, kHeartbeatKind); }

std::string Layout::Format() const { return Name(kStorePartition, kFormatKind); }

std::string Layout::Meta() const { return Name(kStorePartition, kMetaKind); }

std::string Layout::Generations() const { return Name(kStorePartition, kGenerationsKind); }

std::optional<EntryName> Layout::ParseEntry(Partition partition, absl::string_view name) const {
  const std::string start = Name(partition, kEntryKind);
  if (!absl::StartsWith(name, start)) return std::nullopt;
  name.remove_prefix(start.size());
  const std::optional<uint32_t> generation = ConsumeVarint32(&name);
  const std::optional<uint32_t> ns = generation ? ConsumeVarint32(&name) : std::nullopt;
  if (!ns) return std::nullopt;
  return EntryName{*generation, *ns, name};
}

std::string EncodeIndexMember(const IndexMember& member) {
  std::string bytes;
  bytes.reserve(sizeof(uint32_t) + member.key.size());
  base::AppendFixed32(&bytes, member.ns);
  absl::StrAppend(&bytes, member.key);
  return bytes;
}

std::optional<IndexMember> DecodeIndexMember(absl::string_view bytes) {
  const std::optional<uint32_t> ns = base::ConsumeFixed32(&bytes);
  if (!ns) return std::nullopt;
  return IndexMember{*ns, bytes};
}

}  // namespace tarn::storage::redis
