#include "server/rpc/scan_codec.h"

#include <limits>
#include <string>
#include <vector>

#include "tarn/v1/state.pb.h"
#include "tests/catch.h"
#include "tests/server/rpc/fakes.h"

namespace tarn::server {
namespace {

TEST_CASE("a chunk is encoded as Protocol Buffers would") {
  const std::string long_value(300, 'v');
  const std::vector<storage::EntryView> entries = {
      {.ns = 1, .revision = 1, .key = "a", .value = ""},
      {.ns = 1,
       .revision = std::numeric_limits<uint64_t>::max(),
       .deadline = std::numeric_limits<int64_t>::max(),
       .key = absl::string_view("b\0c", 3),
       .value = long_value}};
  const EncodedMessage encoded =
      EncodeScanResponse({.entries = entries, .revision = 1 << 20, .resume_token = "token"});

  tarn::v1::ScanResponse expected;
  for (const storage::EntryView& entry : entries) {
    auto* message = expected.add_entries();
    message->set_key(std::string(entry.key));
    message->set_value(std::string(entry.value));
    message->set_revision(entry.revision);
    message->set_expire_time_ms(entry.deadline);
  }
  expected.set_revision(1 << 20);
  expected.set_resume_token("token");
  CHECK(std::string(encoded.view()) == expected.SerializeAsString());
}

TEST_CASE("a chunk of nothing is an empty message") {
  CHECK(EncodeScanResponse({}).view().empty());
}

}  // namespace
}  // namespace tarn::server
