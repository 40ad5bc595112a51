// Looking after a server: what it is, how it is doing, and its namespaces.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tarn/connection.h"
#include "tarn/options.h"
#include "tarn/redis_info.h"
#include "tarn/types.h"

namespace tarn {

// Where the keys of a namespace live in an engine that divides them.
enum class Placement {
  kSpread,    // Over all partitions.
  kTogether,  // In one, so that any of its keys can be in one atomic batch.
};

// What holds for the keys of a namespace.
struct NamespaceSettings {
  std::optional<std::chrono::milliseconds>
      default_ttl;             // None = entries do not expire unless their write says so.
  uint64_t quota_bytes = 0;    // Of keys and values; 0 = no limit.
  uint64_t quota_entries = 0;  // 0 = no limit.
  Placement placement = Placement::kSpread;  // Cannot be changed.
};

// The settings to change; those that are nullopt stay.
struct NamespaceChange {
  std::optional<Ttl> default_ttl;  // Ttl::Never() = none.
  std::optional<uint64_t> quota_bytes;
  std::optional<uint64_t> quota_entries;
};

struct NamespaceInfo {
  std::string name;
  NamespaceSettings settings;
  uint64_t entry_count = 0;  // Those included that have expired but are not yet swept.
  uint64_t size_bytes = 0;   // Of their keys and values.
  Timestamp create_time;
  Revision revision = 0;  // Changes whenever the settings do.
};

enum class ServerState { kUnknown, kStarting, kStandby, kServing, kDraining };

// What an acknowledged write has survived.
enum class Durability { kUnknown, kMemory, kOs, kDisk, kExternal };

// What the server allows; 0 = it did not say.
struct Limits {
  uint64_t max_key_bytes = 0;
  uint64_t max_value_bytes = 0;
  uint64_t max_batch_operations = 0;
  uint64_t max_request_bytes = 0;
  uint64_t max_response_bytes = 0;
  uint64_t scan_chunk_bytes = 0;
  std::chrono::milliseconds snapshot_lifetime{0};
  uint64_t max_snapshots = 0;
  uint64_t max_pipeline_batches = 0;
  uint64_t max_pipeline_bytes = 0;
  uint64_t max_namespaces = 0;
  uint64_t max_page_size = 0;
  std::chrono::milliseconds max_ttl{0};
};

struct Capabilities {
  bool atomic_batches = false;  // Over any keys of a namespace, whatever its placement.
  bool snapshots = false;       // Scan and count at one revision while writes go on.
  Durability durability = Durability::kUnknown;
  std::string durability_description;
};

struct ServerInfo {
  std::string version;
  std::string commit;
  std::string store_id;
  std::string engine;
  uint64_t incarnation = 0;
  Revision revision = 0;
  ServerState state = ServerState::kUnknown;
  Timestamp start_time;
  Limits limits;
  Capabilities capabilities;
  std::optional<RedisInfo> redis;  // Of the Redis engine.
};

struct NamespaceStats {
  std::string name;
  uint64_t entry_count = 0;
  uint64_t size_bytes = 0;
};

struct OperationStats {
  OperationKind kind = OperationKind::kGet;
  uint64_t success_count = 0;
  uint64_t failure_count = 0;
};

// Counts are since the server was started.
struct Stats {
  uint64_t entry_count = 0;
  uint64_t size_bytes = 0;
  std::vector<NamespaceStats> namespaces;  // The largest.
  uint64_t namespace_count = 0;
  std::vector<OperationStats> operations;
  uint64_t snapshot_count = 0;
  std::optional<std::chrono::milliseconds> oldest_snapshot_age;
  uint64_t swept_count = 0;
  uint64_t memory_used_bytes = 0;
  uint64_t memory_limit_bytes = 0;  // 0 = none.
  uint64_t disk_used_bytes = 0;
  uint64_t disk_free_bytes = 0;
  uint64_t connection_count = 0;
  uint64_t pipeline_count = 0;
};

enum class Health { kServing, kNotServing };

struct CreateNamespaceParams {
  std::string name;
  NamespaceSettings settings;
  Timeout timeout;
};

struct UpdateNamespaceParams {
  std::string name;
  NamespaceChange change;
  Revision expected_revision =
      0;  // Only if this is its revision (else REVISION_MISMATCH); 0 = whatever it is.
  Timeout timeout;
};

// What to do with the entries of a namespace that is deleted.
enum class WithEntries {
  kRefuse,  // NAMESPACE_NOT_EMPTY.
  kDelete,  // In several commits. If it fails half-way, some are gone and the namespace is still
            // there: repeat it.
};

struct DeleteNamespaceParams {
  std::string name;
  WithEntries with_entries = WithEntries::kRefuse;
  Revision expected_revision = 0;
  Timeout timeout;
};

struct DeleteNamespaceResult {
  uint64_t deleted_count = 0;  // Entries.
};

// What AdminClient stands on; derive from it for tests. Thread-safe. A method that is not
// overridden is UNIMPLEMENTED.
class AdminConnection {
 public:
  virtual ~AdminConnection() = default;
  virtual absl::StatusOr<ServerInfo> GetServerInfo(Timeout timeout);
  virtual absl::StatusOr<Stats> GetStats(Timeout timeout);
  virtual absl::StatusOr<Health> CheckHealth(Timeout timeout);
  virtual absl::StatusOr<NamespaceInfo> CreateNamespace(CreateNamespaceParams params);
  virtual absl::StatusOr<NamespaceInfo> GetNamespace(std::string name, Timeout timeout);
  virtual absl::StatusOr<std::vector<NamespaceInfo>> ListNamespaces(Timeout timeout);
  virtual absl::StatusOr<NamespaceInfo> UpdateNamespace(UpdateNamespaceParams params);
  virtual absl::StatusOr<DeleteNamespaceResult> DeleteNamespace(DeleteNamespaceParams params);
};

absl::StatusOr<std::shared_ptr<AdminConnection>> MakeAdminConnection(const ClientOptions& options);

// Describes a server and manages its namespaces. A handle, cheap to copy. Thread-safe. Calls that
// change something are only for loopback peers and for the certificate names on the server's list
// (else PERMISSION_DENIED).
class AdminClient {
 public:
  // As Client::Connect.
  static absl::StatusOr<AdminClient> Connect(const ClientOptions& options = {});

