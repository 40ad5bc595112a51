// The check that RocksDB's own reading of its logs is too forgiving for.
#include "storage/rocksdb/log_check.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "storage/rocksdb/crc32c.h"
#include "tests/catch.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/status.h"

namespace tarn::storage::rocks {
namespace {

using testing::Brief;

constexpr size_t kBlock = LogChecker::kBlockBytes;

std::string LittleEndian(uint64_t value, size_t bytes) {
  std::string result;
  for (size_t i = 0; i < bytes; ++i) result.push_back(static_cast<char>(value >> (8 * i)));
  return result;
}

// Writes a log file as RocksDB does.
class Log {
 public:
  Log& Commit(uint64_t sequence, uint32_t count, size_t value_bytes = 10) {
    return Record(LittleEndian(sequence, 8) + LittleEndian(count, 4) +
                  std::string(value_bytes, 'v'));
  }

  Log& Record(const std::string& payload) {
    last_ = bytes_.size();
    size_t done = 0;
    bool begins = true;
    do {
      const size_t room = kBlock - bytes_.size() % kBlock;
      if (room < 7) bytes_.append(room, '\0');
      const size_t left = kBlock - bytes_.size() % kBlock - 7;
      const size_t part = std::min(left, payload.size() - done);
      const bool ends = done + part == payload.size();
      Part(begins && ends ? 1 : begins ? 2 : ends ? 4 : 3, payload.substr(done, part));
      done += part;
      begins = false;
    } while (done < payload.size() || begins);
    return *this;
  }

  Log& Part(char type, const std::string& payload) {
    const uint32_t crc = ExtendCrc32c(0, std::string(1, type) + payload);
    bytes_ += LittleEndian(MaskCrc32c(crc), 4) + LittleEndian(payload.size(), 2) + type + payload;
    return *this;
  }

  Log& Raw(const std::string& bytes) {
    bytes_ += bytes;
    return *this;
  }

  const std::string& bytes() const { return bytes_; }
  size_t last() const { return last_; }  // Where the last record begins.

