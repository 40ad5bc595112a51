#include "tests/client/store_cases.h"

#include <limits>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace tarn::testing {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr milliseconds kSoon{3};

// "key=value" of every entry, joined by spaces.
std::string Read(Scan scan) {
  std::string text;
  for (const absl::StatusOr<Entry>& entry : scan) {
    if (!text.empty()) text += " ";
    text += entry.ok() ? entry->key + "=" + entry->value
                       : std::string(ReasonName(ReasonOf(entry.status())));
  }
  return text;
}

// The value, "-" for a missing entry, or the reason.
std::string Get(const Client& client, const std::string& key) {
  const auto got = client.Get(key);
  if (!got.ok()) return std::string(ReasonName(ReasonOf(got.status())));
  return got->found ? got->value : "-";
}

template <typename Result>
std::string ReasonText(const absl::StatusOr<Result>& result) {
  return result.ok() ? "OK" : std::string(ReasonName(ReasonOf(result.status())));
}

void PutAndGet(Subject& s) {
  const std::string binary("\0\xff\n", 3);
  const auto put = s.client.Put(binary, binary);
  REQUIRE(put.ok());
  CHECK_FALSE(put->found);
  CHECK(put->revision > 0);
  const auto got = s.client.Get(binary);
  REQUIRE(got.ok());
  CHECK((got->found && got->value == binary && got->revision == put->revision));
  CHECK_FALSE(got->expire_time.has_value());
  const auto again = s.client.Put(binary, "");
  CHECK((again->found && again->revision > put->revision));
  CHECK(Get(s.client, binary).empty());
  CHECK(Get(s.client, "missing") == "-");
}

void DeleteAndTake(Subject& s) {
  REQUIRE(s.client.Put("a", "1").ok());
  const auto deleted = s.client.Delete("a");
  CHECK((deleted->found && deleted->revision > 0));
  const auto nothing = s.client.Delete("a");
  CHECK((!nothing->found && nothing->revision == 0));
  REQUIRE(s.client.Put("b", "2").ok());
  const auto taken = s.client.Take("b");
  CHECK((taken->found && taken->value == "2" && taken->revision > 0));
  const auto gone = s.client.Take("b");
  CHECK((!gone->found && gone->value.empty() && gone->revision == 0));
}

void Increments(Subject& s) {
  const auto first = s.client.Increment("n", 5);
  CHECK((!first->found && first->number == 5));
  const auto second = s.client.Increment("n", -7);
  CHECK((second->found && second->number == -2 && second->revision > first->revision));
  CHECK(Get(s.client, "n") == "-2");
  REQUIRE(s.client.Put("top", std::to_string(std::numeric_limits<int64_t>::max())).ok());
  CHECK(ReasonText(s.client.Increment("top")) == "INTEGER_OVERFLOW");
  for (const std::string text : {"", "x", "007", "-0", "+1", "1 ", "9223372036854775808"}) {
    REQUIRE(s.client.Put("text", text).ok());
    CHECK(ReasonText(s.client.Increment("text")) == "NOT_AN_INTEGER");
    CHECK(Get(s.client, "text") == text);
  }
}

void Appends(Subject& s) {
  CHECK(s.client.Append("a", "one")->size_bytes == 3);
  const auto longer = s.client.Append("a", "two");
  CHECK((longer->found && longer->size_bytes == 6));
  CHECK(Get(s.client, "a") == "onetwo");
  REQUIRE(s.client.Put("full", std::string(2 << 20, 'x')).ok());
  CHECK(ReasonText(s.client.Append("full", "y")) == "VALUE_TOO_LARGE");
}

