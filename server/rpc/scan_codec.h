// The answer of Scan, straight from what storage gives to its bytes: see pipeline_codec.h.
#pragma once

#include "server/rpc/encoded_message.h"
#include "storage/store.h"

namespace tarn::server {

// A ScanResponse.
EncodedMessage EncodeScanResponse(const storage::ScanChunk& chunk);

}  // namespace tarn::server
