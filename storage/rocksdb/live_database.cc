#include "storage/rocksdb/live_database.h"

namespace tarn::storage::rocks {

// Stacks of different threads are far apart.
ReaderGate::Place ReaderGate::PlaceOfThisThread() {
  constexpr int kStackBits = 16;
  const char here = 0;
  const auto address = reinterpret_cast<uintptr_t>(&here) >> kStackBits;
  return (address ^ (address >> 4) ^ (address >> 8)) % kPlaces;
}

// Either the reader sees that the gate is closed, or who closes it sees the reader: both look after
// they have made themselves known.
bool ReaderGate::Enter(Place place) {
  counters_[place].readers.fetch_add(1, std::memory_order_seq_cst);
  if (!closed_.load(std::memory_order_seq_cst)) return true;
  Leave(place);
  return false;
}

void ReaderGate::Leave(Place place) {
  counters_[place].readers.fetch_sub(1, std::memory_order_seq_cst);
  if (closed_.load(std::memory_order_seq_cst)) absl::MutexLock lock(&mutex_);
}

bool ReaderGate::Empty() const {
  for (const Counter& counter : counters_) {
    if (counter.readers.load(std::memory_order_seq_cst) != 0) return false;
  }
  return true;
}

void ReaderGate::Close() {
  closed_.store(true, std::memory_order_seq_cst);
  absl::MutexLock lock(&mutex_, absl::Condition(this, &ReaderGate::Empty));
}

LiveDatabase::LiveDatabase(std::unique_ptr<Database> database) {
  gate_.Close();
  Open(std::move(database));
}

LiveDatabase::~LiveDatabase() { Close(); }

LiveDatabase::Pin::Pin(const LiveDatabase& live)
    : live_(live), place_(ReaderGate::PlaceOfThisThread()) {
  if (live_.gate_.Enter(place_)) database_ = live_.current_.load(std::memory_order_relaxed);
}

LiveDatabase::Pin::~Pin() {
  if (database_ != nullptr) live_.gate_.Leave(place_);
}

std::shared_ptr<Database> LiveDatabase::Share() const {
  absl::MutexLock lock(&mutex_);
  return shared_;
}

void LiveDatabase::Close() {
  gate_.Close();
  current_.store(nullptr, std::memory_order_relaxed);
  std::shared_ptr<Database> left;
  {
    absl::MutexLock lock(&mutex_);
    left = std::move(shared_);
  }
  left.reset();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](int* open) { return *open == 0; }, &open_databases_));
}

void LiveDatabase::Open(std::unique_ptr<Database> database) {
  Database* const raw = database.release();
  {
    absl::MutexLock lock(&mutex_);
    ++open_databases_;
    shared_ = std::shared_ptr<Database>(raw, [this](Database* last) {
      delete last;
      absl::MutexLock relock(&mutex_);
      --open_databases_;
    });
  }
  current_.store(raw, std::memory_order_relaxed);
  gate_.Open();
}

}  // namespace tarn::storage::rocks
