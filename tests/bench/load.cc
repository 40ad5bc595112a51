#include "tests/bench/load.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <optional>

#include <grpcpp/grpcpp.h>

namespace tarn::bench {
namespace {

using Clock = std::chrono::steady_clock;

void MustSucceed(const grpc::Status& status) {
  if (status.ok()) return;
  std::cerr << "tarn-bench: a call failed: " << status.error_code() << " " << status.error_message()
            << "\n";
  std::exit(1);
}

double MicrosBetween(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double, std::micro>(to - from).count();
}

double Percentile(std::vector<double>& samples, double share) {
  const auto place = samples.begin() +
                     static_cast<std::ptrdiff_t>(share * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(), place, samples.end());
  return *place;
}

// Counts what is under way, and waits until nothing is.
class Pending {
 public:
  explicit Pending(int count) : count_(count) {}
  // Notifies with the lock held: the waiter destroys this as soon as it is let go.
  void Done() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_;
};

// One of the calls in flight: begins the next when it has ended.
template <typename Request, typename Response>
class Caller {
 public:
  using Start = void (*)(v1::StateService::Stub&, grpc::ClientContext*, const Request*, Response*,
                         std::function<void(grpc::Status)>);

  Caller(v1::StateService::Stub& stub, Start start, const DataSet& data, size_t first,
         size_t stride, Clock::time_point end, Pending& pending)
      : stub_(stub),
        start_(start),
        data_(data),
        next_(first),
        stride_(stride),
        end_(end),
        pending_(pending) {
    micros_.reserve(100'000);
  }

  void Begin() {
    context_.emplace();
    const absl::string_view key = data_.shuffled_key(next_);
    request_.set_key(key.data(), key.size());
    if constexpr (std::is_same_v<Request, v1::PutRequest>) {
      const absl::string_view value = data_.value(next_);
      request_.set_value(value.data(), value.size());
    }
    next_ += stride_;
    response_.Clear();
    begun_ = Clock::now();
    start_(stub_, &*context_, &request_, &response_,
           [this](const grpc::Status& status) { End(status); });
  }

  std::vector<double>& micros() { return micros_; }

 private:
  void End(const grpc::Status& status) {
    MustSucceed(status);
    const Clock::time_point now = Clock::now();
    micros_.push_back(MicrosBetween(begun_, now));
    if (!response_.found())
      MustSucceed(grpc::Status(grpc::StatusCode::NOT_FOUND, "a key of the data set is missing"));
    if (now < end_) return Begin();
    pending_.Done();
  }

  v1::StateService::Stub& stub_;
  const Start start_;
  const DataSet& data_;
  size_t next_;
  const size_t stride_;
  const Clock::time_point end_;
  Pending& pending_;
  std::optional<grpc::ClientContext> context_;
  Request request_;
  Response response_;
  Clock::time_point begun_;
  std::vector<double> micros_;
};

void StartGet(v1::StateService::Stub& stub, grpc::ClientContext* context,
              const v1::GetRequest* request, v1::GetResponse* response,
              std::function<void(grpc::Status)> done) {
  stub.async()->Get(context, request, response, std::move(done));
}

void StartPut(v1::StateService::Stub& stub, grpc::ClientContext* context,
              const v1::PutRequest* request, v1::PutResponse* response,
              std::function<void(grpc::Status)> done) {
  stub.async()->Put(context, request, response, std::move(done));
}

template <typename Request, typename Response>
UnaryResult RunUnary(v1::StateService::Stub& stub, typename Caller<Request, Response>::Start start,
                     const DataSet& data, size_t first, int in_flight, double seconds) {
  Pending pending(in_flight);
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::vector<std::unique_ptr<Caller<Request, Response>>> callers;
  for (int i = 0; i < in_flight; ++i) {
    callers.push_back(std::make_unique<Caller<Request, Response>>(
        stub, start, data, first + static_cast<size_t>(i), static_cast<size_t>(in_flight), end,
        pending));
  }
  for (const auto& caller : callers) caller->Begin();
  pending.Wait();
  const double took = MicrosBetween(begin, Clock::now()) / 1e6;
  std::vector<double> micros;
  for (const auto& caller : callers)
    micros.insert(micros.end(), caller->micros().begin(), caller->micros().end());
  UnaryResult result;
  result.calls_per_second = static_cast<double>(micros.size()) / took;
  result.p50_us = Percentile(micros, 0.5);
  result.p99_us = Percentile(micros, 0.99);
  result.p999_us = Percentile(micros, 0.999);
  result.max_us = *std::max_element(micros.begin(), micros.end());
  return result;
}

// What a worker does for each message: builds it from its keys, in the memory of an earlier one.
void BuildMessage(Call call, const DataSet& data, size_t first, size_t batch,
                  v1::PipelineRequest* message) {
  message->clear_operations();
  message->set_mode(v1::BATCH_MODE_INDEPENDENT);
  for (size_t i = 0; i < batch; ++i) {
    v1::Operation* const operation = message->add_operations();
    const absl::string_view key = data.shuffled_key(first + i);
    operation->set_key(key.data(), key.size());
    if (call == Call::kGet) {
      operation->mutable_get();
    } else {
      const absl::string_view value = data.value(first + i);
      operation->mutable_put()->set_value(value.data(), value.size());
    }
  }
}

// What a worker does with each answer: looks at every result.
size_t CountFound(const v1::PipelineResponse& response, size_t* value_bytes) {
  size_t found = 0;
  for (const v1::OperationResult& result : response.results()) {
    found += result.found() ? 1 : 0;
    *value_bytes += result.value().size();
  }
  return found;
}

struct PipelineLoad {
  Call call = Call::kGet;
  size_t first_key = 0;
  size_t batch = 128;
  size_t outstanding = 16;
  size_t max_messages = SIZE_MAX;
  Clock::time_point end = Clock::time_point::max();
};

// Keeps `outstanding` messages unanswered until the end of the load, then drains.
class PipelineClient final
    : public grpc::ClientBidiReactor<v1::PipelineRequest, v1::PipelineResponse> {
 public:
  PipelineClient(v1::StateService::Stub& stub, const DataSet& data, const PipelineLoad& load,
                 Pending& pending)
      : data_(data), load_(load), pending_(pending) {
    stub.async()->Pipeline(&context_, this);
    {
      const std::lock_guard lock(mutex_);
      SendNext();
    }
    StartRead(&response_);
    StartCall();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) MustSucceed(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the pipeline broke"));
    const std::lock_guard lock(mutex_);
    writing_ = false;
    MaybeSend();
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    if (response_.has_status())
      MustSucceed(grpc::Status(grpc::StatusCode::UNKNOWN, response_.status().message()));
    operations_ += static_cast<size_t>(response_.results_size());
    found_ += CountFound(response_, &value_bytes_);
    StartRead(&response_);
    const std::lock_guard lock(mutex_);
    ++answered_;
    MaybeSend();
  }
  void OnDone(const grpc::Status& status) override {
    MustSucceed(status);
    pending_.Done();
  }

  size_t operations() const { return operations_; }
  size_t found() const { return found_; }

 private:
  void MaybeSend() {
    if (writing_ || closed_ || sent_ - answered_ >= load_.outstanding) return;
    if (Clock::now() < load_.end && sent_ < load_.max_messages) return SendNext();
    closed_ = true;
    StartWritesDone();
  }
  void SendNext() {
    writing_ = true;
    BuildMessage(load_.call, data_, load_.first_key + sent_ * load_.batch, load_.batch, &request_);
    request_.set_batch_id(++sent_);
    StartWrite(&request_);
  }

  const DataSet& data_;
  const PipelineLoad load_;
  Pending& pending_;
  grpc::ClientContext context_;
  v1::PipelineRequest request_;
  v1::PipelineResponse response_;
  size_t operations_ = 0;
  size_t found_ = 0;
  size_t value_bytes_ = 0;
  std::mutex mutex_;
  bool writing_ = false;
  bool closed_ = false;
  size_t sent_ = 0;
  size_t answered_ = 0;
};

}  // namespace

Load::Load(const std::string& endpoint, const DataSet& data) : data_(data) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(8 << 20);
  // Without this, channels of the same target share a connection across Loads.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  stub_ = v1::StateService::NewStub(
      grpc::CreateCustomChannel(endpoint, grpc::InsecureChannelCredentials(), arguments));
}

