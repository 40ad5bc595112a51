#include "storage/redis/overlay.h"

#include <utility>

namespace tarn::storage::redis {

size_t Overlay::Cost(absl::string_view member, const Image& image) {
  return kImageBytes + member.size() + (image ? image->size() : 0);
}

void Overlay::Keep(absl::string_view member, std::optional<absl::string_view> record) {
  const auto [place, added] = images_.try_emplace(std::string(member));
  if (!added) return;
  if (record) place->second.emplace(*record);
  bytes_ += Cost(member, place->second);
}

void Overlay::Drop(const MemberRange& range) {
  const auto from = images_.lower_bound(range.lower);
  auto to = from;
  for (; to != images_.end() && to->first < range.upper; ++to)
    bytes_ -= Cost(to->first, to->second);
  images_.erase(from, to);
}

void Overlay::TakeOver(Overlay& newer) {
  for (auto& [member, image] : newer.images_) {
    const size_t cost = Cost(member, image);
    if (images_.try_emplace(member, std::move(image)).second) bytes_ += cost;
  }
  newer.images_.clear();
  newer.bytes_ = 0;
}

void Overlay::CopyTo(Images& images, const MemberRange& range) const {
  for (auto it = images_.lower_bound(range.lower); it != images_.end() && it->first < range.upper;
       ++it) {
    images.insert_or_assign(it->first, it->second);
  }
}

}  // namespace tarn::storage::redis
