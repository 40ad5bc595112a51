// Keys and values are bytes, all of them, and mean nothing.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/contract/subject.h"

namespace tarn::testing {
namespace {

// In ascending order of unsigned bytes.
std::vector<std::string> OddKeys() {
  using namespace std::string_literals;
  return {"\0"s,
          "\0\0"s,
          "\0\1"s,
          "\1"s,
          "\n"s,
          " "s,
          "*"s,
          "*?[]{}"s,
          "/"s,
          "0"s,
          "00"s,
          "?"s,
          "A"s,
          "[a-z]"s,
          "a"s,
          "a\0"s,
          "a\0b"s,
          "a*"s,
          "aa"s,
          "b"s,
          "key:{1}"s,
          "key:{1}:2"s,
          "\x7F"s,
          "\x80"s,
          "\xC3\xA4"s,
          "\xFE"s,
          "\xFF"s,
          "\xFF\0"s,
          "\xFF\xFE"s,
          "\xFF\xFF"s,
          "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s};
}

std::vector<std::string> KeysOf(const std::vector<Row>& rows) {
  std::vector<std::string> keys;
  for (const Row& row : rows) keys.push_back(row.key);
  return keys;
}

TEST_CASE("The odd keys of this file ascend") {
  const std::vector<std::string> keys = OddKeys();
  REQUIRE(std::is_sorted(keys.begin(), keys.end()));
}

TEST_CASE("Every key of odd bytes is its own, and scans give them in the order of unsigned bytes") {
  Subject subject;
  std::vector<std::string> keys = OddKeys();
  for (auto key = keys.rbegin(); key != keys.rend(); ++key)
    subject.MustDo(Put(*key, "of " + *key).IfAbsent());
  for (const std::string& key : keys) CHECK(subject.Do(Get(key)).value == "of " + key);
  CHECK(KeysOf(subject.All()) == keys);
  for (const std::string& key : {keys[3], keys[7], keys[15], keys.back()}) {
    CHECK(subject.Do(Delete(key)).found);
    keys.erase(std::find(keys.begin(), keys.end(), key));
    CHECK(KeysOf(subject.All()) == keys);
  }
}

TEST_CASE("Odd keys survive an atomic batch") {
  Subject subject;
  std::vector<Op> puts;
  for (const std::string& key : OddKeys()) puts.push_back(Put(key, key));
  REQUIRE(Why(subject.Atomic(puts)) == "OK");
  for (const Row& row : subject.All()) CHECK(row.value == row.key);
  CHECK(KeysOf(subject.All()) == OddKeys());
}

TEST_CASE("An empty value is a value") {
  Subject subject;
  subject.MustDo(Put("k", ""));
  const Answer answer = subject.Do(Get("k"));
  CHECK(answer.found);
  CHECK(answer.value.empty());
  CHECK(UsageOf(subject) == "1 entries, 1 bytes");
  CHECK(subject.Do(Append("k", "")).size == 0);
  CHECK(subject.Do(Take("k")).found);
}

TEST_CASE("Appending nothing to nothing makes an empty entry") {
  Subject subject;
  const Answer answer = subject.Do(Append("k", ""));
  CHECK_FALSE(answer.found);
  CHECK(answer.revision != 0);
  CHECK(subject.Do(Get("k")).found);
}

TEST_CASE("Values hold any bytes") {
  Subject subject;
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  subject.MustDo(Put("k", all));
  subject.MustDo(Append("k", all));
  CHECK(subject.Do(Get("k")).value == all + all);
  CHECK(subject.All().at(0).value == all + all);
}

TEST_CASE("The longest keys work, and are told apart by their last byte") {
  Subject subject;
  const std::string stem(storage::Limits().max_key_bytes - 1, '\xFF');
  for (const char* last : {"a", "b", "\xFF"}) subject.MustDo(Put(stem + last, last));
  subject.MustDo(Put(stem, "stem"));
  CHECK(subject.Do(Get(stem + "b")).value == "b");
  CHECK(KeysOf(subject.All()) ==
        std::vector<std::string>{stem, stem + "a", stem + "b", stem + "\xFF"});
  CHECK(subject.Do(Take(stem + "a")).value == "a");
  CHECK(subject.Do(Get(stem + "b")).found);
}

TEST_CASE("The largest values work") {
  Subject subject;
  std::string value(storage::Limits().max_value_bytes, '\0');
  for (size_t i = 0; i < value.size(); ++i) value[i] = static_cast<char>(i * 7 + i / 251);
  subject.MustDo(Put("k", value));
  CHECK(subject.Do(Get("k")).value == value);
  CHECK(subject.All().at(0).value == value);
  subject.MustDo(Put("k", "small"));
  CHECK(subject.Do(Get("k")).value == "small");
  subject.MustDo(Put("k", value));
  CHECK(subject.Do(Take("k")).value == value);
  CHECK(UsageOf(subject) == "0 entries, 0 bytes");
}

TEST_CASE("Values of every size around the usual block sizes come back as they were") {
  Subject subject;
  for (const size_t size : {1, 7, 8, 15, 16, 127, 128, 255, 256, 511, 512, 513, 4095, 4096, 4097,
                            16384, 65535, 65536}) {
    const std::string key = std::to_string(size);
    subject.MustDo(Put(key, std::string(size, 'x')));
    CHECK(subject.Do(Get(key)).value.size() == size);
  }
}

TEST_CASE("Namespaces do not see each other") {
  Subject subject;
  const std::vector<NamespaceId> namespaces = {0, 1, 2, 255, 256, 257, 65535};
  for (const NamespaceId ns : namespaces) {
    subject.MustDo(Put("k", std::to_string(ns)).In(ns).IfAbsent());
    subject.MustDo(Put("\xFF\xFF", "last").In(ns));
  }
  for (const NamespaceId ns : namespaces) {
    CHECK(subject.Do(Get("k").In(ns)).value == std::to_string(ns));
    CHECK(subject.All(ns).size() == 2);
    CHECK(UsageOf(subject, ns) ==
          "2 entries, " + std::to_string(1 + std::to_string(ns).size() + 6) + " bytes");
  }
  subject.MustDo(Delete("k").In(256));
  CHECK(subject.All(256).size() == 1);
  CHECK(subject.All(255).size() == 2);
  CHECK(subject.All(257).size() == 2);
}

}  // namespace
}  // namespace tarn::testing
