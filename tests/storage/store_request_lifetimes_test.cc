// Writes with request ids: how long they are known, and what is refused when there is no room.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catch.h"
#include "tests/storage/request_subject.h"

namespace tarn::storage {
namespace {

using testing::Brief;

constexpr auto kAtomic = BatchMode::kAtomic;
constexpr auto kIndependent = BatchMode::kIndependent;
constexpr base::UnixMs kTenMinutes = 600'000;

TEST_CASE("ids are known after a restart, in every mode, and clients go on") {
  StoreSubject subject;
  const Revision client = subject.Register();
  const std::vector<Op> ops = {Add("a", 1), Get("a"), Add("b", 1)};
  subject.DoAs({client, 1}, Add("n", 1));
  subject.BatchAs({client, 2}, kAtomic, ops);
  subject.BatchAs({client, 3}, kIndependent, ops);
  const RequestStats before = subject.store().Stats().requests;
  REQUIRE(Brief(subject.Reopen()) == "OK");
  const RequestStats after = subject.store().Stats().requests;
  CHECK(after.requests == before.requests);
  CHECK(after.clients == 1);
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "1 again");
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 2))) == "INVALID_ARGUMENT REQUEST_MISMATCH");
  CHECK(Say(subject.BatchAs({client, 2}, kAtomic, ops)) == "1 again, 0 again, 1 again");
  CHECK(Say(subject.BatchAs({client, 3}, kIndependent, ops)) == "2 again, 2, 2 again");
  CHECK(Say(subject.DoAs({client, 4}, Add("n", 1))) == "2");
}

TEST_CASE("to another store the ids of this one mean nothing, and their records go") {
  StoreSubject subject;
  const Revision client = subject.Register();
  subject.DoAs({client, 1}, Add("n", 1));
  subject.meta.store_id = std::string(32, 'b');
  REQUIRE(Brief(subject.Reopen()) == "OK");
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "OUT_OF_RANGE UNKNOWN_CLIENT");
  CHECK(subject.store().Stats().requests.requests == 0);
  Pass(subject, 1000);
  CHECK(Receipts(subject) == 0);
  CHECK(Clients(subject) == 0);
}

TEST_CASE("an answer is kept until it is old and enough higher ids were used, not before both") {
  StoreOptions options = StoreSubject::Options();
  options.requests.kept_requests = 3;
  StoreSubject subject(options);
  const Revision client = subject.Register();
  for (uint64_t request = 1; request <= 5; ++request) subject.DoAs({client, request}, Add("n", 1));
  Pass(subject, kTenMinutes - 1);
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "1 again");
  Pass(subject, 1000);
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "OUT_OF_RANGE REQUEST_TOO_OLD");
  CHECK(Say(subject.DoAs({client, 2}, Add("n", 1))) == "OUT_OF_RANGE REQUEST_TOO_OLD");
  CHECK(Say(subject.DoAs({client, 3}, Add("n", 1))) == "3 again");
  CHECK(Receipts(subject) == 3);
  CHECK(subject.Value("n") == "5");
  Pass(subject, 100 * kTenMinutes);
  CHECK(Say(subject.DoAs({client, 3}, Add("n", 1))) == "3 again");
}

TEST_CASE("what is not known any more is not known after a restart either") {
  StoreOptions options = StoreSubject::Options();
  options.requests.kept_requests = 1;
  StoreSubject subject(options);
  const Revision client = subject.Register();
  for (uint64_t request = 1; request <= 3; ++request) subject.DoAs({client, request}, Add("n", 1));
  Pass(subject, kTenMinutes + 1);
  REQUIRE(Brief(subject.Reopen()) == "OK");
  CHECK(Say(subject.DoAs({client, 2}, Add("n", 1))) == "OUT_OF_RANGE REQUEST_TOO_OLD");
  CHECK(Say(subject.DoAs({client, 3}, Add("n", 1))) == "3 again");
}

bool IsClientRecord(const Batch& batch) {
  return IsSystemWrite(batch) && ParseClientKey(batch.operations[0].key).has_value();
}
bool IsReceiptDeletion(const Batch& batch) {
  return IsSystemWrite(batch) && ParseReceiptKey(batch.operations[0].key).has_value();
}

TEST_CASE("no receipt goes before it is durable that its id is not known any more") {
  StoreOptions options = StoreSubject::Options();
  options.requests.kept_requests = 1;
  StoreSubject subject(options);
  const Revision client = subject.Register();
  for (uint64_t request = 1; request <= 3; ++request) subject.DoAs({client, request}, Add("n", 1));
  subject.engine->FailBatches(Unavailable(), IsClientRecord);
  Pass(subject, kTenMinutes + 1);
  CHECK(Receipts(subject) == 3);
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "OUT_OF_RANGE REQUEST_TOO_OLD");
  subject.engine->FailBatches(Unavailable(), IsReceiptDeletion);
  Pass(subject, 1000);
  CHECK(Receipts(subject) == 3);
  subject.engine->FailBatches(absl::OkStatus());
  Pass(subject, 1000);
  CHECK(Receipts(subject) == 1);
}

TEST_CASE("receipts that a crash left behind go after the restart") {
  StoreOptions options = StoreSubject::Options();
  options.requests.kept_requests = 1;
  StoreSubject subject(options);
  const Revision client = subject.Register();
  for (uint64_t request = 1; request <= 3; ++request) subject.DoAs({client, request}, Add("n", 1));
  subject.engine->FailBatches(Unavailable(), IsReceiptDeletion);
  Pass(subject, kTenMinutes + 1);
  CHECK(Receipts(subject) == 3);
  subject.engine->FailBatches(absl::OkStatus());
  REQUIRE(Brief(subject.Reopen()) == "OK");
  CHECK(Say(subject.DoAs({client, 2}, Add("n", 1))) == "OUT_OF_RANGE REQUEST_TOO_OLD");
  Pass(subject, 1000);
  CHECK(Receipts(subject) == 1);
}