void Preconditions(Subject& s) {
  const auto put = s.client.Put("k", "1", {.precondition = Precondition::Absent()});
  REQUIRE(put.ok());
  const auto with = [&](Precondition p) {
    return ReasonText(s.client.Put("k", "2", {.precondition = p}));
  };
  CHECK(with(Precondition::Absent()) == "ALREADY_EXISTS");
  CHECK(with(Precondition::AtRevision(put->revision + 1)) == "REVISION_MISMATCH");
  CHECK(with(Precondition::AtRevision(0)) == "INVALID_PRECONDITION");
  CHECK(Get(s.client, "k") == "1");
  CHECK(with(Precondition::AtRevision(put->revision)) == "OK");
  CHECK(with(Precondition::AtRevision(put->revision)) == "REVISION_MISMATCH");
  CHECK(with(Precondition::Present()) == "OK");
  const KeyOptions present{.precondition = Precondition::Present()};
  const KeyOptions revision{.precondition = Precondition::AtRevision(1)};
  CHECK(ReasonText(s.client.Get("missing", present)) == "KEY_NOT_FOUND");
  CHECK(ReasonText(s.client.Delete("missing", revision)) == "REVISION_MISMATCH");
  CHECK(ReasonText(s.client.Take("missing", present)) == "KEY_NOT_FOUND");
  CHECK(ReasonText(s.client.Touch("missing", Ttl::Never(), present)) == "KEY_NOT_FOUND");
  CHECK(ReasonText(s.client.Increment(
            "missing", 1, {.precondition = Precondition::AtRevision(9)})) == "REVISION_MISMATCH");
  CHECK(Get(s.client, "missing") == "-");
}

void Deadlines(Subject& s) {
  const Ttl day = Ttl::Of(hours(24));
  const auto put = s.client.Put("k", "1", {.ttl = day});
  REQUIRE(put->expire_time.has_value());
  // A touch changes the deadline and the revision, and nothing else.
  const auto touched = s.client.Touch("k", Ttl::Of(hours(48)));
  CHECK((touched->found && touched->revision > put->revision));
  CHECK(*touched->expire_time > *put->expire_time);
  CHECK(Get(s.client, "k") == "1");
  // Append and increment keep a deadline; put replaces it.
  CHECK(s.client.Append("k", "0")->expire_time == touched->expire_time);
  CHECK(s.client.Increment("k", 1)->expire_time == touched->expire_time);
  CHECK(Get(s.client, "k") == "11");
  CHECK_FALSE(s.client.Increment("k", 1, {.ttl = Ttl::Never()})->expire_time.has_value());
  CHECK(s.client.Append("k", "0", {.ttl = day})->expire_time.has_value());
  CHECK_FALSE(s.client.Put("k", "1")->expire_time.has_value());
  const auto missing = s.client.Touch("missing", day);
  CHECK((!missing->found && missing->revision == 0));
}

void Expiry(Subject& s) {
  REQUIRE(s.client.Put("gone", "1", {.ttl = Ttl::Of(kSoon)}).ok());
  REQUIRE(s.client.Put("stays", "1", {.ttl = Ttl::Of(hours(1))}).ok());
  s.let_entries_expire();
  CHECK(Get(s.client, "gone") == "-");
  CHECK(Read(s.client.Scan()) == "stays=1");
  CHECK(s.client.Count()->count == 1);
  CHECK_FALSE(s.client.Delete("gone")->found);
  CHECK(ReasonText(s.client.Put("gone", "2", {.precondition = Precondition::Absent()})) == "OK");
}

void BadTtls(Subject& s) {
  for (const milliseconds ttl : {milliseconds(0), milliseconds(-1), milliseconds::max()}) {
    CHECK(ReasonText(s.client.Put("k", "v", {.ttl = Ttl::Of(ttl)})) == "INVALID_TTL");
    CHECK(ReasonText(s.client.Increment("k", 1, {.ttl = Ttl::Of(ttl)})) == "INVALID_TTL");
    CHECK(ReasonText(s.client.Append("k", "v", {.ttl = Ttl::Of(ttl)})) == "INVALID_TTL");
    CHECK(ReasonText(s.client.Touch("k", Ttl::Of(ttl))) == "INVALID_TTL");
  }
  CHECK(ReasonText(s.client.Touch("k", Ttl())) == "INVALID_TTL");
  CHECK(Get(s.client, "k") == "-");
}

