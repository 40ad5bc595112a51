// Redis without Tarn: what the same server does for redis-benchmark and for a bare pipelining
// client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "hiredis/hiredis.h"
#include "tests/bench/data_set.h"

namespace tarn::bench {

// One hiredis connection that sends so many commands at once and then waits for all answers.
// Whatever fails ends the program.
class BareClient {
 public:
  // `endpoint`: host:port.
  explicit BareClient(const std::string& endpoint);

  // SET of every key of the data set, and of as many keys of redis-benchmark's.
  void Fill(const DataSet& data, size_t depth);

  // GET, or SET, of keys in shuffled order; a second.
  double Gets(const DataSet& data, size_t depth, double seconds);
  double Sets(const DataSet& data, size_t depth, double seconds);

  // What Tarn's engine sends for a put of a known key: SET of the entry's name to its record, GET.
  // `from` to `to` of the data set, in the order of loading.
  void PutRecords(const DataSet& data, size_t from, size_t to, size_t depth);

  // That the server says it uses.
  double UsedMemoryBytes();

 private:
  struct Free {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  using Words = std::initializer_list<absl::string_view>;

  void Append(Words words);
  // The answers to everything appended; how many of them were nil.
  size_t Take();
  template <typename Append>
  double Run(size_t depth, double seconds, Append append);

  std::unique_ptr<redisContext, Free> context_;
  size_t appended_ = 0;
  size_t next_key_ = 0;
};

// redis-benchmark -c 50 -P 1: gets a second of keys as long as the data set's, with such values.
double RedisBenchmarkGets(const std::string& endpoint, size_t entries, size_t requests);

}  // namespace tarn::bench
