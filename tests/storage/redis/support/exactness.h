// Snapshots under full write load, compared with the history of everything that was written.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/contract/language.h"
#include "tests/storage/redis/support/keyspace_engine.h"

namespace tarn::testing {

// What one commit made of a key.
struct State {
  bool present = false;
  std::string value;
  UnixMs deadline = kNever;
};

// Everything that was acknowledged, by key and revision, and what was not. Thread-safe.
class History {
 public:
  void Add(const std::string& key, Revision revision, State state);
  // It may have been done, or be done before the next one of the key.
  void AddUnknown(const std::string& key, State state);

  // What a snapshot shows wrongly; empty when nothing.
  std::string Differences(Revision revision, UnixMs as_of, const std::vector<Row>& rows) const;

 private:
  struct Life {
    std::map<Revision, State> commits;
    std::vector<State> unknown;
  };

  static bool Fits(const Life& life, Revision revision, UnixMs as_of, const Row* row);

  mutable std::mutex mutex_;
  std::map<std::string, Life> keys_;
};

// What one snapshot showed.
struct Seen {
  Revision revision = 0;
  UnixMs as_of = 0;
  std::vector<Row> rows;
};

struct Findings {
  History history;
  std::vector<Seen> seen;
  int ended = 0;        // Snapshots that were ended, or could not be read,
  std::string unnamed;  // and an error among them that no snapshot may end with.

  // The first snapshot that is wrong; empty when all are right.
  std::string FirstWrong() const;
};

// Opens snapshots and reads them, each in its own way, while writers write, the clock goes on, and
// what has expired is swept. `meanwhile` is called while each is open.
void Race(
    KeyspaceEngine& engine, uint64_t snapshots, Findings& findings,
    const std::function<void()>& meanwhile = [] {});

}  // namespace tarn::testing
