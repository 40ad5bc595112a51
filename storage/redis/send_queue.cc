#include "storage/redis/send_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/base/checksum.h"

namespace tarn::storage::redis {
namespace {

// Each adds one member to the key that follows.
constexpr absl::string_view kOneScored = "*4\r\n$4\r\nZADD\r\n";
constexpr absl::string_view kOneAppended = "*3\r\n$5\r\nRPUSH\r\n";
constexpr size_t kWordsBefore = 2;  // Those before the members.

size_t WordsOfMember(absl::string_view command) {
  return absl::StartsWith(command, kOneScored) ? 2 : 1;
}

// Of a command that adds one member, from its first byte to the end of its key; empty when the
// command is another one.
absl::string_view StartOfAdd(absl::string_view command) {
  size_t begin = 0;
  if (absl::StartsWith(command, kOneScored)) begin = kOneScored.size();
  if (absl::StartsWith(command, kOneAppended)) begin = kOneAppended.size();
  const size_t end_of_size = command.find('\r', begin);
  size_t size = 0;
  if (begin == 0 || end_of_size == command.npos ||
      !absl::SimpleAtoi(command.substr(begin + 1, end_of_size - begin - 1), &size)) {
    return {};
  }
  return command.substr(0, end_of_size + 2 + size + 2);
}

// Whether it has nothing to do with sets and lists.
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
    const size_t members = 1 + request.others.size();
    const size_t words = kWordsBefore + members * WordsOfMember(request.command);
    request.command.replace(0, request.command.find('\r'), absl::StrCat("*", words));
  }
  return std::exchange(requests_, {});
}

}  // namespace tarn::storage::redis
