// What a service method sees of the transport that carries it: a request, a caller, and a way to
// answer. No service file knows gRPC; any transport that implements these can serve them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "google/rpc/status.pb.h"
#include "storage/batch.h"

namespace tarn::server {

// Who calls, as far as the transport could prove it.
struct Peer {
  enum class Locality : uint8_t {
    kLoopback,  // The same machine: the loopback network or a Unix socket.
    kRemote,
  };
  Locality locality = Locality::kRemote;
  std::string address;
  std::vector<std::string>
      certificate_names;  // Of a verified certificate: its alternative names and its common name.
};

// One call under way. The functions below may be used from any thread until the call is finished.
class Call : public storage::Caller {
 public:
  virtual Peer peer() const = 0;

  // The caller gave up, its deadline passed, or its connection broke: nobody waits for the answer.
  virtual bool Cancelled() const = 0;

  // A transport that knows deadlines says more.
  int64_t PatienceMs() const override { return Cancelled() ? 0 : kForEver; }
};

// A call of one request and one response. The service ends it exactly once, with Finish or Fail, on
// any thread, perhaps before the function that was given the call returns; neither request nor
// response may be touched after that.
template <typename Request, typename Response>
class UnaryCall : public Call {
 public:
  UnaryCall(const Request& request, Response& response) : request_(request), response_(response) {}

  const Request& request() const { return request_; }
  Response& response() { return response_; }

  virtual void Finish() = 0;
  virtual void Fail(const google::rpc::Status& error) = 0;

  // Room for the service, which lives as long as the call: so that a call costs one allocation.
  absl::InlinedVector<storage::Operation, 1> operations;

 private:
  const Request& request_;
  Response& response_;
};

// A call whose answer may take long: it tells when nobody waits for it any more.
template <typename Request, typename Response>
class WaitingCall : public UnaryCall<Request, Response> {
 public:
  using UnaryCall<Request, Response>::UnaryCall;

  // `gone` is called at most once, when the caller has gone, and perhaps after the call was ended;
  // while it runs, the request is still there. To be set first, by the function that is given the
  // call.
  virtual void WhenGone(absl::AnyInvocable<void()> gone) = 0;
};

// A streaming call.
class StreamCall : public Call {
 public:
  // Ends the call, once, when no Write is under way. Nothing may be called afterwards.
  virtual void Finish() = 0;
  virtual void Fail(const google::rpc::Status& error) = 0;
};

// The sending half of a streaming call. One Write at a time: the next after OnWritten.
template <typename Response>
class ResponseStream : public StreamCall {
 public:
  // `response` stays as it is until OnWritten.
  virtual void Write(const Response& response) = 0;
};

// Both halves. One Read at a time: the next after OnRead.
template <typename Request, typename Response>
class DuplexStream : public ResponseStream<Response> {
 public:
  // `request` is filled by the time of OnRead, and not touched before by anyone else.
  virtual void Read(Request& request) = 0;
};

// A call of many requests and one response, which Finish sends. One Read at a time, as above.
template <typename Request, typename Response>
class RequestStream : public StreamCall {
 public:
  virtual void Read(Request& request) = 0;
  virtual Response& response() = 0;
};

// A service's side of one streaming call. The transport owns it and destroys it when the call is
// done: after Finish or Fail, and after every function below has returned. They may be called at
// the same time on several threads.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;

  // Once, first. The stream stays until this handler is destroyed.
  virtual void Start() = 0;

  enum class Outcome : uint8_t {
    kDone,
    kFailed,  // Of a read: the caller has no more requests, or the stream is broken. Of a write: it
              // is broken.
  };
  virtual void OnRead(Outcome /*outcome*/) {}
  virtual void OnWritten(Outcome /*outcome*/) {}

  // The call was cancelled. It still has to be finished.
  virtual void OnCancelled() = 0;

  // The server is about to stop: finish as soon as what was begun is answered.
  virtual void OnDrain() = 0;
};

}  // namespace tarn::server
