// What the streaming calls that read or write checkpoints have in common.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "checkpoint/checkpoint_id.h"
#include "checkpoint/jobs.h"
#include "checkpoint/reader.h"
#include "server/rpc/call.h"
#include "server/rpc/checkpoint_control.h"

namespace tarn::server {

// A streaming call whose work is a job: whoever cancels one ends the other. The work is done in
// steps on the control's executor; between two of them, a message is on its way. So a slow caller
// holds no thread.
class JobStream : public StreamHandler {
 public:
  // Whatever is under way ends soon after, and finds that it has been cancelled.
  void OnCancelled() override { progress().cancel = true; }
  void OnDrain() override {
    draining_.store(true);
    progress().cancel = true;
  }

 protected:
  // The three outlive the handler.
  JobStream(CheckpointControl& control, checkpoint::Job job, StreamCall& call)
      : control_(control), job_(std::move(job)), call_(call) {}

  CheckpointControl& control() { return control_; }
  checkpoint::Progress& progress() { return job_.progress(); }
  void StartJob() { job_.Start(); }

  // Begins a step; nothing may be touched afterwards. When there is no room for it, it ends the
  // call.
  void RunStep(absl::AnyInvocable<void() &&> step);

  // Ends job and call. Nothing may be touched afterwards.
  void End(const absl::StatusOr<std::string>& result);

 private:
  CheckpointControl& control_;
  checkpoint::Job job_;
  StreamCall& call_;
  std::atomic<bool> draining_{false};
};

// The checkpoint as it is on the disk now. Blocks. CHECKPOINT_NOT_FOUND, DATA_LOSS, NEWER_FORMAT,
// OTHER_STORE.
absl::StatusOr<std::unique_ptr<checkpoint::CheckpointReader>> OpenCheckpoint(
    checkpoint::Catalog& catalog, const checkpoint::CheckpointId& id);

}  // namespace tarn::server
