// What is written to the disk, byte for byte: a change here is a change of the format.
#include "storage/rocksdb/layout.h"

#include <string>

#include "absl/strings/escaping.h"
#include "tests/catch.h"

namespace tarn::storage::rocks {
namespace {

constexpr Revision kRevision = (Revision{3} << 40) | 0x1234;
constexpr base::UnixMs kDeadline = 0x0102030405;

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

TEST_CASE("An entry's key is its namespace and its key") {
  CHECK(Hex(EntryKey(0x01020304, "k\x80").view()) == "010203046b80");
  CHECK(Hex(EntryKey(7, "").view()) == "00000007");
}

TEST_CASE("Entry keys order by namespace, then by unsigned bytes") {
  CHECK(EntryKey(1, "\xff").view() < EntryKey(2, "").view());
  CHECK(EntryKey(255, "z").view() < EntryKey(256, "a").view());
  CHECK(EntryKey(1, "\x7f").view() < EntryKey(1, "\x80").view());
  CHECK(EntryKey(1, "a").view() < EntryKey(1, absl::string_view("a\0", 2)).view());
}

TEST_CASE("A long key is encoded like a short one") {
  const std::string key(4096, 'k');
  CHECK(EntryKey(1, key).view().substr(4) == key);
}

TEST_CASE("An entry's key is decoded; fewer than four bytes are none") {
  const std::string bytes(EntryKey(9, "key").view());
  const auto key = DecodeEntryKey(bytes);
  REQUIRE(key);
  CHECK(key->ns == 9);
  CHECK(key->key == "key");
  CHECK(DecodeEntryKey("1234"));
  CHECK_FALSE(DecodeEntryKey("123"));
}

TEST_CASE("Before the value stand form, revision and deadline") {
  const EntryHeader header = EncodeEntryHeader(kRevision, kDeadline);
  CHECK(Hex({header.data(), header.size()}) ==
        "01"
        "0000030000001234"
        "0000000102030405");
}

TEST_CASE("An entry is decoded, with and without a value") {
  const EntryHeader header = EncodeEntryHeader(kRevision, base::kNever);
  const std::string bare(header.data(), header.size());
  const auto entry = DecodeEntry(bare);
  REQUIRE(entry);
  CHECK(entry->revision == kRevision);
  CHECK(entry->deadline == base::kNever);
  CHECK(entry->value.empty());
  CHECK(DecodeEntry(bare + "value")->value == "value");
}

TEST_CASE("An entry of another form, or cut short, is none") {
  const EntryHeader header = EncodeEntryHeader(kRevision, kDeadline);
  std::string bytes(header.data(), header.size());
  CHECK_FALSE(DecodeEntry(absl::string_view(bytes).substr(0, bytes.size() - 1)));
  CHECK_FALSE(DecodeEntry(""));
  bytes[0] = 2;
  CHECK_FALSE(DecodeEntry(bytes));
}

TEST_CASE("A key of the expiry index is the deadline and the entry's key") {
  CHECK(Hex(EncodeExpiryKey(kDeadline, EntryKey(7, "k").view())) ==
        "0000000102030405"
        "000000076b");
}

TEST_CASE("Keys of the expiry index order by deadline, and a bound parts them") {
  const std::string early = EncodeExpiryKey(255, EntryKey(9, "z").view());
  const std::string late = EncodeExpiryKey(256, EntryKey(1, "a").view());
  CHECK(early < late);
  CHECK(early < ExpiryBoundAfter(255));
  CHECK(ExpiryBoundAfter(255) <= late);
}

TEST_CASE("A key of the expiry index is decoded; what is too short is none") {
  const std::string bytes = EncodeExpiryKey(kDeadline, EntryKey(7, "k").view());
  const auto key = DecodeExpiryKey(bytes);
  REQUIRE(key);
  CHECK(key->deadline == kDeadline);
  CHECK(key->entry_key == EntryKey(7, "k").view());
  CHECK_FALSE(DecodeExpiryKey(absl::string_view(bytes).substr(0, 11)));
}

TEST_CASE("The format's record is four bytes") {
  CHECK(Hex(EncodeFormat(kFormatVersion)) == "00000001");
  CHECK(DecodeFormat(EncodeFormat(77)) == 77);
  CHECK_FALSE(DecodeFormat("123"));
  CHECK_FALSE(DecodeFormat("12345"));
}

TEST_CASE("The store's record is its incarnation and its id") {
  const std::string id = "0123456789abcdef0123456789abcdef";
  const std::string bytes = EncodeStore({id, 5});
  CHECK(Hex(bytes) == "0000000000000005" + Hex(id));
  const auto meta = DecodeStore(bytes);
  REQUIRE(meta);
  CHECK(meta->store_id == id);
  CHECK(meta->incarnation == 5);
  CHECK_FALSE(DecodeStore(absl::string_view(bytes).substr(1)));
  CHECK_FALSE(DecodeStore(bytes + "x"));
}

TEST_CASE("The commit's record is its revision") {
  CHECK(Hex(EncodeCommit(kRevision)) == "0000030000001234");
  CHECK(DecodeCommit(EncodeCommit(kRevision)) == kRevision);
  CHECK_FALSE(DecodeCommit("1234567"));
}

TEST_CASE("A usage record belongs to a namespace and counts entries and bytes") {
  CHECK(Hex(EncodeUsageKey(258)) == Hex("usage") + "00000102");
  CHECK(Hex(EncodeUsage({1, 300})) ==
        "0000000000000001"
        "000000000000012c");
  CHECK(DecodeUsageKey(EncodeUsageKey(258)) == NamespaceId{258});
  CHECK_FALSE(DecodeUsageKey("usage123"));
  CHECK_FALSE(DecodeUsageKey("Usage1234"));
  const auto usage = DecodeUsage(EncodeUsage({5, -6}));
  REQUIRE(usage);
  CHECK(usage->entries == 5);
  CHECK(usage->bytes == -6);
  CHECK_FALSE(DecodeUsage("123456789012345"));
}

TEST_CASE("The records have these keys") {
  CHECK(kFormatKey == "format");
  CHECK(kStoreKey == "store");
  CHECK(kCommitKey == "commit");
  CHECK(kUsagePrefix == "usage");
  CHECK(std::string(kEntriesFamily) == "entries");
  CHECK(std::string(kExpiryFamily) == "expiry");
}

}  // namespace
}  // namespace tarn::storage::rocks