void BadKeysAndValues(Subject& s) {
  const std::string long_key(4096, 'k');
  CHECK(ReasonText(s.client.Put(long_key, "v")) == "OK");
  CHECK(ReasonText(s.client.Put(long_key + "k", "v")) == "KEY_TOO_LARGE");
  CHECK(ReasonText(s.client.Get(long_key + "k")) == "KEY_TOO_LARGE");
  CHECK(ReasonText(s.client.Put("", "v")) == "INVALID_KEY");
  CHECK(ReasonText(s.client.Get("")) == "INVALID_KEY");
  CHECK(ReasonText(s.client.Put("k", std::string((2 << 20) + 1, 'v'))) == "VALUE_TOO_LARGE");
  CHECK(Get(s.client, "k") == "-");
}

void AtomicBatches(Subject& s) {
  REQUIRE(s.client.Put("n", "1").ok());
  const auto done = s.client.RunBatch(
      Batch::Atomic().Get("n").Put("a", "1").Increment("n", 1).Get("a").Delete("missing").Take(
          "missing2"));
  REQUIRE(done.ok());
  // Reads see the state before the batch.
  CHECK(done->results[0].value == "1");
  CHECK_FALSE(done->results[3].found);
  CHECK(done->results[2].number == 2);
  CHECK(done->revision > 0);
  CHECK(done->results[1].revision == done->revision);
  CHECK(done->results[2].revision == done->revision);
  CHECK(done->results[4].revision == 0);
  const auto undone =
      s.client.RunBatch(Batch::Atomic().Put("a", "2").Put("b", "2", {}, Precondition::Present()));
  CHECK(ReasonText(undone) == "KEY_NOT_FOUND");
  CHECK(Get(s.client, "a") == "1");
  CHECK(Get(s.client, "b") == "-");
  CHECK(ReasonText(s.client.RunBatch(Batch::Atomic().Put("x", "1").Delete("x"))) ==
        "DUPLICATE_KEY");
  CHECK(s.client.RunBatch(Batch::Atomic().Get("a").Delete("missing"))->revision == 0);
}

void IndependentBatches(Subject& s) {
  const auto done = s.client.RunBatch(Batch::Independent()
                                          .Put("a", "1")
                                          .Get("a")
                                          .Increment("a", 1)
                                          .Put("a", "x")
                                          .Increment("a", 1)
                                          .Append("b", "y")
                                          .Put("", "bad")
                                          .Touch("a", Ttl::Of(hours(1)))
                                          .Take("a"));
  REQUIRE(done.ok());
  CHECK(done->revision == 0);
  const auto& r = done->results;
  REQUIRE(r.size() == 9);
  CHECK(r[1].value == "1");
  CHECK(r[2].number == 2);
  CHECK((r[3].found && r[3].revision > r[2].revision));
  CHECK(ReasonName(ReasonOf(r[4].status)) == "NOT_AN_INTEGER");
  CHECK(r[5].size_bytes == 1);
  CHECK(ReasonName(ReasonOf(r[6].status)) == "INVALID_KEY");
  CHECK(r[7].found);
  CHECK(r[8].value == "x");
}

void BadBatches(Subject& s) {
  CHECK(ReasonText(s.client.RunBatch(Batch::Atomic())) == "INVALID_REQUEST");
  Batch large = Batch::Independent();
  for (int i = 0; i < 4097; ++i) large.Get("k");
  CHECK(ReasonText(s.client.RunBatch(std::move(large))) == "BATCH_TOO_LARGE");
}

void Ranges(Subject& s) {
  for (const std::string key : {"a", "b/1", "b/2", "b\xff", "c"})
    REQUIRE(s.client.Put(key, key).ok());
  CHECK(Read(s.client.Scan(KeyRange::Prefix("b/"))) == "b/1=b/1 b/2=b/2");
  CHECK(Read(s.client.Scan(KeyRange::Between("a", "b/2"))) == "a=a b/1=b/1");
  CHECK(Read(s.client.Scan(KeyRange::Between("b/2", ""))) == "b/2=b/2 b\xff=b\xff c=c");
  CHECK(Read(s.client.Scan(KeyRange::Between("b", "b"))).empty());
  CHECK(Read(s.client.Scan({}, {.order = ScanOrder::kDescending, .limit = 2})) ==
        "c=c b\xff=b\xff");
  CHECK(Read(s.client.Scan(KeyRange::Prefix("b/"), {.content = ScanContent::kKeysOnly})) ==
        "b/1= b/2=");
  CHECK(s.client.Count(KeyRange::Prefix("b"))->count == 3);
  CHECK(s.client.Count()->revision > 0);
  const std::vector<KeyRange> bad = {
      {"p", "s", ""}, {"p", "", "e"}, {"", "z", "a"}, KeyRange::Prefix(std::string(4098, 'p'))};
  for (const KeyRange& range : bad) {
    CHECK(Read(s.client.Scan(range)) == "INVALID_RANGE");
    CHECK(ReasonText(s.client.Count(range)) == "INVALID_RANGE");
    CHECK(ReasonText(s.client.DeleteRange(range)) == "INVALID_RANGE");
  }
}