 private:
  std::string bytes_;
  size_t last_ = 0;
};

struct Checked {
  std::string status;
  uint64_t first = 0;
  uint64_t next = 0;
};

Checked Check(absl::string_view bytes, LogKind kind = LogKind::kCommits) {
  LogChecker checker(kind);
  for (size_t i = 0; i < bytes.size(); i += kBlock) {
    const absl::Status status = checker.Check(bytes.substr(i, kBlock));
    if (!status.ok()) return {Brief(status)};
  }
  return {"OK", checker.first_sequence().value_or(0), checker.next_sequence()};
}

std::string Flipped(std::string bytes, size_t at, unsigned char mask) {
  bytes[at] = static_cast<char>(bytes[at] ^ mask);
  return bytes;
}

TEST_CASE("A log of whole commits is sound, and says which sequence numbers it has") {
  const Checked checked = Check(Log().Commit(5, 2).Commit(7, 1).Commit(8, 10, 100'000).bytes());
  CHECK(checked.status == "OK");
  CHECK(checked.first == 5);
  CHECK(checked.next == 18);
  CHECK(Check("").status == "OK");
}

TEST_CASE("Commits of any size are read across blocks") {
  for (size_t size = kBlock - 40; size < kBlock + 10; ++size) {
    const Log log = Log().Commit(1, 1, size).Commit(2, 1).Commit(3, 1, 3 * size);
    const Checked checked = Check(log.bytes());
    REQUIRE(checked.status == "OK");
    REQUIRE(checked.next == 4);
  }
}

TEST_CASE("A last commit that was cut short anywhere is no damage, and those before it count") {
  const size_t size = GENERATE(size_t{20}, size_t{500}, 2 * kBlock);
  const Log log = Log().Commit(1, 1).Commit(2, 3).Commit(5, 1, size);
  const size_t step = size > kBlock ? 97 : 1;
  for (size_t end = log.last(); end < log.bytes().size(); end += step) {
    const Checked checked = Check(absl::string_view(log.bytes()).substr(0, end));
    REQUIRE(checked.status == "OK");
    REQUIRE(checked.next == 5);
  }
}

TEST_CASE("A flipped bit anywhere in a log is found") {
  const Log log = Log().Commit(1, 1).Commit(2, 1, 300).Commit(3, 1, 40);
  for (size_t at = 0; at < log.bytes().size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      INFO("byte " << at << ", bit " << bit);
      REQUIRE(Check(Flipped(log.bytes(), at, static_cast<unsigned char>(1 << bit))).status ==
              "DATA_LOSS DATA_LOSS");
    }
  }
}

TEST_CASE("A commit whose length was damaged is not taken for one that was cut short") {
  const Log log = Log().Commit(1, 1).Commit(2, 1);
  for (int length = 0; length < 1000; ++length) {
    std::string bytes = log.bytes();
    if (static_cast<size_t>(length) == bytes.size() - log.last() - 7) continue;
    bytes.replace(log.last() + 4, 2, LittleEndian(static_cast<uint64_t>(length), 2));
    REQUIRE(Check(bytes).status == "DATA_LOSS DATA_LOSS");
  }
}

TEST_CASE("A stretch of garbage before whole commits is not taken for the end") {
  Log log = Log().Commit(1, 1).Commit(2, 1, 100);
  const size_t from = log.last();
  log.Commit(3, 1).Commit(4, 1);
  for (size_t length = 7; length < 100; ++length) {
    std::string bytes = log.bytes();
    bytes.replace(from, length, std::string(length, '\x70'));
    REQUIRE(Check(bytes).status == "DATA_LOSS DATA_LOSS");
  }
}

TEST_CASE("Space that was reserved and not written to is no damage at the end of a log") {
  const std::string sound = Log().Commit(1, 1).bytes();
  CHECK(Check(sound + std::string(5, '\0')).status == "OK");
  CHECK(Check(sound + std::string(100, '\0')).status == "OK");
  CHECK(Check(sound + std::string(3 * kBlock, '\0')).status == "OK");
}

TEST_CASE("Zeros in the middle of a log are damage") {
  const std::string sound = Log().Commit(1, 1).bytes();
  CHECK(Check(sound + std::string(100, '\0') + Log().Commit(2, 1).bytes()).status ==
        "DATA_LOSS DATA_LOSS");
  const std::string blocks = sound + std::string(kBlock - sound.size(), '\0');
  CHECK(Check(blocks + Log().Commit(2, 1).bytes()).status == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("Commits that are missing between two others are found") {
  CHECK(Check(Log().Commit(1, 1).Commit(3, 1).bytes()).status == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("A commit that takes the numbers of a failed one is no damage") {
  const Checked checked = Check(Log().Commit(1, 1).Commit(2, 5).Commit(2, 1).bytes());
  CHECK(checked.status == "OK");
  CHECK(checked.next == 3);
}

TEST_CASE("A value that holds a log does not make a commit that was cut short look damaged") {
  const std::string value = Log().Commit(1, 1).Commit(2, 1).bytes();
  const std::string head = LittleEndian(uint64_t{1} << 40, 8) + LittleEndian(1, 4);
  const Log log = Log().Commit((uint64_t{1} << 40) - 1, 1).Record(head + value + "the rest");
  CHECK(Check(absl::string_view(log.bytes()).substr(0, log.bytes().size() - 3)).status == "OK");
}

TEST_CASE("Parts without a beginning or an end are damage") {
  CHECK(Check(Log().Part(4, "last").bytes()).status == "DATA_LOSS DATA_LOSS");
  CHECK(Check(Log().Part(3, "middle").bytes()).status == "DATA_LOSS DATA_LOSS");
  CHECK(Check(Log().Part(2, "first").Commit(1, 1).bytes()).status == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("A commit too short to have a sequence number is damage") {
  CHECK(Check(Log().Record("short").bytes()).status == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("A record of a kind this program does not know is passed over") {
  CHECK(Check(Log().Commit(1, 1).Part(10, "news").Commit(2, 1).bytes()).next == 3);
}

TEST_CASE("A manifest's records are no commits, but their damage is found too") {
  const Log log = Log().Record("a").Record(std::string(50'000, 'b')).Record("c");
  CHECK(Check(log.bytes(), LogKind::kManifest).status == "OK");
  const Log small = Log().Record("edit one").Record("edit two").Record("edit three");
  for (size_t at = 0; at < small.bytes().size(); ++at) {
    INFO("byte " << at);
    REQUIRE(Check(Flipped(small.bytes(), at, 0x10), LogKind::kManifest).status ==
            "DATA_LOSS DATA_LOSS");
  }
}

// A database's directory in memory.
class Directory {
 public:
  Directory() {
    Must(files_.CreateDirectories("db"));
    Write("CURRENT", "MANIFEST-000003\n");
    Write("MANIFEST-000003", Log().Record("edit").bytes());
    Write("000004.log", Log().Commit(1, 2).Commit(3, 1).bytes());
  }

  Directory& Write(const std::string& name, const std::string& bytes) {
    Must(base::ReplaceFile(files_, "db/" + name, bytes));
    return *this;
  }
  Directory& Remove(const std::string& name) {
    Must(files_.Remove("db/" + name));
    return *this;
  }

  absl::Status Check() { return CheckLogs(files_, "db"); }
  // "DATA_LOSS DATA_LOSS", and whether the message names this file.
  std::string Blames(const std::string& name) {
    const absl::Status status = Check();
    const bool named = absl::StrContains(status.message(), name);
    return Brief(status) + (named ? "" : absl::StrCat(", but says: ", status.message()));
  }

 private:
  static void Must(const absl::Status& status) {
    if (!status.ok()) throw std::runtime_error(status.ToString());
  }

  testing::FaultFileSystem files_;
};

TEST_CASE("The logs of a sound database are sound") {
  CHECK(Brief(Directory().Check()) == "OK");
  CHECK(Brief(Directory().Write("000007.log", "").Check()) == "OK");
  CHECK(Brief(Directory().Write("000007.log", Log().Commit(4, 1).bytes()).Check()) == "OK");
}

TEST_CASE("What is missing or damaged is named") {
  CHECK(Directory().Remove("CURRENT").Blames("db/CURRENT is missing") == "DATA_LOSS DATA_LOSS");
  CHECK(Directory().Write("CURRENT", "").Blames("db/CURRENT is damaged") == "DATA_LOSS DATA_LOSS");
  CHECK(Directory().Write("CURRENT", "MANIFEST-000003").Blames("db/CURRENT is damaged") ==
        "DATA_LOSS DATA_LOSS");
  CHECK(Directory().Remove("MANIFEST-000003").Blames("db/MANIFEST-000003 is missing") ==
        "DATA_LOSS DATA_LOSS");
  CHECK(Directory()
            .Write("MANIFEST-000003", Flipped(Log().Record("edit").bytes(), 8, 1))
            .Blames("db/MANIFEST-000003: damaged") == "DATA_LOSS DATA_LOSS");
  CHECK(Directory().Remove("000004.log").Blames("db has lost its logs") == "DATA_LOSS DATA_LOSS");
  CHECK(Directory()
            .Write("000004.log", Flipped(Log().Commit(1, 2).bytes(), 9, 1))
            .Blames("db/000004.log: damaged at byte 0") == "DATA_LOSS DATA_LOSS");
}

TEST_CASE("A log that lost its end, or is gone, is missed by the one after it") {
  const std::string after = Log().Commit(4, 1).bytes();
  const std::string cut = Log().Commit(1, 2).bytes() + Log().Commit(3, 1).bytes().substr(0, 9);
  CHECK(Directory().Write("000007.log", after).Write("000004.log", cut).Blames("000007.log") ==
        "DATA_LOSS DATA_LOSS");
  CHECK(Directory().Write("000010.log", Log().Commit(5, 1).bytes()).Blames("db/000010.log") ==
        "DATA_LOSS DATA_LOSS");
}

TEST_CASE("A log that was cut short is no damage when the one after it goes on just there") {
  const std::string cut = Log().Commit(1, 2).bytes() + Log().Commit(3, 1).bytes().substr(0, 9);
  CHECK(Brief(Directory()
                  .Write("000004.log", cut)
                  .Write("000007.log", Log().Commit(3, 1).bytes())
                  .Check()) == "OK");
}

TEST_CASE("Logs are taken in the order of their numbers, not of their names") {
  CHECK(Brief(Directory()
                  .Write("999999.log", Log().Commit(4, 1).bytes())
                  .Write("1000000.log", Log().Commit(5, 1).bytes())
                  .Check()) == "OK");
}

}  // namespace
}  // namespace tarn::storage::rocks
