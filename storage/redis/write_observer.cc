#include "storage/redis/write_observer.h"

#include <algorithm>
#include <utility>

namespace tarn::storage::redis {

Revision WritesUnderWay::Begin() {
  const Revision revision = revisions_.Next();
  writes_.push_back({revision});
  return revision;
}

void WritesUnderWay::End(Revision revision) {
  const auto write =
      std::lower_bound(writes_.begin(), writes_.end(), revision,
                       [](const Write& one, Revision wanted) { return one.revision < wanted; });
  write->ended = true;
  while (!writes_.empty() && writes_.front().ended) writes_.pop_front();
  while (!waiting_.empty() && waiting_.begin()->first < oldest()) {
    auto then = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    std::move(then)();
  }
}

Revision WritesUnderWay::oldest() const {
  return writes_.empty() ? last() + 1 : writes_.front().revision;
}

void WritesUnderWay::WhenAnswered(Revision up_to, absl::AnyInvocable<void() &&> then) {
  if (up_to < oldest()) return std::move(then)();
  waiting_.emplace(up_to, std::move(then));
}

}  // namespace tarn::storage::redis