void RangeDeletion(Subject& s) {
  for (const std::string key : {"a/1", "a/2", "b"}) REQUIRE(s.client.Put(key, "v").ok());
  CHECK(ReasonText(s.client.DeleteRange(KeyRange::All())) == "INVALID_RANGE");
  const auto removed = s.client.DeleteRange(KeyRange::Prefix("a/"));
  CHECK((removed->deleted_count == 2 && removed->revision > 0));
  const auto nothing = s.client.DeleteRange(KeyRange::Prefix("a/"));
  CHECK((nothing->deleted_count == 0 && nothing->revision == 0));
  CHECK(s.client.DeleteAll()->deleted_count == 1);
  CHECK(s.client.Count()->count == 0);
}

void Namespaces(Subject& s) {
  CHECK(Get(s.client.WithNamespace("No!"), "k") == "INVALID_NAMESPACE_NAME");
  const auto app = s.create_namespace("app", {});
  REQUIRE(app.ok());
  CHECK(ReasonText(s.create_namespace("app", {})) == "NAMESPACE_EXISTS");
  CHECK(ReasonText(s.create_namespace("App", {})) == "INVALID_NAMESPACE_NAME");
  REQUIRE(app->Put("k", "of app").ok());
  CHECK(Get(s.client, "k") == "-");
  CHECK(Get(s.client.WithNamespace("default"), "k") == "-");
  REQUIRE(s.client.Put("k", "of default").ok());
  CHECK(Read(app->Scan()) == "k=of app");
  CHECK(app->DeleteAll()->deleted_count == 1);
  CHECK(Get(s.client, "k") == "of default");
}

void AppearingNamespaces(Subject& s) {
  const Client nowhere = s.client.WithNamespace("nowhere");
  CHECK(Get(nowhere, "k") == "-");
  CHECK(Read(nowhere.Scan()).empty());
  CHECK(nowhere.DeleteAll()->deleted_count == 0);
  CHECK_FALSE(nowhere.Delete("k")->found);
  CHECK(ReasonText(nowhere.Put("", "v")) == "INVALID_KEY");
  CHECK(ReasonText(s.create_namespace("nowhere", {})) == "OK");  // None of these has created it.
  const Client written = s.client.WithNamespace("written");
  CHECK(written.Put("k", "v").ok());
  CHECK(Get(written, "k") == "v");
  CHECK(ReasonText(s.create_namespace("written", {})) == "NAMESPACE_EXISTS");
}

void ExplicitNamespaces(Subject& s) {
  const Client nowhere = s.client.WithNamespace("nowhere");
  CHECK(Get(nowhere, "k") == "NAMESPACE_NOT_FOUND");
  CHECK(ReasonText(nowhere.Put("k", "v")) == "NAMESPACE_NOT_FOUND");
  CHECK(Read(nowhere.Scan()) == "NAMESPACE_NOT_FOUND");
  CHECK(ReasonText(nowhere.DeleteAll()) == "NAMESPACE_NOT_FOUND");
  Pipeline pipeline = nowhere.OpenPipeline();
  CHECK(ReasonText(pipeline.Add(Operation::Get("k")).get()) == "NAMESPACE_NOT_FOUND");
  const auto created = s.create_namespace("nowhere", {});
  REQUIRE(created.ok());
  CHECK(created->Put("k", "v").ok());
}

