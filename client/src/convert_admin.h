// Between libtarn's structs and the messages of admin.proto: the only place that knows both.
#pragma once

#include "tarn/admin.h"
#include "tarn/v1/admin.pb.h"

namespace tarn::internal {

v1::CreateNamespaceRequest ToRequest(const CreateNamespaceParams& params);
v1::UpdateNamespaceRequest ToRequest(const UpdateNamespaceParams& params);
v1::DeleteNamespaceRequest ToRequest(const DeleteNamespaceParams& params);

NamespaceInfo FromProto(const v1::Namespace& proto);
ServerInfo FromProto(const v1::GetServerInfoResponse& proto);
Stats FromProto(const v1::GetStatsResponse& proto);

}  // namespace tarn::internal