void Load::Fill(size_t batch, size_t from, size_t to) {
  PipelineLoad load;
  load.call = Call::kPut;
  load.first_key = from;
  load.batch = batch;
  load.max_messages = (to - from + batch - 1) / batch;
  Pending pending(1);
  PipelineClient client(*stub_, data_, load, pending);
  pending.Wait();
}

UnaryResult Load::Unary(Call call, int in_flight, double seconds) {
  next_key_ += 7919;
  if (call == Call::kGet) {
    return RunUnary<v1::GetRequest, v1::GetResponse>(*stub_, StartGet, data_, next_key_, in_flight,
                                                     seconds);
  }
  return RunUnary<v1::PutRequest, v1::PutResponse>(*stub_, StartPut, data_, next_key_, in_flight,
                                                   seconds);
}

double Load::Pipeline(Call call, size_t batch, const PipelineShape& shape, double seconds) {
  const Clock::time_point begin = Clock::now();
  PipelineLoad load;
  load.call = call;
  load.batch = batch;
  load.outstanding = shape.outstanding;
  load.end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  Pending pending(static_cast<int>(shape.streams));
  std::vector<std::unique_ptr<PipelineClient>> clients;
  for (size_t i = 0; i < shape.streams; ++i) {
    next_key_ += 7919;
    load.first_key = next_key_;
    clients.push_back(std::make_unique<PipelineClient>(*stub_, data_, load, pending));
  }
  pending.Wait();
  size_t operations = 0;
  size_t found = 0;
  for (const auto& client : clients) {
    operations += client->operations();
    found += client->found();
  }
  if (found != operations)
    MustSucceed(grpc::Status(grpc::StatusCode::NOT_FOUND, "keys of the data set are missing"));
  return static_cast<double>(operations) / (MicrosBetween(begin, Clock::now()) / 1e6);
}

ScanResult Load::Scan(size_t limit, uint32_t chunk_bytes) {
  grpc::ClientContext context;
  v1::ScanRequest request;
  request.set_limit(limit);
  request.set_chunk_bytes(chunk_bytes);
  const Clock::time_point begin = Clock::now();
  const auto reader = stub_->Scan(&context, request);
  ScanResult result;
  v1::ScanResponse response;
  while (reader->Read(&response)) {
    ++result.messages;
    result.entries += static_cast<size_t>(response.entries_size());
    for (const v1::Entry& entry : response.entries())
      result.bytes += entry.key().size() + entry.value().size();
  }
  MustSucceed(reader->Finish());
  result.seconds = MicrosBetween(begin, Clock::now()) / 1e6;
  return result;
}

}  // namespace tarn::bench
