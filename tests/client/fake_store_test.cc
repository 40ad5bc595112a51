// The public fake: the cases of every store, and what only a fake can do.
#include "tarn/testing/fake_store.h"

#include "tarn/testing/fake_connection.h"
#include "tests/catch.h"
#include "tests/client/store_cases.h"

namespace tarn::testing {
namespace {

struct Fake {
  std::shared_ptr<FakeStore> store;
  Client client;

  explicit Fake(NamespaceCreation creation = NamespaceCreation::kOnFirstWrite)
      : store(std::make_shared<FakeStore>(creation)),
        client(std::make_shared<FakeConnection>(store)) {}

  Subject subject() {
    return {
        .client = client,
        .create_namespace = [this](const std::string& name,
                                   const NamespaceSettings& settings) -> absl::StatusOr<Client> {
          const absl::Status status = store->CreateNamespace(name, settings);
          if (!status.ok()) return status;
          return client.WithNamespace(name);
        },
        .let_entries_expire = [this] { store->AdvanceTime(std::chrono::milliseconds(10)); }};
  }
};

void RunCases(std::span<const StoreCase> cases, NamespaceCreation creation) {
  for (const StoreCase& one : cases) {
    DYNAMIC_SECTION(one.name) {
      Fake f(creation);
      Subject subject = f.subject();
      one.run(subject);
    }
  }
}

TEST_CASE("the fake does what every store must do") {
  RunCases(StoreCases(), NamespaceCreation::kOnFirstWrite);
}

TEST_CASE("the fake does what every store with explicit namespaces must do") {
  RunCases(ExplicitNamespaceCases(), NamespaceCreation::kExplicit);
}

TEST_CASE("an error strikes the call it was given for, once") {
  Fake f;
  f.store->FailNext("Put", absl::UnavailableError("lost"));
  CHECK(f.client.Get("k").ok());
  CHECK(f.client.Put("k", "1").status().message() == "lost");
  CHECK_FALSE(f.client.Get("k")->found);
  CHECK(f.client.Put("k", "1").ok());
  CHECK(f.store->calls("Put") == 2);
  CHECK(f.store->calls("Take") == 0);
}

TEST_CASE("an error may come after the call was done, which is what makes an outcome unknown") {
  Fake f;
  f.store->FailNext("", absl::UnavailableError("lost"), FaultTime::kAfter);
  CHECK(IsOutcomeUnknown(f.client.Increment("n", 1).status()));
  CHECK(f.client.Get("n")->value == "1");
  f.store->FailNext("DeleteRange", absl::UnavailableError("lost"), FaultTime::kAfter);
  CHECK_FALSE(f.client.DeleteAll().ok());
  CHECK_FALSE(f.client.Get("n")->found);
}

TEST_CASE("errors strike scans, counts, range deletions and pipelines too") {
  Fake f;
  for (const std::string call : {"Scan", "Count", "DeleteRange", "Pipeline", "Batch"}) {
    f.store->FailNext(call, MakeError(absl::StatusCode::kInternal, Reason::kEngineError, call));
  }
  Pipeline pipeline = f.client.OpenPipeline();
  CHECK(ReasonOf(f.client.Scan().Next().status()) == Reason::kEngineError);
  CHECK(ReasonOf(f.client.Count().status()) == Reason::kEngineError);
  CHECK(ReasonOf(f.client.DeleteAll().status()) == Reason::kEngineError);
  CHECK(ReasonOf(pipeline.Add(Operation::Get("k")).get().status()) == Reason::kEngineError);
  CHECK(ReasonOf(f.client.RunBatch(Batch::Atomic().Get("k")).status()) == Reason::kEngineError);
}

TEST_CASE("a fake scan gives no tokens and takes none") {
  Fake f;
  FakeConnection connection(f.store);
  const auto chunk = connection.Scan({.resume_token = "x"})->Next();
  CHECK(ReasonOf(chunk.status()) == Reason::kInvalidResumeToken);
}

TEST_CASE("connections share the store they are given") {
  Fake f;
  const Client other(std::make_shared<FakeConnection>(f.store));
  CHECK(f.client.Put("k", "1").ok());
  CHECK(other.Get("k")->value == "1");
}

}  // namespace
}  // namespace tarn::testing