void DefaultTtls(Subject& s) {
  const auto app = s.create_namespace("short-lived", {.default_ttl = hours(1)});
  REQUIRE(app.ok());
  CHECK(app->Put("k", "v")->expire_time.has_value());
  CHECK(app->Append("created", "v")->expire_time.has_value());
  CHECK_FALSE(app->Put("k", "v", {.ttl = Ttl::Never()})->expire_time.has_value());
  CHECK_FALSE(app->Append("k", "v")->expire_time.has_value());  // Keeps what it has.
  CHECK(ReasonText(s.create_namespace("bad", {.default_ttl = milliseconds(-5)})) == "INVALID_TTL");
}

void Quotas(Subject& s) {
  const auto few = s.create_namespace("few", {.quota_entries = 2});
  REQUIRE((few->Put("a", "1").ok() && few->Put("b", "1").ok()));
  CHECK(ReasonText(few->Put("c", "1")) == "QUOTA_EXCEEDED");
  CHECK(ReasonText(few->Put("a", "longer")) == "OK");
  REQUIRE(few->Delete("a").ok());
  CHECK(ReasonText(few->Put("c", "1")) == "OK");
  const auto small = s.create_namespace("small", {.quota_bytes = 10});
  REQUIRE(small->Put("k", "123456789").ok());
  CHECK(ReasonText(small->Append("k", "0")) == "QUOTA_EXCEEDED");
  CHECK(Get(*small, "k") == "123456789");
  CHECK(ReasonText(small->RunBatch(Batch::Atomic().Delete("k").Put("j", "987654321"))) == "OK");
}

void Pipelines(Subject& s) {
  Pipeline pipeline = s.client.OpenPipeline();
  auto put = pipeline.Add(Operation::Put("k", "1"));
  auto sum = pipeline.Add(Operation::Increment("k", 1));
  auto batch = pipeline.Add(Batch::Atomic().Get("k").Put("l", "x"));
  auto lost = pipeline.Add(Operation::Put("k", "0", {}, Precondition::AtRevision(1)));
  auto taken = pipeline.Add(Operation::Take("k"));
  CHECK(put.get().ok());
  CHECK(sum.get()->number == 2);
  const auto result = batch.get();
  REQUIRE(result.ok());
  CHECK(result->results[0].value == "2");
  CHECK(result->revision > 0);
  CHECK(ReasonText(lost.get()) == "REVISION_MISMATCH");
  CHECK(taken.get()->value == "2");
  CHECK(pipeline.Close().ok());
  CHECK(ReasonText(pipeline.Add(Operation::Get("k")).get()) == "PIPELINE_CLOSED");
}

constexpr StoreCase kCases[] = {
    {"a put entry is found, with any bytes, until another replaces it", PutAndGet},
    {"deleting and taking remove an entry and say whether there was one", DeleteAndTake},
    {"increment adds to canonical decimal text within 64 bits", Increments},
    {"append makes a value longer up to its limit", Appends},
    {"a violated precondition changes nothing and says which", Preconditions},
    {"deadlines are set, kept and changed as each operation says", Deadlines},
    {"an expired entry is absent", Expiry},
    {"a lifetime that is none is refused", BadTtls},
    {"keys and values outside of the limits are refused", BadKeysAndValues},
    {"an atomic batch is all or nothing, on one state", AtomicBatches},
    {"an independent batch is each by itself, in order", IndependentBatches},
    {"a batch of nothing, or of too much, is refused", BadBatches},
    {"ranges select by prefix and bounds in either direction", Ranges},
    {"deleting a range counts what it removed and needs to be told which", RangeDeletion},
    {"namespaces do not see each other's keys", Namespaces},
    {"a namespace appears with its first write", AppearingNamespaces},
    {"a namespace's default lifetime holds for what says none", DefaultTtls},
    {"a quota refuses growth and nothing else", Quotas},
    {"a pipeline answers each in its order on a key", Pipelines},
};

constexpr StoreCase kExplicitCases[] = {
    {"a namespace that nobody created is an error", ExplicitNamespaces},
};

}  // namespace

std::span<const StoreCase> ExplicitNamespaceCases() { return kExplicitCases; }

std::span<const StoreCase> StoreCases() { return kCases; }

}  // namespace tarn::testing
