// Checkpoints of a server that follows a script.
#include "tarn/checkpoint.h"

#include <string>
#include <vector>

#include "client/src/grpc_checkpoint_connection.h"
#include "tests/catch.h"
#include "tests/client/fixture.h"

namespace tarn::testing {
namespace {

using grpc::StatusCode;

CheckpointClient MakeCheckpoints(Fixture& f) {
  return CheckpointClient(std::make_shared<internal::GrpcCheckpointConnection>(
      *internal::MakeChannel(f.options), f.options, f.fake.world()));
}

// Gives out pieces one by one, then the end or an error.
std::function<absl::StatusOr<std::string>()> Pieces(std::vector<std::string> pieces,
                                                    absl::Status end = absl::OkStatus()) {
  return [pieces, end, next = size_t{0}]() mutable -> absl::StatusOr<std::string> {
    if (next < pieces.size()) return pieces[next++];
    if (!end.ok()) return end;
    return std::string();
  };
}

TEST_CASE("a checkpoint arrives whole") {
  Fixture f;
  v1::GetCheckpointResponse response;
  v1::Checkpoint& wire = *response.mutable_checkpoint();
  wire.set_id("00000001-0000000002");
  wire.set_store_id("beef");
  wire.set_incarnation(1);
  wire.set_sequence(2);
  wire.set_revision(3);
  wire.mutable_create_time()->set_seconds(4);
  wire.mutable_as_of_time()->set_seconds(5);
  wire.set_engine("memory");
  wire.set_entry_count(6);
  wire.set_size_bytes(7);
  wire.set_file_bytes(8);
  wire.set_codec("zstd:3");
  wire.set_root("aa");
  wire.set_content_digest("bb");
  wire.set_health(v1::CHECKPOINT_HEALTH_DAMAGED);
  wire.set_problem("is damaged at byte 9");
  wire.set_pin_reason("because");
  wire.mutable_pin_time()->set_seconds(10);
  wire.set_fate(v1::RETENTION_FATE_DELETE);
  wire.set_why_kept("pinned: because");
  f.server.get_checkpoint.ThenAnswer(response);

  const auto got = MakeCheckpoints(f).Get("latest");
  REQUIRE(got.ok());
  CHECK(f.server.get_checkpoint.requests().at(0).id() == "latest");
  CHECK(got->id == "00000001-0000000002");
  CHECK(got->store_id == "beef");
  CHECK(got->incarnation == 1);
  CHECK(got->sequence == 2);
  CHECK(got->revision == 3);
  CHECK(got->create_time == Timestamp(seconds(4)));
  CHECK(got->as_of_time == Timestamp(seconds(5)));
  CHECK(got->engine == "memory");
  CHECK(got->entry_count == 6);
  CHECK(got->size_bytes == 7);
  CHECK(got->file_bytes == 8);
  CHECK(got->codec == "zstd:3");
  CHECK(got->root == "aa");
  CHECK(got->content_digest == "bb");
  CHECK(got->health == CheckpointHealth::kDamaged);
  CHECK(got->problem == "is damaged at byte 9");
  CHECK(got->pin_reason == "because");
  CHECK(got->pin_time == Timestamp(seconds(10)));
  CHECK(got->fate == RetentionFate::kDelete);
  CHECK(got->why_kept == "pinned: because");
}

TEST_CASE("checkpoints are listed with what is known of each") {
  const std::pair<v1::CheckpointHealth, CheckpointHealth> healths[] = {
      {v1::CHECKPOINT_HEALTH_INTACT, CheckpointHealth::kIntact},
      {v1::CHECKPOINT_HEALTH_OTHER_STORE, CheckpointHealth::kOtherStore},
      {v1::CHECKPOINT_HEALTH_NEWER_FORMAT, CheckpointHealth::kNewerFormat},
      {v1::CHECKPOINT_HEALTH_UNREADABLE, CheckpointHealth::kUnreadable},
      {static_cast<v1::CheckpointHealth>(99), CheckpointHealth::kUnknown}};
  Fixture f;
  v1::ListCheckpointsResponse response;
  for (const auto& [wire, here] : healths) response.add_checkpoints()->set_health(wire);
  response.add_checkpoints()->set_fate(v1::RETENTION_FATE_KEEP);
  response.add_quarantined_ids("q");
  f.server.list_checkpoints.ThenAnswer(response);
  const auto list = MakeCheckpoints(f).List();
  REQUIRE(list.ok());
  size_t next = 0;
  for (const auto& [wire, here] : healths) CHECK(list->checkpoints.at(next++).health == here);
  CHECK(list->checkpoints.at(next).fate == RetentionFate::kKeep);
  CHECK(list->checkpoints.at(0).fate == RetentionFate::kUnknown);
  CHECK_FALSE(list->checkpoints.at(0).pin_time.has_value());
  CHECK(list->quarantined_ids == std::vector<std::string>{"q"});
}

TEST_CASE("a checkpoint is asked for with what was said") {
  Fixture f;
  v1::CreateCheckpointResponse response;
  response.mutable_job()->set_id(7);
  f.server.create_checkpoint.ThenAnswer(response);
  const CheckpointClient checkpoints = MakeCheckpoints(f);
  CHECK(checkpoints.Create()->id == 7);
  CHECK(checkpoints.Create({.when_unchanged = WhenUnchanged::kCreateAnother, .pin_reason = "r"})
            .ok());
  CHECK(f.server.create_checkpoint.requests().at(0).ShortDebugString().empty());
  CHECK(f.server.create_checkpoint.requests().at(1).ShortDebugString() ==
        R"(force: true pin_reason: "r")");
}

TEST_CASE("a restore is asked for with what was said") {
  Fixture f;
  v1::RestoreCheckpointResponse response;
  response.mutable_job()->set_id(7);
  f.server.restore_checkpoint.ThenAnswer(response);
  const CheckpointClient checkpoints = MakeCheckpoints(f);
  CHECK(checkpoints.Restore({.id = "latest"})->id == 7);
  CHECK(checkpoints
            .Restore(
                {.id = "a", .mode = RestoreMode::kValidateOnly, .safety = SafetyCheckpoint::kSkip})
            .ok());
  CHECK(checkpoints.Restore({.id = "a", .range = RestoreRange{"app", KeyRange::Prefix("p")}}).ok());
  CHECK(checkpoints.Restore({.id = "a", .range = RestoreRange{"app", KeyRange::Between("s", "e")}})
            .ok());
  CHECK(checkpoints.Restore({.id = "a", .range = RestoreRange{"app", {}}}).ok());
  const auto requests = f.server.restore_checkpoint.requests();
  CHECK(requests.at(0).ShortDebugString() == R"(id: "latest")");
  CHECK(requests.at(1).ShortDebugString() ==
        R"(id: "a" validate_only: true skip_safety_checkpoint: true)");
  CHECK(requests.at(2).ShortDebugString() ==
        R"(id: "a" range { namespace: "app" range { prefix: "p" } })");
  CHECK(requests.at(3).ShortDebugString() ==
        R"(id: "a" range { namespace: "app" range { start: "s" end: "e" } })");
  CHECK(requests.at(4).ShortDebugString() == R"(id: "a" range { namespace: "app" })");
}

TEST_CASE("only what does no harm twice is repeated when the outcome is unknown") {
  Fixture f;
  f.server.create_checkpoint.ThenFail(Broken());
  f.server.verify_checkpoint.ThenFail(Broken());
  f.server.delete_checkpoint.ThenFail(Broken());
  f.server.pin_checkpoint.ThenFail(Broken());
  f.server.unpin_checkpoint.ThenFail(Broken());
  f.server.restore_checkpoint.ThenFail(Broken());
  const CheckpointClient checkpoints = MakeCheckpoints(f);

  CHECK(IsOutcomeUnknown(checkpoints.Create().status()));
  CHECK(f.server.create_checkpoint.calls() == 4);
  CHECK(IsOutcomeUnknown(checkpoints.Create({.pin_reason = "r"}).status()));
  CHECK(f.server.create_checkpoint.calls() == 5);
  CHECK(IsOutcomeUnknown(checkpoints.Verify("a").status()));
  CHECK(f.server.verify_checkpoint.calls() == 4);
  CHECK(IsOutcomeUnknown(checkpoints.Pin("a", "r").status()));
  CHECK(f.server.pin_checkpoint.calls() == 4);
  CHECK(IsOutcomeUnknown(checkpoints.Unpin("a").status()));
  CHECK(f.server.unpin_checkpoint.calls() == 4);
  CHECK(IsOutcomeUnknown(checkpoints.Delete("a")));
  CHECK(f.server.delete_checkpoint.calls() == 1);
  CHECK(IsOutcomeUnknown(checkpoints.Restore({.id = "a"}).status()));
  CHECK(f.server.restore_checkpoint.calls() == 1);
  CHECK_FALSE(checkpoints.Restore({.id = "a", .mode = RestoreMode::kValidateOnly}).ok());
  CHECK(f.server.restore_checkpoint.calls() == 5);
}

TEST_CASE("a checkpoint is verified, pinned, unpinned and deleted by its id") {
  Fixture f;
  v1::VerifyCheckpointResponse verify;
  verify.mutable_job()->set_id(3);
  f.server.verify_checkpoint.ThenAnswer(verify);
  v1::PinCheckpointResponse pin;
  pin.mutable_checkpoint()->set_pin_reason("r");
  f.server.pin_checkpoint.ThenAnswer(pin);
  v1::UnpinCheckpointResponse unpin;
  unpin.mutable_checkpoint()->set_id("a");
  f.server.unpin_checkpoint.ThenAnswer(unpin);
  f.server.delete_checkpoint.ThenAnswer();
  const CheckpointClient checkpoints = MakeCheckpoints(f);
  CHECK(checkpoints.Verify("a")->id == 3);
  CHECK(checkpoints.Pin("a", "r")->pin_reason == "r");
  CHECK(checkpoints.Unpin("a")->id == "a");
  CHECK(checkpoints.Delete("a").ok());
  CHECK(f.server.verify_checkpoint.requests().at(0).id() == "a");
  CHECK(f.server.pin_checkpoint.requests().at(0).ShortDebugString() == R"(id: "a" reason: "r")");
  CHECK(f.server.unpin_checkpoint.requests().at(0).id() == "a");
  CHECK(f.server.delete_checkpoint.requests().at(0).id() == "a");
}

TEST_CASE("an entry of the past is found, or it is not there") {
  Fixture f;
  v1::GetCheckpointEntryResponse found;
  found.set_checkpoint_id("c");
  found.mutable_entry()->set_value("v");
  found.mutable_entry()->set_revision(5);
  found.mutable_entry()->set_expire_time_ms(7000);
  v1::GetCheckpointEntryResponse missing;
  missing.set_checkpoint_id("c");
  f.server.get_checkpoint_entry.ThenAnswer(found).ThenAnswer(missing);
  const CheckpointClient checkpoints = MakeCheckpoints(f);
  const auto first = checkpoints.GetEntry({.id = "latest", .ns = "app", .key = "k"});
  REQUIRE(first.ok());
  CHECK((first->found && first->value == "v" && first->revision == 5));
  CHECK(first->expire_time == Timestamp(seconds(7)));
  CHECK(first->checkpoint_id == "c");
  const auto second = checkpoints.GetEntry({.id = "latest", .key = "k"});
  CHECK_FALSE(second->found);
  CHECK(second->checkpoint_id == "c");
  CHECK(f.server.get_checkpoint_entry.requests().at(0).ShortDebugString() ==
        R"(id: "latest" namespace: "app" key: "k")");
}

v1::DiffCheckpointsResponse Changes(
    const std::vector<std::pair<v1::CheckpointChangeKind, std::string>>& changes) {
  v1::DiffCheckpointsResponse response;
  for (const auto& [kind, key] : changes) {
    auto* change = response.add_changes();
    change->set_kind(kind);
    change->set_namespace_("app");
    change->set_key(key);
  }
  return response;
}

TEST_CASE("a diff gives every key that differs, and at last how many") {
  Fixture f;
  v1::DiffCheckpointsResponse totals;
  totals.mutable_totals()->set_added_count(1);
  totals.mutable_totals()->set_removed_count(2);
  totals.mutable_totals()->set_changed_count(3);
  totals.mutable_totals()->set_same_count(4);
  f.server.diff_checkpoints.ThenAnswer({Changes({{v1::CHECKPOINT_CHANGE_KIND_ADDED, "a"},
                                                 {v1::CHECKPOINT_CHANGE_KIND_REMOVED, "b"}}),
                                        Changes({}),
                                        Changes({{v1::CHECKPOINT_CHANGE_KIND_CHANGED, "c"},
                                                 {static_cast<v1::CheckpointChangeKind>(99), "d"}}),
                                        totals});
  CheckpointDiff diff = MakeCheckpoints(f).Diff({.from_id = "1", .to_id = "2", .ns = "app"});
  std::vector<CheckpointChangeKind> kinds;
  std::string keys;
  while (true) {
    const auto change = diff.Next();
    REQUIRE(change.ok());
    if (!change->has_value()) break;
    CHECK_FALSE(diff.totals().has_value());
    CHECK((*change)->ns == "app");
    kinds.push_back((*change)->kind);
    keys += (*change)->key;
  }
  CHECK(keys == "abcd");
  CHECK(kinds == std::vector{CheckpointChangeKind::kAdded, CheckpointChangeKind::kRemoved,
                             CheckpointChangeKind::kChanged, CheckpointChangeKind::kUnknown});
  REQUIRE(diff.totals().has_value());
  CHECK(diff.totals()->added_count == 1);
  CHECK(diff.totals()->removed_count == 2);
  CHECK(diff.totals()->changed_count == 3);
  CHECK(diff.totals()->same_count == 4);
  CHECK_FALSE(diff.Next()->has_value());
  CHECK(f.server.diff_checkpoints.requests().at(0).ShortDebugString() ==
        R"(from_id: "1" to_id: "2" namespace: "app")");
}

TEST_CASE("a diff is begun anew only until something of it has come") {
  Fixture f;
  f.server.diff_checkpoints.ThenFail(Broken())
      .Then([](const auto&, auto* messages) {
        messages->push_back(Changes({{v1::CHECKPOINT_CHANGE_KIND_ADDED, "a"}}));
        return Broken();
      })
      .ThenAnswer({});
  CheckpointDiff diff =
      MakeCheckpoints(f).Diff({.from_id = "1", .to_id = "2", .content = DiffContent::kCountsOnly});
  CHECK(diff.Next()->has_value());
  CHECK(diff.Next().status().code() == absl::StatusCode::kUnavailable);
  CHECK_FALSE(diff.Next()->has_value());
  CHECK(f.server.diff_checkpoints.calls() == 2);
  CHECK(f.server.diff_checkpoints.requests().at(0).counts_only());
}

TEST_CASE("an export gives the file's bytes in order, and whose they are") {
  Fixture f;
  v1::ExportCheckpointResponse first;
  first.mutable_checkpoint()->set_id("a");
  v1::ExportCheckpointResponse second;
  second.set_data("bytes");
  f.server.export_checkpoint.ThenFail(TarnError(StatusCode::UNAVAILABLE, "NOT_READY"))
      .ThenAnswer({first, second});
  const auto file = MakeCheckpoints(f).Export({.id = "latest"});
  const auto head = file->Next();
  REQUIRE(head.ok());
  CHECK((*head)->checkpoint->id == "a");
  const auto body = file->Next();
  CHECK_FALSE((*body)->checkpoint.has_value());
  CHECK((*body)->data == "bytes");
  CHECK_FALSE(file->Next()->has_value());
  CHECK(f.server.export_checkpoint.requests().at(1).id() == "latest");
}

TEST_CASE("an import sends the options, then the bytes in messages that the contract allows") {
  Fixture f;
  v1::ImportCheckpointResponse response;
  response.mutable_checkpoint()->set_id("a");
  f.server.import_checkpoint.ThenAnswer(response);
  const std::string large(3 << 20, 'x');
  const auto taken =
      MakeCheckpoints(f).Import({.from = ImportFrom::kAnyStore, .read = Pieces({"head", large})});
  REQUIRE(taken.ok());
  CHECK(taken->id == "a");
  const auto messages = f.server.import_checkpoint.requests().at(0);
  REQUIRE(messages.size() == 5);
  CHECK(messages[0].options().allow_other_store());
  std::string received;
  for (const auto& message : messages) {
    CHECK(message.data().size() <= size_t{1} << 20);
    received += message.data();
  }
  CHECK(received == "head" + large);
}

TEST_CASE("an import that is refused says why, and is not repeated") {
  Fixture f;
  f.server.import_checkpoint.ThenFail(TarnError(StatusCode::FAILED_PRECONDITION, "OTHER_STORE"));
  const auto refused = MakeCheckpoints(f).Import({.read = Pieces({"x"})});
  CHECK(ReasonOf(refused.status()) == Reason::kOtherStore);
  CHECK_FALSE(f.server.import_checkpoint.requests().at(0).at(0).options().allow_other_store());
  f.server.Stop();
  CHECK(ReasonOf(MakeCheckpoints(f).Import({.read = Pieces({"x"})}).status()) ==
        Reason::kNotConnected);
}

TEST_CASE("an import whose file cannot be read ends with that") {
  Fixture f;
  f.server.import_checkpoint.ThenAnswer();
  const auto failed =
      MakeCheckpoints(f).Import({.read = Pieces({"x"}, absl::InternalError("the disk"))});
  CHECK(failed.status() == absl::InternalError("the disk"));
}

TEST_CASE("every call about checkpoints passes its error on") {
  Fixture f;
  const auto missing = TarnError(StatusCode::NOT_FOUND, "CHECKPOINT_NOT_FOUND");
  f.server.create_checkpoint.ThenFail(missing);
  f.server.get_checkpoint.ThenFail(missing);
  f.server.list_checkpoints.ThenFail(missing);
  f.server.verify_checkpoint.ThenFail(missing);
  f.server.delete_checkpoint.ThenFail(missing);
  f.server.pin_checkpoint.ThenFail(missing);
  f.server.unpin_checkpoint.ThenFail(missing);
  f.server.restore_checkpoint.ThenFail(missing);
  f.server.get_checkpoint_entry.ThenFail(missing);
  f.server.diff_checkpoints.ThenFail(missing);
  f.server.export_checkpoint.ThenFail(missing);
  const CheckpointClient checkpoints = MakeCheckpoints(f);
  constexpr auto kExpected = Reason::kCheckpointNotFound;
  CHECK(ReasonOf(checkpoints.Create().status()) == kExpected);
  CHECK(ReasonOf(checkpoints.Get("a").status()) == kExpected);
  CHECK(ReasonOf(checkpoints.List().status()) == kExpected);
  CHECK(ReasonOf(checkpoints.Verify("a").status()) == kExpected);
  CHECK(ReasonOf(checkpoints.Delete("a")) == kExpected);
  CHECK(ReasonOf(checkpoints.Pin("a", "r").status()) == kExpected);
  CHECK(ReasonOf(checkpoints.Unpin("a").status()) == kExpected);
  CHECK(ReasonOf(checkpoints.Restore({.id = "a"}).status()) == kExpected);
  CHECK(ReasonOf(checkpoints.GetEntry({.id = "a"}).status()) == kExpected);
  CHECK(ReasonOf(checkpoints.Diff({}).Next().status()) == kExpected);
  CHECK(ReasonOf(checkpoints.Export({})->Next().status()) == kExpected);
}

TEST_CASE("a checkpoint connection that offers nothing says so") {
  class Bare : public CheckpointConnection {};
  const CheckpointClient checkpoints(std::make_shared<Bare>());
  constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;
  CHECK(checkpoints.Create().status().code() == kUnimplemented);
  CHECK(checkpoints.Get("a").status().code() == kUnimplemented);
  CHECK(checkpoints.List().status().code() == kUnimplemented);
  CHECK(checkpoints.Verify("a").status().code() == kUnimplemented);
  CHECK(checkpoints.Delete("a").code() == kUnimplemented);
  CHECK(checkpoints.Pin("a", "r").status().code() == kUnimplemented);
  CHECK(checkpoints.Unpin("a").status().code() == kUnimplemented);
  CHECK(checkpoints.Restore({}).status().code() == kUnimplemented);
  CHECK(checkpoints.GetEntry({}).status().code() == kUnimplemented);
  CHECK(checkpoints.Diff({}).Next().status().code() == kUnimplemented);
  CHECK(checkpoints.Export({})->Next().status().code() == kUnimplemented);
  CHECK(checkpoints.Import({}).status().code() == kUnimplemented);
}

TEST_CASE("options that cannot work are refused before there is a connection for checkpoints") {
  CHECK(ReasonOf(CheckpointClient::Connect({.endpoint = "nowhere"}).status()) ==
        Reason::kInvalidOptions);
  CHECK(CheckpointClient::Connect().ok());
}

}  // namespace
}  // namespace tarn::testing
