// Checkpoint files on this machine, read and proved without a daemon.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "checkpoint/reader.h"
#include "client/cli/context.h"
#include "client/cli/progress.h"

namespace tarn::cli {

// Checks size, header, index and root. Errors of this and the next one carry the client's reasons,
// and name the file and the offset.
absl::StatusOr<std::unique_ptr<checkpoint::CheckpointReader>> OpenCheckpointFile(
    const std::string& path);

// Proves every byte, on all cores, with a sign of life. Interruption() when Ctrl-C came
// first.
absl::Status ProveCheckpointFile(const Context& context, const std::string& command,
                                 const checkpoint::CheckpointReader& reader, Loudness loudness);

// As a catalog calls it: "00000007-0000000042".
std::string IdOf(const checkpoint::Header& header);
std::string CodecOf(const checkpoint::Header& header);
std::string ContentDigestOf(const checkpoint::Header& header);

}  // namespace tarn::cli
