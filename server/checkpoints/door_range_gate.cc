#include "server/checkpoints/door_range_gate.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

class RangeClosure final : public checkpoint::RangeGate::Closure {
 public:
  RangeClosure(checkpoint::Scheduler::Hold hold,
               std::unique_ptr<storage::StoreDoor::Closure> closure, storage::NamespaceId ns)
      : hold_(std::move(hold)), closure_(std::move(closure)), ns_(ns) {}

  storage::NamespaceId ns() const override { return ns_; }

 private:
  const checkpoint::Scheduler::Hold hold_;
  const std::unique_ptr<storage::StoreDoor::Closure> closure_;
  const storage::NamespaceId ns_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<checkpoint::RangeGate::Closure>> DoorRangeGate::Close(
    absl::string_view ns, const std::string& start, const std::string& end) {
  checkpoint::Scheduler::Hold hold = scheduler_.Suspend();
  auto closure =
      door_.CloseRange(ns, start, end, absl::StrCat("a range of ", ns, " is being restored"));
  // From here on nobody can delete it.
  TARN_ASSIGN_OR_RETURN(const storage::NamespaceInfo info, door_.GetNamespace(ns));
  return std::make_unique<RangeClosure>(std::move(hold), std::move(closure), info.id);
}

}  // namespace tarn::server
