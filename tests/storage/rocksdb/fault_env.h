// RocksDB's files, failing when told to.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "rocksdb/env.h"

namespace tarn::testing {

// The operating system's environment, in which writes to some files can be made to fail.
class FaultEnv {
 public:
  enum class Fault {
    kNone,
    kDiskFull,      // An append keeps half of its bytes.
    kSyncDiskFull,  // As above, but when syncing, after everything was appended.
    kAppendFails,   // Nothing is appended.
    kSyncFails,     // As above, when syncing.
  };

  FaultEnv();
  ~FaultEnv();

  // From now on, for files that have `part` in their name.
  void Fail(Fault fault, const std::string& part);
  void Heal() { fault_ = Fault::kNone; }

  rocksdb::Env* env() { return env_.get(); }

 private:
  class Files;
  class File;

  bool Applies(Fault fault, const std::string& path) const;

  std::atomic<Fault> fault_{Fault::kNone};
  std::string part_;  // Set while no fault is.
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace tarn::testing
