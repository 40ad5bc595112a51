#include "client/cli/checkpoint_file.h"

#include <algorithm>
#include <future>
#include <thread>

#include "absl/strings/str_format.h"
#include "client/cli/await.h"
#include "client/cli/report.h"
#include "tarn/error.h"

namespace tarn::cli {
namespace {

// The daemon's reasons are not the client's: only these two come from a file.
absl::Status WithReason(const absl::Status& status) {
  const std::string message(status.message());
  if (absl::IsDataLoss(status)) return MakeError(status.code(), Reason::kDataLoss, message);
  if (absl::IsFailedPrecondition(status))
    return MakeError(status.code(), Reason::kNewerFormat, message);
  return status;
}

}  // namespace

absl::StatusOr<std::unique_ptr<checkpoint::CheckpointReader>> OpenCheckpointFile(
    const std::string& path) {
  checkpoint::ReaderOptions options;
  options.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  auto reader = checkpoint::CheckpointReader::Open(base::PosixFileSystem(), path, options);
  if (!reader.ok()) return WithReason(reader.status());
  return reader;
}

absl::Status ProveCheckpointFile(const Context& context, const std::string& command,
                                 const checkpoint::CheckpointReader& reader, Loudness loudness) {
  WorkProgress progress(context.env, command, "entries", loudness);
  checkpoint::Progress work;
  const auto start = context.env.now();
  auto proved = std::async(std::launch::async, [&] { return reader.Verify(work); });
  while (proved.wait_for(kTick) != std::future_status::ready) {
    if (context.env.interrupted()) work.cancel = true;
    const std::chrono::duration<double> passed = context.env.now() - start;
    WorkState state{.phase = "verifying",
                    .done = work.entries,
                    .total = reader.header().entries,
                    .time_left = {}};
    if (passed.count() > 0) state.per_second = static_cast<double>(state.done) / passed.count();
    progress.Show(state);
  }
  const absl::Status status = proved.get();
  return absl::IsCancelled(status) ? Interruption() : WithReason(status);
}

std::string IdOf(const checkpoint::Header& header) {
  return absl::StrFormat("%08u-%010u", header.number.incarnation, header.number.sequence);
}

std::string CodecOf(const checkpoint::Header& header) {
  const checkpoint::Compression& compression = header.compression;
  std::string name(checkpoint::CodecName(compression.codec));
  return compression.level == 0 ? name : absl::StrFormat("%s:%d", name, compression.level);
}

std::string ContentDigestOf(const checkpoint::Header& header) {
  return absl::StrFormat("%016x%016x", header.content_digest.high, header.content_digest.low);
}

}  // namespace tarn::cli