TEST_CASE("many receipts are removed in steps") {
  StoreOptions options = StoreSubject::Options();
  options.requests.kept_requests = 10;
  StoreSubject subject(options);
  const Revision client = subject.Register();
  for (uint64_t request = 1; request <= 1000; ++request)
    subject.DoAs({client, request}, Add("n", 1));
  subject.clock.Advance(kTenMinutes + 1);
  const size_t before = subject.engine->batches();
  subject.store().SweepOnce();
  CHECK(Receipts(subject) == 10);
  CHECK(subject.engine->batches() - before >= 8);
  CHECK(subject.store().Stats().requests.requests == 10);
}

TEST_CASE("a client that was silent for very long is forgotten with all its answers") {
  StoreSubject subject;
  const Revision silent = subject.Register();
  const Revision busy = subject.Register();
  subject.DoAs({silent, 1}, Add("n", 1));
  for (uint64_t hour = 1; hour <= 24; ++hour) {
    CHECK(Clients(subject) == 2);
    Pass(subject, 3'600'000);
    subject.DoAs({busy, hour}, Add("m", 1));
  }
  Pass(subject, 1000);
  CHECK(Say(subject.DoAs({silent, 1}, Add("n", 1))) == "OUT_OF_RANGE UNKNOWN_CLIENT");
  CHECK(Say(subject.DoAs({busy, 1}, Add("m", 1))) == "1 again");
  CHECK(Clients(subject) == 1);
  CHECK(Receipts(subject) == 24);
}

TEST_CASE("at the limit of bytes new ids are refused, and known ones are still answered") {
  StoreOptions options = StoreSubject::Options();
  options.requests.max_bytes = 2000;
  StoreSubject subject(options);
  const Revision client = subject.Register();
  uint64_t request = 1;
  while (subject.DoAs({client, request}, Add("n", 1)).status.ok()) ++request;
  CHECK(request > 5);
  CHECK(request < 15);
  CHECK(Say(subject.DoAs({client, request}, Add("n", 1))) == "RESOURCE_EXHAUSTED RECEIPTS_FULL");
  CHECK(Say(subject.DoAs({client, 1}, Add("n", 1))) == "1 again");
  CHECK(subject.Do(Add("n", 1)).number == static_cast<int64_t>(request));
  CHECK(subject.store().Stats().requests.refused == 2);
}

TEST_CASE("when there is no room, the most silent clients are forgotten early, not the active") {
  StoreOptions options = StoreSubject::Options();
  options.requests.max_bytes = 4000;
  StoreSubject subject(options);
  const Revision gone = subject.Register();
  const Revision active = subject.Register();
  for (uint64_t request = 1; request <= 10; ++request) subject.DoAs({gone, request}, Add("n", 1));
  subject.clock.Advance(kTenMinutes);
  uint64_t request = 1;
  while (subject.DoAs({active, request}, Add("m", 1)).status.ok()) ++request;
  subject.store().SweepOnce();
  CHECK(Say(subject.DoAs({gone, 1}, Add("n", 1))) == "OUT_OF_RANGE UNKNOWN_CLIENT");
  CHECK(Say(subject.DoAs({active, 1}, Add("m", 1))) == "1 again");
  CHECK(subject.DoAs({active, request}, Add("m", 1)).status.ok());
}

TEST_CASE("there are at most so many clients") {
  StoreOptions options = StoreSubject::Options();
  options.requests.max_clients = 2;
  StoreSubject subject(options);
  subject.Register();
  subject.Register();
  Outcome<Revision> third;
  subject.store().RegisterClient(third.Callback());
  CHECK(Brief(third.Take().status()) == "RESOURCE_EXHAUSTED RECEIPTS_FULL");
  Pass(subject, kTenMinutes + 1);
  CHECK(subject.Register() > 0);
}

TEST_CASE("a client id whose record could not be written is not given out") {
  StoreSubject subject;
  for (const bool first_commit : {true, false}) {
    subject.engine->FailBatches(
        Unavailable(), first_commit ? BatchFilter(IsSystemWrite) : BatchFilter(IsClientRecord));
    Outcome<Revision> outcome;
    subject.store().RegisterClient(outcome.Callback());
    CHECK(Brief(outcome.Take().status()) == "UNAVAILABLE ENGINE_UNAVAILABLE");
  }
  CHECK(subject.store().Stats().requests.clients == 0);
}

TEST_CASE("a store with a damaged receipt or client does not open") {
  for (const std::string& key : {std::string("rq/x"), std::string("client/x"), ClientKey(5),
                                 ReceiptKey({.client = 5, .request = 1})}) {
    StoreSubject subject;
    Operation damage;
    damage.kind = OperationKind::kPut;
    damage.key = key;
    damage.value = "";
    subject.memory->Run({.operations = {&damage, 1}}, [](const BatchResult&) {});
    CHECK(Brief(subject.Reopen()) == "DATA_LOSS DATA_LOSS");
    damage.kind = OperationKind::kDelete;
    subject.memory->Run({.operations = {&damage, 1}}, [](const BatchResult&) {});
    CHECK(Brief(subject.Reopen()) == "OK");
  }
}

}  // namespace
}  // namespace tarn::storage
