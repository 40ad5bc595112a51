// Load over gRPC, the same for every server.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tarn/v1/state.grpc.pb.h"
#include "tests/bench/data_set.h"

namespace tarn::bench {

enum class Call { kGet, kPut };

struct UnaryResult {
  double calls_per_second = 0;
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double max_us = 0;
};

struct ScanResult {
  size_t entries = 0;
  size_t bytes = 0;  // Of keys and values.
  size_t messages = 0;
  double seconds = 0;
  double entries_per_second() const { return static_cast<double>(entries) / seconds; }
};

// How much of a pipeline is under way at a time.
struct PipelineShape {
  size_t streams = 1;
  size_t outstanding = 16;  // Unanswered messages of each stream.
};

// One server under load. Its functions block. Every call must succeed: anything else ends the
// program.
class Load {
 public:
  Load(const std::string& endpoint, const DataSet& data);

  // Puts the whole data set once, or its keys from one to another, by a pipeline of messages of
  // `batch` operations.
  void Fill(size_t batch = 500) { Fill(batch, 0, data_.size()); }
  void Fill(size_t batch, size_t from, size_t to);

  // `in_flight` calls at a time on keys in shuffled order, each begun when one has ended, for
  // `seconds`.
  UnaryResult Unary(Call call, int in_flight, double seconds);

  // Messages of `batch` operations; operations a second of all streams together.
  double Pipeline(Call call, size_t batch, const PipelineShape& shape, double seconds);

  // One scan of at most `limit` entries in key order.
  ScanResult Scan(size_t limit, uint32_t chunk_bytes);

  v1::StateService::Stub& stub() { return *stub_; }

 private:
  const DataSet& data_;
  std::unique_ptr<v1::StateService::Stub> stub_;
  size_t next_key_ = 0;
};

}  // namespace tarn::bench
