// The two messages of Pipeline, straight between their bytes and the types of storage.
//
// Protocol Buffers' own classes would make an object of every operation and a copy of every key and
// value, twice; with many operations a message that is more than the store's work on them. They
// still do whatever is not usual, so that this knows only the fields that matter for speed. Tests
// and a fuzzer hold the two together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "server/rpc/encoded_message.h"
#include "server/rpc/wire_reader.h"
#include "storage/batch.h"
#include "storage/locks/fence.h"
#include "storage/store.h"
#include "tarn/v1/state.pb.h"

namespace tarn::server {

// A PipelineRequest whose operations are still encoded. Can be used again for another one, and
// keeps its memory.
class PipelineRequestView {
 public:
  // The views are of `bytes`, which stay. False when they are no PipelineRequest: then the batch's
  // id is what was understood of it, and all else is empty.
  bool Parse(absl::string_view bytes);

  uint64_t batch_id() const { return batch_id_; }
  absl::string_view ns() const { return ns_; }
  tarn::v1::BatchMode mode() const { return mode_; }
  const std::vector<absl::string_view>& operations() const { return operations_; }
  const storage::WriteFence& fence() const { return fence_; }
  const storage::RequestId& id() const { return id_; }

 private:
  // Whether Protocol Buffers has found that every string is UTF-8.
  enum class Strings : uint8_t { kUnchecked, kChecked };

  void Clear();
  bool ParseUsual(absl::string_view bytes, Strings strings);
  bool ParseField(WireReader& reader, Strings strings);
  bool ParseRareField(WireReader& reader, Strings strings);

  uint64_t batch_id_ = 0;
  absl::string_view ns_;
  tarn::v1::BatchMode mode_ = tarn::v1::BATCH_MODE_UNSPECIFIED;
  std::vector<absl::string_view> operations_;
  storage::WriteFence fence_;
  storage::RequestId id_;
  std::string normalised_;  // What was parsed instead, when the message was unusual.
};

// Decodes a get, delete or take without precondition, or a put with neither precondition nor TTL,
// as a view of `bytes`. False for everything else, well-formed or not; `operation` is then to be
// overwritten.
bool DecodePlainOperation(absl::string_view bytes, storage::Operation& operation);

// A PipelineResponse with these results, all of them OK.
EncodedMessage EncodePipelineResponse(uint64_t batch_id, const storage::BatchResult& result);

}  // namespace tarn::server
