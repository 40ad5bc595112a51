// Groups of workers.
#include "tarn/error.h"
#include "tests/catch.h"
#include "tests/client/cli/terminal.h"

namespace tarn::cli {
namespace {

using absl::StatusCode;

// A server with one group, "workers".
class OneGroup : public LockConnection {
 public:
  absl::StatusOr<Revision> JoinGroup(const std::string& ns, const std::string& group,
                                     const std::string& member) override {
    if (!refusal.ok()) return refusal;
    joined = ns + "/" + group + "/" + member;
    return 43;
  }
  absl::StatusOr<std::optional<GroupState>> GetGroup(const std::string&,
                                                     const std::string& group) override {
    if (!refusal.ok()) return refusal;
    if (group != state.name) return std::nullopt;
    return state;
  }
  absl::StatusOr<std::vector<GroupState>> ListGroups(const std::string&) override {
    if (!refusal.ok()) return refusal;
    return std::vector<GroupState>{state};
  }
  absl::StatusOr<bool> DeleteGroup(const std::string&, const std::string& group) override {
    if (!refusal.ok()) return refusal;
    return group == state.name;
  }

  const GroupState state = {
      .ns = "default", .name = "workers", .epoch = 42, .member = "host/1", .join_time = {}};
  std::string joined;
  absl::Status refusal;
};

struct World : Terminal {
  World() { locks = group; }
  std::shared_ptr<OneGroup> group = std::make_shared<OneGroup>();
};

TEST_CASE("who joins a group is told the epoch") {
  World t;
  CHECK(t.Run({"-n", "ns", "group", "join", "workers", "me"}).out == "43\n");
  CHECK(t.group->joined == "ns/workers/me");
  CHECK(Says(t.Run({"-w", "json", "group", "join", "workers", "me"}).out, "\"epoch\":\"43\""));
  CHECK(t.Run({"group", "join", "workers"}).code == 2);
}

TEST_CASE("groups are listed with the last who joined, and the epoch") {
  World t;
  CHECK(t.Run({"group", "list"}).out == "workers\thost/1\t42\n");
  CHECK(Says(t.Run({"group", "get", "workers"}).out, "epoch:     42\n"));
}

TEST_CASE("a group that nobody has joined is not found") {
  World t;
  const Outcome none = t.Run({"group", "get", "others"});
  CHECK(none.code == 4);
  CHECK(Says(none.err, "nobody has joined a group others"));
  CHECK(t.Run({"group", "delete", "others"}).code == 4);
  CHECK(t.Run({"group", "delete", "workers"}).code == 0);
}

TEST_CASE("a command on groups that is refused says why") {
  World t;
  t.group->refusal =
      MakeError(StatusCode::kResourceExhausted, Reason::kTooManyGroups, "there are too many");
  CHECK(Says(t.Run({"group", "join", "workers", "me"}).err, "TOO_MANY_GROUPS"));
  CHECK(t.Run({"group", "join", "workers", "me"}).code == 8);
  CHECK(t.Run({"group", "list"}).code == 8);
  CHECK(t.Run({"group", "get", "workers"}).code == 8);
  CHECK(t.Run({"group", "delete", "workers"}).code == 8);
  CHECK(t.Run({"group"}).code == 2);
}

}  // namespace
}  // namespace tarn::cli