  explicit AdminClient(std::shared_ptr<AdminConnection> connection)
      : connection_(std::move(connection)) {}

  // What the server is. Answers in every state, also while it starts or stands by. Idempotent.
  absl::StatusOr<ServerInfo> GetServerInfo(Timeout timeout = {}) const;

  // The current figures. Idempotent.
  absl::StatusOr<Stats> GetStats(Timeout timeout = {}) const;

  // Whether it serves requests for state (grpc.health.v1). Idempotent.
  absl::StatusOr<Health> CheckHealth(Timeout timeout = {}) const;

  // Creates a namespace. Not idempotent: a repetition is NAMESPACE_EXISTS.
  absl::StatusOr<NamespaceInfo> CreateNamespace(CreateNamespaceParams params) const;

  // A namespace with its settings and size. Idempotent.
  absl::StatusOr<NamespaceInfo> GetNamespace(std::string name, Timeout timeout = {}) const;

  // All namespaces by name. One that is created or deleted meanwhile may be missing or shown.
  // Idempotent.
  absl::StatusOr<std::vector<NamespaceInfo>> ListNamespaces(Timeout timeout = {}) const;

  // Changes settings, for writes from now on. Idempotent without an expected revision.
  absl::StatusOr<NamespaceInfo> UpdateNamespace(UpdateNamespaceParams params) const;

  // Deletes a namespace. Not idempotent: a repetition is NAMESPACE_NOT_FOUND.
  absl::StatusOr<DeleteNamespaceResult> DeleteNamespace(DeleteNamespaceParams params) const;

 private:
  std::shared_ptr<AdminConnection> connection_;
};

}  // namespace tarn
