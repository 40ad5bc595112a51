// Which kinds of reply a command can have. Another one answers something else, or comes from a
// server that is none: like a reply that cannot be read, it ends the connection.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "absl/strings/string_view.h"
#include "storage/redis/reply.h"

namespace tarn::storage::redis {

class ReplyKinds {
 public:
  constexpr ReplyKinds() = default;  // None.
  constexpr ReplyKinds(std::initializer_list<ReplyView::Kind> kinds) {
    for (const ReplyView::Kind kind : kinds) bits_ |= Bit(kind);
  }

  constexpr bool Has(ReplyView::Kind kind) const { return (bits_ & Bit(kind)) != 0; }

 private:
  static constexpr uint8_t Bit(ReplyView::Kind kind) {
    return static_cast<uint8_t>(1U << static_cast<uint8_t>(kind));
  }

  uint8_t bits_ = 0;
};

// Of a formatted command, errors left out. All of them for one that is not known here.
ReplyKinds KindsOfReply(absl::string_view command);

}  // namespace tarn::storage::redis
