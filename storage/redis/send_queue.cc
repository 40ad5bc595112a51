#include "storage/redis/send_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/base/checksum.h"

namespace tarn::storage::redis {
namespace {

constexpr absl::string_view kOneMember = "*4\r\n$4\r\nZADD\r\n";
// Words of a ZADD before its members; each of these is two.
constexpr size_t kWordsBefore = 2;

// Of a ZADD of one member, from its first byte to the end of its set's name; empty when the command
// is another one.
absl::string_view StartOfAdd(absl::string_view command) {
  if (!absl::StartsWith(command, kOneMember)) return {};
  const size_t end_of_size = command.find('\r', kOneMember.size());
  size_t size = 0;
  if (end_of_size == command.npos ||
      !absl::SimpleAtoi(command.substr(kOneMember.size() + 1, end_of_size - kOneMember.size() - 1),
                        &size)) {
    return {};
  }
  return command.substr(0, end_of_size + 2 + size + 2);
}

// Whether it has nothing to do with sets.
bool IsPlain(absl::string_view command) {
  const absl::string_view word = command.substr(std::min(command.find('\n'), command.size()));
  return absl::StartsWith(word, "\n$3\r\nSET\r\n") || absl::StartsWith(word, "\n$3\r\nGET\r\n");
}

}  // namespace

SendQueue::Added SendQueue::Add(CommandKind kind, std::string command, AnswerHandler done) {
  if (Request* const first = Find(command)) {
    const absl::string_view member = absl::string_view(command).substr(StartOfAdd(command).size());
    absl::StrAppend(&first->command, member);
    first->others.push_back(std::move(done));
    bytes_ += member.size();
    return Added::kJoined;
  }
  bytes_ += command.size();
  requests_.push_back({kind, std::move(command), std::move(done), {}});
  return requests_.size() == 1 ? Added::kFirst : Added::kBehindOthers;
}

// What is not joined now may be joined by later ones.
Request* SendQueue::Find(absl::string_view command) {
  const absl::string_view start = StartOfAdd(command);
  if (start.empty()) {
    if (!IsPlain(command)) adds_.clear();
    return nullptr;
  }
  const auto [place, is_new] = adds_.try_emplace(base::Checksum64(start), requests_.size());
  if (is_new) return nullptr;
  Request& found = requests_[place->second];
  if (absl::StartsWith(found.command, start) && found.others.size() + 1 < kMaxMembers) {
    return &found;
  }
  place->second = requests_.size();
  return nullptr;
}

std::vector<Request> SendQueue::Take() {
  adds_.clear();
  bytes_ = 0;
  for (Request& request : requests_) {
    if (request.others.empty()) continue;
    const size_t words = kWordsBefore + 2 * (1 + request.others.size());
    request.command.replace(0, request.command.find('\r'), absl::StrCat("*", words));
  }
  return std::exchange(requests_, {});
}

}  // namespace tarn::storage::redis
