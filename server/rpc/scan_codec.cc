#include "server/rpc/scan_codec.h"

#include <utility>

#include "server/rpc/wire_writer.h"
#include "tarn/v1/entry.pb.h"
#include "tarn/v1/state.pb.h"

namespace tarn::server {
namespace {

using tarn::v1::Entry;
using tarn::v1::ScanResponse;

size_t SizeOf(const storage::EntryView& entry) {
  return WireSize::Bytes(entry.key.size()) + WireSize::Bytes(entry.value.size()) +
         WireSize::Number(entry.revision) + WireSize::Number(static_cast<uint64_t>(entry.deadline));
}

void Write(const storage::EntryView& entry, WireWriter& writer) {
  writer.Bytes(Entry::kKeyFieldNumber, entry.key);
  writer.Bytes(Entry::kValueFieldNumber, entry.value);
  writer.Number(Entry::kRevisionFieldNumber, entry.revision);
  writer.Number(Entry::kExpireTimeMsFieldNumber, static_cast<uint64_t>(entry.deadline));
}

}  // namespace

EncodedMessage EncodeScanResponse(const storage::ScanChunk& chunk) {
  size_t size = WireSize::Number(chunk.revision) + WireSize::Bytes(chunk.resume_token.size());
  for (const storage::EntryView& entry : chunk.entries) size += WireSize::Nested(SizeOf(entry));
  WireWriter writer(size);
  for (const storage::EntryView& entry : chunk.entries) {
    writer.Nested(ScanResponse::kEntriesFieldNumber, SizeOf(entry));
    Write(entry, writer);
  }
  writer.Number(ScanResponse::kRevisionFieldNumber, chunk.revision);
  writer.Bytes(ScanResponse::kResumeTokenFieldNumber, chunk.resume_token);
  return std::move(writer).Take();
}

}  // namespace tarn::server
