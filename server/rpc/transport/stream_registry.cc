#include "server/rpc/transport/stream_registry.h"

#include <utility>
#include <vector>

namespace tarn::server {

StreamRegistry::Position StreamRegistry::Add(std::weak_ptr<DrainableStream> stream) {
  absl::MutexLock lock(&mutex_);
  return streams_.insert(streams_.end(), std::move(stream));
}

void StreamRegistry::Remove(Position position) {
  absl::MutexLock lock(&mutex_);
  streams_.erase(position);
}

void StreamRegistry::DrainAll() {
  std::vector<std::shared_ptr<DrainableStream>> live;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& stream : streams_) {
      if (auto held = stream.lock()) live.push_back(std::move(held));
    }
  }
  for (const auto& stream : live) stream->Drain();
}

}  // namespace tarn::server
