#include "tests/model/steps.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tarn::testing {
namespace {

std::string Describe(const PlannedOp& planned) {
  std::string text = Show(planned.op);
  if (planned.ttl_ms) absl::StrAppend(&text, ".Until(now + ", *planned.ttl_ms, ")");
  if (planned.revision == PlannedOp::RevisionChoice::kCurrent)
    absl::StrAppend(&text, " /* its revision */");
  if (planned.revision == PlannedOp::RevisionChoice::kNewest)
    absl::StrAppend(&text, " /* the newest revision */");
  return text;
}

std::string Describe(const PlannedBatch& batch) {
  const char* mode = batch.mode == BatchMode::kAtomic ? "atomic" : "independent";
  const auto format = [](std::string* out, const PlannedOp& op) { out->append(Describe(op)); };
  return absl::StrCat(mode, " {", absl::StrJoin(batch.ops, ", ", format), "}");
}

const char* NameOf(storage::SnapshotPurpose purpose) {
  return purpose == storage::SnapshotPurpose::kScan ? "scan" : "checkpoint";
}

struct Shower {
  std::string operator()(const RunStep& step) const {
    const auto format = [](std::string* out, const PlannedBatch& batch) {
      out->append(Describe(batch));
    };
    std::string text = absl::StrCat("run ", absl::StrJoin(step.batches, "; ", format));
    if (!step.snapshot) return text;
    return absl::StrCat(text, ", with a snapshot into slot ", step.snapshot->slot, " before batch ",
                        step.snapshot->before_batch);
  }
  std::string operator()(const AdvanceStep& step) const {
    return absl::StrCat("advance the clock by ", step.milliseconds, " ms");
  }
  std::string operator()(const SweepStep& step) const {
    return absl::StrCat("sweep at most ", step.budget);
  }
  std::string operator()(const OpenStep& step) const {
    return absl::StrCat("open a snapshot for a ", NameOf(step.purpose), " in slot ", step.slot);
  }
  std::string operator()(const CloseStep& step) const {
    return absl::StrCat("close slot ", step.slot);
  }
  std::string operator()(const CursorStep& step) const {
    const bool down = step.options.direction == storage::ScanDirection::kDescending;
    const bool keys = step.options.content == storage::ScanContent::kKeysOnly;
    return absl::StrCat("scan slot ", step.slot, ": namespace ", step.range.ns, " from ",
                        Show(step.range.start), " to ", Show(step.range.end),
                        down ? ", descending" : "", keys ? ", keys only" : "",
                        step.time == ReadTime::kNow ? ", as of each page" : ", as of the snapshot");
  }
  std::string operator()(const ReadStep& step) const {
    return absl::StrCat("read ", step.pages, " pages of slot ", step.slot, ", each at most ",
                        step.budget.max_entries, " entries and ", step.budget.max_bytes, " bytes");
  }
  std::string operator()(const LoadStep& step) const {
    const auto format = [](std::string* out, const LoadStep::Loaded& entry) {
      absl::StrAppend(out, Show(entry.key), ": ", Show(entry.value), " in ", entry.ns);
      if (entry.ttl_ms) absl::StrAppend(out, " until now + ", *entry.ttl_ms);
    };
    return absl::StrCat(
        step.end == LoadStep::End::kPublish ? "load" : "begin and abandon a load of", " {",
        absl::StrJoin(step.entries, ", ", format), "}");
  }
  std::string operator()(const QuotaStep& step) const {
    return absl::StrCat("set the quota of namespace ", step.ns, " to ", step.quota.max_entries,
                        " entries, ", step.quota.max_bytes, " bytes");
  }
  std::string operator()(const CheckStep&) const { return "check everything"; }
  std::string operator()(const ReopenStep&) const { return "close and open again"; }
};

}  // namespace

std::string Show(const Step& step) { return std::visit(Shower{}, step); }

size_t OperationsIn(const std::vector<Step>& steps) {
  size_t count = 0;
  for (const Step& step : steps) {
    const RunStep* run = std::get_if<RunStep>(&step);
    if (run == nullptr) continue;
    for (const PlannedBatch& batch : run->batches) count += batch.ops.size();
  }
  return count;
}

}  // namespace tarn::testing
