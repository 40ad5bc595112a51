// Reads what is stored under many keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "storage/redis/core.h"
#include "storage/redis/index_scan.h"
#include "storage/redis/reply.h"

namespace tarn::storage::redis {

// What was read, in the order of the places, as far as that came. Views what it holds.
struct Records {
  std::vector<std::optional<absl::string_view>> records;  // Nothing: there is no such key.
  std::vector<Reply> replies;
};

// Several keys a command, several commands under way, as many as the size of what came before
// allows. The loop's thread's; one call at a time.
class RecordReader : public std::enable_shared_from_this<RecordReader> {
 public:
  enum class Content : uint8_t {
    kWhole,
    kHeader,  // Without the value, where that spares something.
  };

  RecordReader(Core& core, Generation generation, Content content);

  // Stops early, at least one place being read, when what was read has become large.
  using Done = absl::AnyInvocable<void(const absl::Status&, Records) &&>;
  void Read(std::shared_ptr<const std::vector<Place>> places, Done done);

 private:
  // What one command asks for: places that follow each other, but in a cluster, where they are of
  // one partition.
  struct Group {
    std::vector<uint32_t> indexes;
    // Everything before this place is asked for before this group.
    size_t all_before = 0;
  };
  struct Call;

  std::vector<Group> Divide(const std::vector<Place>& places) const;
  void DivideBlock(const std::vector<Place>& places, size_t from, size_t to,
                   std::vector<Group>& groups) const;
  void SendMore(const std::shared_ptr<Call>& call);
  static bool StopsAt(const Call& call);
  std::string Command(const std::vector<Place>& places, const Group& group) const;
  absl::Status Take(Call& call, const Group& group, Reply reply);
  void NoteSize(size_t bytes);
  size_t KeysAtOnce() const;
  bool HeadersAlone() const;

  Core& core_;
  const Generation generation_;
  const Content content_;
  const size_t max_keys_;        // Of a command, so that its reply is not too large in any case.
  uint64_t usual_bytes_ = 4096;  // Of a record: the larger ones of late.
};

}  // namespace tarn::storage::redis
