// The streaming calls under way, so that a server that stops can tell them: gRPC waits for ever for
// a stream that nobody ends.
#pragma once

#include <list>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace tarn::server {

class DrainableStream {
 public:
  virtual ~DrainableStream() = default;
  // May come after the stream has ended.
  virtual void Drain() = 0;
};

// Thread-safe.
class StreamRegistry {
 public:
  using Position = std::list<std::weak_ptr<DrainableStream>>::iterator;

  Position Add(std::weak_ptr<DrainableStream> stream);
  void Remove(Position position);

  // Tells every stream that is registered now.
  void DrainAll();

 private:
  absl::Mutex mutex_;
  std::list<std::weak_ptr<DrainableStream>> streams_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tarn::server
