// The thread on which connections live.
#pragma once

#include <thread>

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>

namespace tarn::storage::redis {

// Runs what is posted to it, one after the other. Connections on it need no lock among themselves.
class EventLoop {
 public:
  EventLoop();

  // Runs what is left, then joins the thread: everything on it must have been closed before.
  ~EventLoop();

  // The same, early: nothing runs on it any more, while what lives on it is still there.
  void Finish();

  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  asio::io_context& context() { return context_; }

 private:
  asio::io_context context_{1};  // One thread runs it.
  asio::executor_work_guard<asio::io_context::executor_type> keep_running_;
  std::thread thread_;
};

}  // namespace tarn::storage::redis
