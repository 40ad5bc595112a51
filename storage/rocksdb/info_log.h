// What RocksDB has to say to people.
#pragma once

#include <cstdarg>
#include <cstddef>

#include "rocksdb/env.h"

namespace tarn::storage::rocks {

// Passes RocksDB's warnings and errors on to the daemon's log, and drops what it only mentions.
// RocksDB's own file for them must not be used: when the disk is full the first line that it cannot
// write makes the next one end the process, by an assertion (seen in 7.8). Thread-safe.
class InfoLog final : public rocksdb::Logger {
 public:
  // Of one message; what is longer is cut.
  static constexpr size_t kMaxMessageBytes = 1 << 10;

  InfoLog() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  void LogHeader(const char* /*format*/, va_list /*arguments*/) override {}
  void Logv(const char* /*format*/, va_list /*arguments*/) override {}  // Without a level.
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override;
};

}  // namespace tarn::storage::rocks
