// A transport and a store that do only what a test tells them.
#pragma once

#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/rpc/call.h"
#include "server/rpc/encoded_message.h"
#include "storage/store.h"

namespace tarn::testing {

template <typename Message>
Message Decode(const server::EncodedMessage& encoded) {
  Message message;
  const absl::string_view bytes = encoded.view();
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) std::abort();
  return message;
}

// One streaming call as its service sees it. What the service asks for is recorded; the test then
// lets it happen.
template <typename Request, typename Response>
class FakeStream final : public server::DuplexStream<Request, Response> {
 public:
  server::Peer peer() const override { return {}; }
  bool Cancelled() const override { return false; }

  void Read(Request& request) override { reading = &request; }
  void Write(const Response& response) override { writing = response; }
  void Finish() override { finished = google::rpc::Status(); }
  void Fail(const google::rpc::Status& error) override { finished = error; }

  Request* reading = nullptr;       // Where the next request is wanted.
  std::optional<Response> writing;  // Under way.
  std::optional<google::rpc::Status> finished;
};

// Runs batches when told to. Everything else is not expected.
class FakeStore final : public storage::Store {
 public:
  struct Batch {
    storage::ReadOrder read_order;
    std::vector<storage::Operation> operations;
    storage::Completion done;
  };

  void Run(const storage::BatchRequest& request, storage::Completion done) override {
    if (on_run) on_run();
    batches.push_back({request.read_order,
                       {request.operations.begin(), request.operations.end()},
                       std::move(done)});
    if (inline_completion) Complete();
  }

  // Completes the oldest batch; gets find their key as the value, unless told otherwise.
  void Complete() { CompleteAt(0); }
  void CompleteAt(size_t index) {
    Batch batch = std::move(batches[index]);
    batches.erase(batches.begin() + static_cast<std::ptrdiff_t>(index));
    storage::BatchResult result;
    for (const storage::Operation& operation : batch.operations) {
      result.results.emplace_back();
      result.results.back().found = true;
      result.results.back().value = result.arena.Copy(value.value_or(std::string(operation.key)));
    }
    std::move(batch.done)(result);
  }

  void RegisterClient(Done<storage::Revision> done) override {
    std::move(done)(absl::UnimplementedError("not faked"));
  }

  void OpenScan(const storage::ScanRequest& request,
                Done<std::unique_ptr<storage::Scan>> done) override {
    scan_request = request;
    std::move(done)(open_scan());
  }

  void Count(absl::string_view, const storage::KeyBounds&, storage::StopRequested,
             Done<storage::CountResult> done) override {
    std::move(done)(absl::UnimplementedError("not faked"));
  }
  void DeleteRange(absl::string_view, const storage::KeyBounds&, const storage::WriteFence&,
                   storage::StopRequested, Done<storage::DeleteRangeResult> done) override {
    std::move(done)(absl::UnimplementedError("not faked"));
  }
  void CreateNamespace(absl::string_view, const storage::NamespaceSettings&,
                       Done<storage::NamespaceInfo> done) override {
    std::move(done)(absl::UnimplementedError("not faked"));
  }
  void UpdateNamespace(absl::string_view, const storage::NamespaceSettings&,
                       std::optional<storage::Revision>,
                       Done<storage::NamespaceInfo> done) override {
    std::move(done)(absl::UnimplementedError("not faked"));
  }
  void DeleteNamespace(absl::string_view, std::optional<storage::Revision>,
                       Done<storage::NamespaceInfo> done) override {
    std::move(done)(absl::UnimplementedError("not faked"));
  }
  absl::StatusOr<storage::NamespaceInfo> GetNamespace(absl::string_view) const override {
    return absl::UnimplementedError("not faked");
  }
  std::vector<storage::NamespaceInfo> ListNamespaces(absl::string_view, size_t) const override {
    return {};
  }
  storage::Locks& locks() override { std::abort(); }
  storage::StoreStats Stats() const override { return {}; }
  const storage::Limits& limits() const override { return limits_; }
  const storage::RequestOptions& request_options() const override { return request_options_; }
  storage::Engine& engine() override { std::abort(); }

  std::function<void()> on_run;
  bool inline_completion = false;
  std::optional<std::string> value;  // What gets find instead.
  std::deque<Batch> batches;         // Submitted, not completed.
  std::optional<storage::ScanRequest> scan_request;
  std::function<absl::StatusOr<std::unique_ptr<storage::Scan>>()> open_scan = [] {
    return absl::UnimplementedError("not faked");
  };

 private:
  storage::Limits limits_;
  storage::RequestOptions request_options_;
};

}  // namespace tarn::testing
