// What a store says of itself in Redis, byte for byte.
#include "storage/redis/store_records.h"

#include <string>

#include "tests/catch.h"
#include "tests/support/status.h"

namespace tarn::storage::redis {
namespace {

using testing::Brief;
using testing::Value;

template <size_t N>
std::string Bytes(const char (&text)[N]) {
  return {text, N - 1};
}

TEST_CASE("records of a store are what they have always been") {
  CHECK(EncodeFormat(1) == Bytes("\0\0\0\x01"));
  const std::string id(32, 'a');
  CHECK(EncodeMeta({{id, 0x0102}, 3}) == Bytes("\x01\0\0\0\0\0\0\x01\x02\0\0\0\x03") + id);
  const std::string token(kTokenBytes, 't');
  CHECK(EncodeOwner({5, token}) == Bytes("\x01\0\0\0\0\0\0\0\x05") + token);
  CHECK(EncodeHeartbeat({Heartbeat::State::kReleased, 5, 6, 7, "me"}) ==
        Bytes("\x01\x02\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0\x07me"));
}

TEST_CASE("records of a store are read as they were written") {
  const MetaRecord meta = Value(DecodeMeta(EncodeMeta({{std::string(32, 'b'), 9}, 4})));
  CHECK(meta.meta.store_id == std::string(32, 'b'));
  CHECK(meta.meta.incarnation == 9);
  CHECK(meta.generation == 4);
  const OwnerRecord owner{7, std::string(kTokenBytes, 'x')};
  CHECK(DecodeOwner(EncodeOwner(owner)) == owner);
  const auto heartbeat =
      DecodeHeartbeat(EncodeHeartbeat({Heartbeat::State::kAlive, 1, 2, 3, "", ""}));
  REQUIRE(heartbeat);
  CHECK(heartbeat->state == Heartbeat::State::kAlive);
  CHECK(heartbeat->beat == 2);
  CHECK(heartbeat->revision == 3);
}

TEST_CASE("a heartbeat may say where its daemon is") {
  const std::string bytes =
      EncodeHeartbeat({Heartbeat::State::kAlive, 1, 2, 3, "holder", "tarnd, on host b"});
  CHECK(bytes.substr(26) == "holder tarnd, on host b");
  const auto heartbeat = DecodeHeartbeat(bytes);
  REQUIRE(heartbeat);
  CHECK(heartbeat->holder == "holder");
  CHECK(heartbeat->name == "tarnd, on host b");
}

TEST_CASE("what is no record of a store is not taken for one, at whatever length") {
  const std::string meta = EncodeMeta({{std::string(32, 'b'), 9}, 4});
  const std::string owner = EncodeOwner({7, std::string(kTokenBytes, 'x')});
  const std::string heartbeat = EncodeHeartbeat({Heartbeat::State::kAlive, 1, 2, 3, "", ""});
  for (size_t i = 0; i < meta.size(); ++i) {
    CHECK(Brief(DecodeMeta(meta.substr(0, i)).status()) == "DATA_LOSS DATA_LOSS");
  }
  for (size_t i = 0; i < owner.size(); ++i) CHECK_FALSE(DecodeOwner(owner.substr(0, i)));
  for (size_t i = 0; i < heartbeat.size(); ++i) {
    CHECK_FALSE(DecodeHeartbeat(heartbeat.substr(0, i)));
  }
  CHECK_FALSE(DecodeOwner("\x02" + owner.substr(1)));
}

TEST_CASE("a store of a newer format is refused, and something else is damage") {
  CHECK(CheckFormat(EncodeFormat(kFormatVersion)).ok());
  CHECK(Brief(CheckFormat(EncodeFormat(kFormatVersion + 1))) == "FAILED_PRECONDITION NEWER_FORMAT");
  CHECK(Brief(CheckFormat("")) == "DATA_LOSS DATA_LOSS");
  CHECK(Brief(CheckFormat("what")) == "FAILED_PRECONDITION NEWER_FORMAT");
  CHECK(Brief(CheckFormat("longer")) == "DATA_LOSS DATA_LOSS");
}

}  // namespace
}  // namespace tarn::storage::redis
