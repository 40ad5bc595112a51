#include "storage/redis/meta_keeper.h"

#include <future>
#include <string>
#include <utility>

#include "storage/base/status.h"
#include "storage/redis/partition.h"
#include <asio/post.hpp>

namespace tarn::storage::redis {

absl::Status MetaKeeper::CheckFormat() {
  const std::string key = core_.layout.Format();
  TARN_ASSIGN_OR_RETURN(const std::string format, asking_.Get(kStorePartition, key));
  if (!format.empty()) TARN_RETURN_IF_ERROR(redis::CheckFormat(format));
  if (format == EncodeFormat(kFormatVersion)) return absl::OkStatus();
  // What older versions wrote is read as it is. They must not read what is written from here on.
  return asking_
      .Ask(kStorePartition, CommandKind::kWrite, {"SET", key, EncodeFormat(kFormatVersion)})
      .status();
}

absl::StatusOr<std::optional<MetaRecord>> MetaKeeper::Read() {
  TARN_ASSIGN_OR_RETURN(const std::string bytes, asking_.Get(kStorePartition, core_.layout.Meta()));
  if (bytes.empty()) return std::optional<MetaRecord>();
  TARN_ASSIGN_OR_RETURN(MetaRecord record, DecodeMeta(bytes));
  return std::optional(std::move(record));
}

absl::Status MetaKeeper::Write(const StoreMeta& meta) {
  TARN_ASSIGN_OR_RETURN(const std::optional<MetaRecord> before, Read());
  const MetaRecord record{meta, before ? before->generation : Generation{1}};
  TARN_RETURN_IF_ERROR(asking_
                           .Ask(kStorePartition, CommandKind::kWrite,
                                {"SET", core_.layout.Meta(), EncodeMeta(record)})
                           .status());
  if (!started_.exchange(true)) StartIncarnation(meta.incarnation);
  return absl::OkStatus();
}

void MetaKeeper::StartIncarnation(Incarnation incarnation) {
  std::promise<void> started;
  asio::post(core_.context, [&] {
    core_.writes.StartIncarnation(incarnation);
    core_.NoteCommit(FirstRevision(incarnation));
    started.set_value();
  });
  started.get_future().get();
}

}  // namespace tarn::storage::redis
