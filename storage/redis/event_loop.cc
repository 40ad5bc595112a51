#include "storage/redis/event_loop.h"

#include <pthread.h>

namespace tarn::storage::redis {

EventLoop::EventLoop()
    : keep_running_(context_.get_executor()), thread_([this] {
        pthread_setname_np(pthread_self(), "tarn-redis");
        context_.run();
      }) {}

EventLoop::~EventLoop() { Finish(); }

void EventLoop::Finish() {
  keep_running_.reset();
  if (thread_.joinable()) thread_.join();
}

}  // namespace tarn::storage::redis
