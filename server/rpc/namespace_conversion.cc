// The namespaces' half of conversion.h.
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/rpc/conversion.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::server {
namespace {

using base::Reason;
using storage::NamespaceSettings;

absl::StatusOr<int64_t> ToDefaultTtl(const tarn::v1::Namespace& message) {
  constexpr absl::string_view kPath = "namespace.default_ttl";
  if (!message.has_default_ttl()) return 0;
  const tarn::v1::Ttl& ttl = message.default_ttl();
  switch (ttl.lifetime_case()) {
    case tarn::v1::Ttl::kNever:
      if (!ttl.never())
        return InvalidField(Reason::kInvalidTtl, kPath, "never must be true when it is set");
      return 0;
    case tarn::v1::Ttl::kMilliseconds:
      if (ttl.milliseconds() <= 0)
        return InvalidField(Reason::kInvalidTtl, kPath, "a default TTL must be positive");
      return ttl.milliseconds();
    case tarn::v1::Ttl::LIFETIME_NOT_SET:
      break;
  }
  return InvalidField(Reason::kInvalidTtl, kPath, "a TTL needs one of never and milliseconds");
}

absl::StatusOr<int64_t> ToQuota(uint64_t quota, absl::string_view field) {
  if (quota > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return InvalidField(Reason::kInvalidRequest, absl::StrCat("namespace.", field),
                        "the quota is above 2^63 - 1");
  }
  return static_cast<int64_t>(quota);
}

absl::StatusOr<storage::Placement> ToPlacement(tarn::v1::Placement placement) {
  switch (placement) {
    case tarn::v1::PLACEMENT_UNSPECIFIED:
    case tarn::v1::PLACEMENT_SPREAD:
      return storage::Placement::kSpread;
    case tarn::v1::PLACEMENT_TOGETHER:
      return storage::Placement::kTogether;
    default:
      return InvalidField(Reason::kInvalidRequest, "namespace.placement",
                          "the placement must be spread or together");
  }
}

// A sum of additions on several threads may be seen below zero for a moment.
uint64_t Size(int64_t count) { return count > 0 ? static_cast<uint64_t>(count) : 0; }

struct ChangedFields {
  bool default_ttl = false;
  bool quota_bytes = false;
  bool quota_entries = false;
};

absl::Status AddPath(absl::string_view path, ChangedFields* fields) {
  if (path == "*") {
    *fields = {.default_ttl = true, .quota_bytes = true, .quota_entries = true};
  } else if (path == "default_ttl") {
    fields->default_ttl = true;
  } else if (path == "quota_bytes") {
    fields->quota_bytes = true;
  } else if (path == "quota_entries") {
    fields->quota_entries = true;
  } else {
    return InvalidField(
        Reason::kInvalidFieldMask, "update_mask",
        absl::StrCat("\"", path,
                     "\" is not a field that can be changed: default_ttl, quota_bytes, ",
                     "quota_entries and * are"));
  }
  return absl::OkStatus();
}

absl::StatusOr<ChangedFields> FieldsOf(const tarn::v1::UpdateNamespaceRequest& request) {
  const tarn::v1::Namespace& message = request.namespace_();
  ChangedFields fields;
  if (request.update_mask().paths().empty()) {
    fields.default_ttl = message.has_default_ttl();
    fields.quota_bytes = message.quota_bytes() != 0;
    fields.quota_entries = message.quota_entries() != 0;
  }
  for (const std::string& path : request.update_mask().paths())
    TARN_RETURN_IF_ERROR(AddPath(path, &fields));
  return fields;
}

}  // namespace

absl::StatusOr<NamespaceSettings> ToSettings(const tarn::v1::Namespace& message) {
  NamespaceSettings settings;
  TARN_ASSIGN_OR_RETURN(settings.default_ttl_ms, ToDefaultTtl(message));
  TARN_ASSIGN_OR_RETURN(settings.quota.max_bytes, ToQuota(message.quota_bytes(), "quota_bytes"));
  TARN_ASSIGN_OR_RETURN(settings.quota.max_entries,
                        ToQuota(message.quota_entries(), "quota_entries"));
  TARN_ASSIGN_OR_RETURN(settings.placement, ToPlacement(message.placement()));
  return settings;
}

absl::StatusOr<NamespaceSettings> Changed(const NamespaceSettings& old,
                                          const tarn::v1::UpdateNamespaceRequest& request) {
  TARN_ASSIGN_OR_RETURN(const ChangedFields fields, FieldsOf(request));
  TARN_ASSIGN_OR_RETURN(const NamespaceSettings wanted, ToSettings(request.namespace_()));
  NamespaceSettings settings = old;
  if (fields.default_ttl) settings.default_ttl_ms = wanted.default_ttl_ms;
  if (fields.quota_bytes) settings.quota.max_bytes = wanted.quota.max_bytes;
  if (fields.quota_entries) settings.quota.max_entries = wanted.quota.max_entries;
  return settings;
}

void Fill(const storage::NamespaceInfo& info, tarn::v1::Namespace& message) {
  const NamespaceSettings& settings = info.settings;
  message.set_name(info.name);
  if (settings.default_ttl_ms > 0)
    message.mutable_default_ttl()->set_milliseconds(settings.default_ttl_ms);
  message.set_quota_bytes(static_cast<uint64_t>(settings.quota.max_bytes));
  message.set_quota_entries(static_cast<uint64_t>(settings.quota.max_entries));
  message.set_placement(settings.placement == storage::Placement::kTogether
                            ? tarn::v1::PLACEMENT_TOGETHER
                            : tarn::v1::PLACEMENT_SPREAD);
  message.set_entry_count(Size(info.usage.entries));
  message.set_size_bytes(Size(info.usage.bytes));
  message.mutable_create_time()->set_seconds(info.create_time / 1000);
  message.mutable_create_time()->set_nanos(
      static_cast<int32_t>(info.create_time % 1000 * 1'000'000));
  message.set_revision(info.revision);
}

}  // namespace tarn::server
