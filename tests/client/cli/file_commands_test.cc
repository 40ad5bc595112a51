// Checkpoint files without a daemon.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "checkpoint/checkpoint_id.h"
#include "checkpoint/content_digest.h"
#include "checkpoint/reader.h"
#include "tests/catch.h"
#include "tests/client/cli/terminal.h"
#include "tests/support/temp_dir.h"

namespace tarn::cli {
namespace {

std::string Golden(const std::string& codec) {
  const char* const source = std::getenv("TARN_SOURCE_DIR");
  return std::string(source == nullptr ? "." : source) + "/tests/checkpoint/golden/v1-" + codec +
         ".ckpt";
}

std::string BytesOfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// A file of the test's own with these bytes.
struct File {
  testing::TempDir dir;
  std::string path = dir / "a.ckpt";
  explicit File(const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
};

TEST_CASE("an intact file exits 0, whatever its codec") {
  const std::string codec = GENERATE("none", "lz4", "zstd", "snappy");
  const Outcome intact = Terminal().Run({"verify", Golden(codec)});
  CHECK(intact.code == 0);
  CHECK(intact.out == "intact\n");
  CHECK(intact.err.empty());
}

TEST_CASE("a file with one wrong byte exits 5, and is named with the place of the damage") {
  const std::string bytes = BytesOfFile(Golden("lz4"));
  REQUIRE(bytes.size() > 1000);
  // Of the magic, the header, a block, the index.
  for (const size_t place : {size_t{3}, size_t{100}, size_t{700}, bytes.size() - 5}) {
    std::string damaged = bytes;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    const File file(damaged);
    Terminal t;
    const Outcome outcome = t.Run({"verify", file.path});
    CHECK(outcome.code == 5);
    CHECK(outcome.out.empty());
    CHECK(Says(outcome.err,
               "tarnctl: verify: DATA_LOSS, DATA_LOSS: " + file.path + " is damaged at byte "));
  }
}

TEST_CASE("a file that was cut, or is none, exits 5") {
  CHECK(Terminal().Run({"verify", File(BytesOfFile(Golden("lz4")).substr(0, 900)).path}).code == 5);
  CHECK(Terminal().Run({"verify", File("").path}).code == 5);
  CHECK(Terminal().Run({"inspect", File("no checkpoint").path}).code == 5);
}

TEST_CASE("damage inside a block is not inspect's to find") {
  std::string damaged = BytesOfFile(Golden("lz4"));
  damaged[700] = static_cast<char>(damaged[700] ^ 1);
  CHECK(Terminal().Run({"inspect", File(damaged).path}).code == 0);
}

TEST_CASE("a file that is not there exits 4, and one that cannot be read 1") {
  const testing::TempDir dir;
  for (const std::string command : {"verify", "inspect"}) {
    const Outcome missing = Terminal().Run({command, dir / "none.ckpt"});
    CHECK(missing.code == 4);
    CHECK(Says(missing.err, "none.ckpt"));
    CHECK(Terminal().Run({command, dir.path()}).code == 1);
  }
}

TEST_CASE("a file of a newer format exits 10, and says what to do") {
  std::string newer = BytesOfFile(Golden("lz4"));
  newer[11] = 2;  // The version; and something else that this one cannot judge.
  newer[40] = '\x01';
  const Outcome refused = Terminal().Run({"verify", File(newer).path});
  CHECK(refused.code == 10);
  CHECK(Says(refused.err, "NEWER_FORMAT"));
  CHECK(Says(refused.err, "Upgrade"));
}

TEST_CASE("both digests are printed as the server prints them") {
  const auto reader =
      *checkpoint::CheckpointReader::Open(base::PosixFileSystem(), Golden("lz4"), {});
  const checkpoint::Header& header = reader->header();
  for (const std::string command : {"inspect", "verify"}) {
    const std::string json = Terminal().Run({command, Golden("lz4"), "-w", "json"}).out;
    CHECK(Says(json, R"("root":")" + base::ToHex(header.root) + "\""));
    CHECK(Says(json, R"("content_digest":")" + checkpoint::ToHex(header.content_digest) + "\""));
    CHECK(Says(json, R"("id":")" + checkpoint::ToString({"", header.number}) + "\""));
    CHECK(Says(json, R"("entry_count":43)"));
  }
}

TEST_CASE("what is in a file is told for people") {
  const Outcome inspected = Terminal().Run({"inspect", Golden("zstd")});
  CHECK(inspected.code == 0);
  for (const std::string part :
       {"format_version:     1\n", "engine:             memory\n", "codec:              zstd\n",
        "block_codecs:       2 none, 2 zstd\n", "NAMESPACE", "\norders     40 ", "\nsystem   2 "}) {
    INFO(part);
    CHECK(Says(inspected.out, part));
  }
  CHECK_FALSE(Says(inspected.out, "SHA256"));
  CHECK(Says(Terminal().Run({"inspect", Golden("zstd"), "--blocks"}).out, "SHA256"));
}

TEST_CASE("what is in a file is told for programs") {
  const std::string json = Terminal().Run({"inspect", Golden("none"), "-w", "json"}).out;
  CHECK(Says(json, R"("namespaces":[{"namespace":"default","entry_count":3,)"));
  CHECK(Says(json, R"("sections":[{"section":"entries","entry_count":43,)"));
  CHECK(Says(json, R"("ratio":1.000)"));
  CHECK_FALSE(Says(json, R"("blocks":[)"));
  const std::string blocks =
      Terminal().Run({"inspect", Golden("none"), "-w", "json", "--blocks"}).out;
  CHECK(Says(blocks, R"("blocks":[{"offset":)"));
  CHECK(Says(blocks, R"("first_key":"order/0")"));
}

}  // namespace
}  // namespace tarn::cli
