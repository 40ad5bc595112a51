// A catalog with a daemon around it that does only what a test tells it, and calls to the services
// over them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/catalog.h"
#include "checkpoint/jobs.h"
#include "google/rpc/status.pb.h"
#include "server/rpc/admin_policy.h"
#include "server/rpc/call.h"
#include "server/rpc/checkpoint_control.h"
#include "server/rpc/checkpoint_door.h"
#include "server/rpc/checkpoint_service.h"
#include "server/rpc/gate.h"
#include "storage/base/clock.h"
#include "tests/checkpoint/world.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/manual_executor.h"
#include "tests/support/status.h"

namespace tarn::testing {

// "OK", "NOT_FOUND JOB_NOT_FOUND", "INVALID_ARGUMENT INVALID_PIN at reason".
std::string Brief(const google::rpc::Status& error);

server::Peer Loopback();
server::Peer Stranger();

template <typename Request, typename Response>
struct CallMessages {
  Request request_message;
  Response response_message;
};

// One unary call. How it ended is "" while it has not.
template <typename Request, typename Response>
class FakeCall final : private CallMessages<Request, Response>,
                       public server::UnaryCall<Request, Response> {
 public:
  using Messages = CallMessages<Request, Response>;

  explicit FakeCall(Request request, server::Peer peer = Loopback())
      : Messages{std::move(request), {}},
        server::UnaryCall<Request, Response>(this->request_message, this->response_message),
        peer_(std::move(peer)) {}

  server::Peer peer() const override { return peer_; }
  bool Cancelled() const override { return false; }
  void Finish() override { end += "OK"; }
  void Fail(const google::rpc::Status& error) override { end += Brief(error); }

  std::string end;

 private:
  const server::Peer peer_;
};

// Creates, verifies and restores nothing, but notes what was asked for.
class FakeControl final : public server::CheckpointControl {
 public:
  FakeControl(checkpoint::Catalog& catalog, const base::Clock& clock)
      : catalog_(catalog), clock_(clock), jobs_({.max_ended = 3, .max_open = 4}, clock) {}
  ~FakeControl() override { begun.clear(); }  // Before the registry.

  checkpoint::JobRegistry& jobs() override { return jobs_; }
  checkpoint::Catalog& catalog() override { return catalog_; }
  ManualExecutor& executor() override { return executor_; }
  storage::Incarnation incarnation() const override { return 7; }
  std::vector<checkpoint::ListedCheckpoint> List() const override;

  absl::StatusOr<checkpoint::JobId> Create(const checkpoint::CreateRequest& request) override;
  absl::StatusOr<checkpoint::JobId> Verify(const checkpoint::CheckpointId& id) override;
  absl::StatusOr<checkpoint::JobId> Restore(const server::RestoreRequest& request) override;

  absl::Status refusal;  // What the three give instead of a job, unless OK.
  std::optional<checkpoint::CreateRequest> created;
  std::optional<checkpoint::CheckpointId> verified;
  std::optional<server::RestoreRequest> restored;
  std::vector<checkpoint::Job> begun;

 private:
  absl::StatusOr<checkpoint::JobId> Begin(checkpoint::JobKind kind);

  checkpoint::Catalog& catalog_;
  const base::Clock& clock_;
  checkpoint::JobRegistry jobs_;
  ManualExecutor executor_;
};

// A server whose store A has checkpoints 7/1, 7/2 and so on, as many as were published.
struct CheckpointWorld {
  CheckpointWorld();

  checkpoint::CheckpointInfo Publish();
  // Flips a bit: of each block of entries, which a look at the head does not notice, or of the
  // head.
  void DamageBlock(const checkpoint::CheckpointInfo& info);
  void DamageHead(const checkpoint::CheckpointInfo& info);

  // How the call ended, once nothing is left to do.
  template <typename Request, typename Response>
  std::string Run(void (server::CheckpointService::*method)(server::UnaryCall<Request, Response>&),
                  FakeCall<Request, Response>& call) {
    (service.*method)(call);
    control->executor().RunAll();
    return call.end;
  }
  std::vector<std::string> Files() { return Value(files.List("c")); }

  FaultFileSystem files;
  base::ManualClock clock{kStart};
  TestEngine engine{clock};
  std::unique_ptr<checkpoint::Catalog> catalog;
  std::unique_ptr<FakeControl> control;
  server::Gate gate;
  server::CheckpointDoor door{gate};
  server::AdminPolicy policy{{"operator"}};
  server::CheckpointService service{door, policy, storage::Limits()};
};

}  // namespace tarn::testing
