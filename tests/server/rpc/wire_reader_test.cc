#include "server/rpc/wire_reader.h"

#include <limits>
#include <string>

#include "storage/base/coding.h"
#include "tests/catch.h"

namespace tarn::server {
namespace {

TEST_CASE("fields are taken from the front of a message, one after the other") {
  std::string bytes = "\x0a";
  base::AppendLengthPrefixed(&bytes, "key");
  base::AppendVarint64(&bytes, 127);
  base::AppendVarint64(&bytes, 128);
  base::AppendVarint64(&bytes, std::numeric_limits<uint64_t>::max());
  WireReader reader(bytes);
  CHECK(reader.front() == 0x0a);
  CHECK(reader.TakeFront() == 0x0a);
  const absl::string_view key = reader.Bytes();
  CHECK(key == "key");
  CHECK(key.data() == bytes.data() + 2);  // Where it was.
  CHECK(reader.Varint() == 127);
  CHECK(reader.Varint() == 128);
  CHECK_FALSE(reader.AtEnd());
  CHECK(reader.Varint() == std::numeric_limits<uint64_t>::max());
  CHECK(reader.AtEnd());
  CHECK(reader.ok());
}

TEST_CASE("an empty message is at its end, and well-formed") {
  const WireReader reader("");
  CHECK(reader.AtEnd());
  CHECK(reader.ok());
}

TEST_CASE("a number that is cut off or too long ends the message") {
  for (const std::string& bytes :
       {std::string(), std::string("\x80"), std::string(10, '\xff') + "\x01"}) {
    WireReader reader(bytes);
    CHECK(reader.Varint() == 0);
    CHECK_FALSE(reader.ok());
    CHECK(reader.AtEnd());
  }
}

TEST_CASE("bytes that are longer than what is left end the message") {
  for (const std::string& bytes : {std::string("\x04"
                                               "key"),
                                   std::string("\x80"),
                                   std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                                               "key")}) {
    WireReader reader(bytes);
    CHECK(reader.Bytes().empty());
    CHECK_FALSE(reader.ok());
    CHECK(reader.AtEnd());
  }
}

}  // namespace
}  // namespace tarn::server
