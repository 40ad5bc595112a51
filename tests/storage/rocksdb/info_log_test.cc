// What RocksDB says is heard, and cannot end the process.
#include "storage/rocksdb/info_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "rocksdb/env.h"
#include "tests/catch.h"
#include "tests/storage/rocksdb/fixture.h"

namespace tarn::testing {
namespace {

using rocksdb::InfoLogLevel;
using storage::rocks::InfoLog;

// What is written to stderr when one message is logged.
std::string Heard(InfoLogLevel level, const std::string& message) {
  const TempDir temp;
  const int saved = dup(STDERR_FILENO);
  const int file = open((temp / "stderr").c_str(), O_WRONLY | O_CREAT, 0600);
  dup2(file, STDERR_FILENO);
  const std::shared_ptr<rocksdb::Logger> log = std::make_shared<InfoLog>();
  rocksdb::Log(level, log, "[x.cc:1] %s", message.c_str());
  std::fflush(stderr);
  dup2(saved, STDERR_FILENO);
  close(file);
  close(saved);
  return ReadWhole(temp / "stderr");
}

bool EndsWith(const std::string& text, const std::string& ending) {
  return text.size() >= ending.size() && text.substr(text.size() - ending.size()) == ending;
}

TEST_CASE("RocksDB's warnings and errors are in the daemon's log") {
  CHECK(EndsWith(Heard(InfoLogLevel::WARN_LEVEL, "slow"), " warning rocksdb: [x.cc:1] slow\n"));
  CHECK(EndsWith(Heard(InfoLogLevel::ERROR_LEVEL, "bad"), " error rocksdb: [x.cc:1] bad\n"));
  CHECK(EndsWith(Heard(InfoLogLevel::FATAL_LEVEL, "end"), " error rocksdb: [x.cc:1] end\n"));
}

TEST_CASE("What RocksDB only mentions is dropped") {
  CHECK(Heard(InfoLogLevel::INFO_LEVEL, "compacted").empty());
  CHECK(Heard(InfoLogLevel::DEBUG_LEVEL, "detail").empty());
  CHECK(Heard(InfoLogLevel::HEADER_LEVEL, "options").empty());
}

TEST_CASE("A message that is too long is cut") {
  const std::string heard =
      Heard(InfoLogLevel::WARN_LEVEL, std::string(2 * InfoLog::kMaxMessageBytes, 'x'));
  CHECK(heard.size() > InfoLog::kMaxMessageBytes);
  CHECK(heard.size() < InfoLog::kMaxMessageBytes + 100);
}

// With one, a full disk would end the process.
TEST_CASE("RocksDB has no log file of its own") {
  RocksStore store;
  store.MustOpen();
  store.Reopen();
  CHECK(store.Files("LOG").empty());
}

}  // namespace
}  // namespace tarn::testing
