// Concurrent clients of tarnd through libtarn, which write down what they are told.
//
//   Clients clients({.endpoints = {daemon.grpc()}});
//   clients.AwaitAcknowledged(100);
//   ...                                        // something fails
//   const Told told = clients.Finish(daemon.grpc());
//   CHECK(told.FirstAnomaly() == "none");
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/faults/linearizability.h"

namespace tarn::testing {

// What a busy machine may need to say that a deadline is over: a thread that others keep waiting
// was 16 s late. Without a deadline a call never ends.
constexpr std::chrono::seconds kToSayThatItIsOver{40};

struct ClientsOptions {
  std::vector<std::string> endpoints;  // Each call goes to one of them by chance.
  int threads = 6;
  int keys = 3;  // So many that are put, and so many that are incremented.
  std::string prefix = "k";
  // Of each call, its repetitions included.
  std::chrono::milliseconds timeout{5'000};
  uint32_t seed = 0;  // Far from that of other clients of the same keys.
};

// All that was told, by key, and how often what was told.
struct Told {
  std::map<std::string, std::vector<Call>> calls;
  uint64_t acknowledged = 0;  // Writes.
  uint64_t unknown = 0;
  std::map<std::string, uint64_t> refusals;  // Calls, by what they were refused with.
  std::chrono::milliseconds longest{0};      // Call.

  void Add(const Told& other);
  // What cannot have been, with its key; "none" when all can.
  std::string FirstAnomaly(Unacknowledged seen = Unacknowledged::kStays) const;
  // "1204 acknowledged, 3 unknown, 12 UNAVAILABLE NOT_READY"
  std::string Summary() const;
};

// Each thread makes one call after the other: gets, puts, puts with preconditions, deletes, takes,
// increments, atomic batches of two, on keys that all threads share. A third of the threads repeats
// under request ids what was not answered; the others make one attempt.
class Clients {
 public:
  explicit Clients(ClientsOptions options);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  uint64_t acknowledged() const { return acknowledged_; }
  // Until so many more writes were acknowledged; throws when that takes minutes.
  void AwaitAcknowledged(uint64_t more) const;
  // Until so many calls that begin from now on have ended, whatever they were told.
  void AwaitCalls(uint64_t more) const;

  // Ends the threads and reads every key once more, there. Once.
  Told Finish(const std::string& endpoint);

 private:
  class Worker;

  const ClientsOptions options_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> acknowledged_{0};
  std::atomic<uint64_t> calls_{0};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace tarn::testing
