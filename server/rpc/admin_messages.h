// What GetServerInfo and GetStats answer.
#pragma once

#include "server/metrics/counters.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/gate.h"
#include "storage/store.h"
#include "tarn/v1/admin.pb.h"

namespace tarn::server {

void FillInfo(const ServerFacts& facts, const Gate& gate,
              tarn::v1::GetServerInfoResponse& response);

// Everything but the connections.
void FillStats(storage::Store& store, const Counters& counters, size_t max_namespaces,
               tarn::v1::GetStatsResponse& response);

}  // namespace tarn::server
