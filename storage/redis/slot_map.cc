#include "storage/redis/slot_map.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "storage/base/error.h"
#include "storage/base/status.h"

namespace tarn::storage::redis {
namespace {

using Kind = ReplyView::Kind;

constexpr size_t kMaxReplicas = 64;  // Of one primary.
// In an element: the first slot, the last one, the primary, then its replicas.
constexpr size_t kPrimaryAt = 2;

absl::Status Wrong(absl::string_view what) {
  return base::MakeError(absl::StatusCode::kInternal, base::Reason::kEngineError,
                         absl::StrCat("CLUSTER SLOTS: ", what));
}

// The address that a node shows besides its name, since 7.0: [..., id, ["ip", address, ...]].
std::optional<std::string> AddressBeside(ReplyView node) {
  if (node.size() < 4) return std::nullopt;
  const ReplyView details = node[3];
  for (size_t i = 0; i + 1 < details.size(); i += 2) {
    if (details[i].text() == "ip" && IsHost(details[i + 1].text())) {
      return std::string(details[i + 1].text());
    }
  }
  return std::nullopt;
}

absl::StatusOr<std::string> HostOf(ReplyView node, const Endpoint& asked) {
  if (node[0].kind() != Kind::kString && node[0].kind() != Kind::kNil) {
    return Wrong("a node without a host");
  }
  const absl::string_view host = node[0].text();
  if (host.empty()) return asked.host;
  if (IsHost(host)) return std::string(host);
  // A node that is to be known by its name and was given none.
  std::optional<std::string> address = host == "?" ? AddressBeside(node) : std::nullopt;
  if (address) return *std::move(address);
  return Wrong("a host that is none");
}

absl::StatusOr<Endpoint> ParseNode(ReplyView node, const Endpoint& asked) {
  if (node.size() < 2 || node[1].kind() != Kind::kInteger) return Wrong("a node without a port");
  const int64_t port = node[1].integer();
  if (port <= 0 || port > UINT16_MAX) return Wrong("a port that is none");
  TARN_ASSIGN_OR_RETURN(std::string host, HostOf(node, asked));
  return Endpoint{std::move(host), static_cast<uint16_t>(port)};
}

bool IsSlot(ReplyView reply) {
  return reply.kind() == Kind::kInteger && reply.integer() >= 0 && reply.integer() < kSlots;
}

}  // namespace

class SlotsParser {
 public:
  explicit SlotsParser(const Endpoint& asked) : asked_(asked) {}

  absl::Status Add(ReplyView range) {
    if (range.size() <= kPrimaryAt || !IsSlot(range[0]) || !IsSlot(range[1])) {
      return Wrong("a range that is none");
    }
    TARN_ASSIGN_OR_RETURN(const Endpoint primary, ParseNode(range[kPrimaryAt], asked_));
    TARN_ASSIGN_OR_RETURN(const uint16_t place, map_.Place(primary));
    TARN_RETURN_IF_ERROR(Own(range[0].integer(), range[1].integer(), place));
    return SetReplicas(range, map_.nodes_[place]);
  }

  SlotMap Take() && { return std::move(map_); }

 private:
  absl::Status Own(int64_t first, int64_t last, uint16_t place) {
    if (first > last) return Wrong("a range that ends before it begins");
    for (int64_t slot = first; slot <= last; ++slot) {
      if (map_.owners_[slot] != SlotMap::kNobody) return Wrong("a slot with two primaries");
      map_.owners_[slot] = place;
    }
    return absl::OkStatus();
  }

  absl::Status SetReplicas(ReplyView range, SlotMap::Node& node) {
    const size_t count = range.size() - kPrimaryAt - 1;
    if (count > kMaxReplicas) return Wrong("too many replicas");
    node.replicas.clear();
    for (size_t i = 0; i < count; ++i) {
      TARN_ASSIGN_OR_RETURN(Endpoint replica, ParseNode(range[kPrimaryAt + 1 + i], asked_));
      node.replicas.push_back(std::move(replica));
    }
    return absl::OkStatus();
  }

  const Endpoint& asked_;
  SlotMap map_;
};

int SlotMap::slots_served() const {
  return static_cast<int>(kSlots - std::count(owners_.begin(), owners_.end(), kNobody));
}

absl::StatusOr<uint16_t> SlotMap::Place(const Endpoint& primary) {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                  [&](const Node& node) { return node.primary == primary; });
  if (found != nodes_.end()) return static_cast<uint16_t>(found - nodes_.begin());
  if (nodes_.size() == kMaxClusterNodes) {
    return base::MakeError(absl::StatusCode::kInternal, base::Reason::kEngineError,
                           absl::StrCat("a cluster of more than ", kMaxClusterNodes, " primaries"));
  }
  nodes_.push_back({primary, {}});
  return static_cast<uint16_t>(nodes_.size() - 1);
}

std::vector<SlotRange> SlotMap::SlotsOf(const Endpoint& primary) const {
  std::vector<SlotRange> ranges;
  for (int i = 0; i < kSlots; ++i) {
    const auto slot = static_cast<uint16_t>(i);
    if (owners_[slot] == kNobody || !(nodes_[owners_[slot]].primary == primary)) continue;
    if (!ranges.empty() && ranges.back().last + 1 == i) {
      ranges.back().last = slot;
    } else {
      ranges.push_back({slot, slot});
    }
  }
  return ranges;
}

absl::Status SlotMap::Assign(uint16_t slot, const Endpoint& primary) {
  TARN_ASSIGN_OR_RETURN(owners_[slot], Place(primary));
  return absl::OkStatus();
}

absl::StatusOr<SlotMap> ParseClusterSlots(ReplyView reply, const Endpoint& asked) {
  if (reply.kind() != Kind::kArray || reply.size() > kSlots) return Wrong("no list of ranges");
  SlotsParser parser(asked);
  for (size_t i = 0; i < reply.size(); ++i) TARN_RETURN_IF_ERROR(parser.Add(reply[i]));
  return std::move(parser).Take();
}

}  // namespace tarn::storage::redis
