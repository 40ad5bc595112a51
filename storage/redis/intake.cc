#include "storage/redis/intake.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/redis/batch_run.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {

void Intake::Run(const Batch& batch, Completion done) {
  switch (Take(batch, done)) {
    case Taken::kBehindOthers:
      return;
    case Taken::kFirst:
      return asio::post(core_.context, [this] { Drain(); });
    case Taken::kRefused:
      break;
  }
  BatchResult result;
  result.status = base::MakeError(absl::StatusCode::kResourceExhausted, base::Reason::kQueueFull,
                                  absl::StrCat(max_batches_, " batches wait"));
  std::move(done)(result);
}

Intake::Taken Intake::Take(const Batch& batch, Completion& done) {
  absl::MutexLock lock(&mutex_);
  if (unfinished_ >= max_batches_) return Taken::kRefused;
  ++unfinished_;
  waiting_.push_back({batch, std::move(done)});
  return waiting_.size() == 1 ? Taken::kFirst : Taken::kBehindOthers;
}

void Intake::Drain() {
  std::vector<Waiting> taken;
  {
    absl::MutexLock lock(&mutex_);
    taken.swap(waiting_);
  }
  for (Waiting& one : taken) {
    BatchRun::Start(core_, one.batch, std::move(one.done), [this] { Ended(); });
  }
}

void Intake::Ended() {
  absl::MutexLock lock(&mutex_);
  --unfinished_;
}

void Intake::AwaitIdle() {
  absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return unfinished_ == 0; };
  mutex_.Await(absl::Condition(&none));
}

size_t Intake::unfinished() const {
  absl::MutexLock lock(&mutex_);
  return unfinished_;
}

}  // namespace tarn::storage::redis
