// The small language of the pipeline's tests: servers that answer, refuse, stall and break.
#pragma once

#include <algorithm>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/catch.h"
#include "tests/client/fixture.h"

namespace tarn::testing {

using grpc::StatusCode;
using std::chrono::nanoseconds;
using Stream = FakeServer::PipelineStream;
using OperationFuture = std::future<absl::StatusOr<OperationResult>>;
using BatchFuture = std::future<absl::StatusOr<BatchResult>>;

// Keys in the order in which the server got them, over all streams. Declared before the
// Fixture, whose server may still add to it when the pipeline is gone.
class Log {
 public:
  void Add(const v1::PipelineRequest& request) {
    const std::lock_guard lock(mutex_);
    messages_.emplace_back();
    for (const auto& operation : request.operations()) messages_.back().push_back(operation.key());
  }
  std::vector<std::vector<std::string>> messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> all;
    for (const auto& message : messages()) all.insert(all.end(), message.begin(), message.end());
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::vector<std::string>> messages_;
};

// Each operation is answered with its own key as the value.
inline v1::PipelineResponse AnswerTo(const v1::PipelineRequest& request) {
  v1::PipelineResponse response;
  response.set_batch_id(request.batch_id());
  for (const auto& operation : request.operations()) {
    response.add_results()->set_value(operation.key());
  }
  return response;
}

inline FakeServer::PipelineHandler AnswerAll(Log& log) {
  return [&log](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    while (stream.Read(&request)) {
      log.Add(request);
      stream.Write(AnswerTo(request));
    }
    return grpc::Status::OK;
  };
}

// Answers once it is told to.
struct Gate {
  std::promise<void> promise;
  std::shared_future<void> opened = promise.get_future().share();
  void Open() { promise.set_value(); }

  FakeServer::PipelineHandler AnswerAll(Log& log) {
    return [&log, opened = opened](grpc::ServerContext&, Stream& stream) {
      std::vector<v1::PipelineRequest> early;
      v1::PipelineRequest request;
      while (stream.Read(&request)) {
        log.Add(request);
        opened.wait();
        stream.Write(AnswerTo(request));
      }
      return grpc::Status::OK;
    };
  }
};

// Reads so many messages, answers none, and ends the stream like this.
inline FakeServer::PipelineHandler ReadAndEnd(Log& log, int messages, grpc::Status status) {
  return [&log, messages, status](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    for (int i = 0; i < messages && stream.Read(&request); ++i) log.Add(request);
    return status;
  };
}

inline std::string ValueOf(OperationFuture& future) {
  const auto result = future.get();
  return result.ok() ? result->value : result.status().ToString();
}

inline Reason ReasonOf(OperationFuture& future) { return tarn::ReasonOf(future.get().status()); }

// Waits for an outcome, and lets pauses pass meanwhile.
template <typename Result>
Result GetPassingTime(Fixture& f, std::future<Result>& future) {
  while (future.wait_for(milliseconds(1)) != std::future_status::ready) {
    f.fake.timers->Advance(milliseconds(100));
  }
  return future.get();
}

// Reads one message, and ends the stream like this once it is told to.
inline FakeServer::PipelineHandler EndAtGate(Gate& gate, grpc::Status status) {
  return [opened = gate.opened, status](grpc::ServerContext&, Stream& stream) {
    v1::PipelineRequest request;
    stream.Read(&request);
    opened.wait();
    return status;
  };
}

}  // namespace tarn::testing
