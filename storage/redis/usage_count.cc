#include "storage/redis/usage_count.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/base/coding.h"
#include "storage/base/status.h"
#include "storage/redis/command.h"
#include "storage/redis/command_text.h"
#include "storage/redis/record.h"
#include "storage/redis/scripts.h"

namespace tarn::storage::redis {
namespace {

// Of one index, at a time: all partitions are asked at once.
constexpr size_t kPageMembers = 256;

// A page of the members of one partition's index.
struct MembersPage {
  Partition partition = 0;
  std::string after = "-";  // Where it begins, as ZRANGEBYLEX reads it.
  std::vector<std::string> members;
};

class Counting {
 public:
  Counting(Asking& asking, const Layout& layout, Generation generation, base::UnixMs now)
      : asking_(asking), layout_(layout), generation_(generation), now_(now) {}

  absl::StatusOr<Content> Count() && {
    std::vector<MembersPage> pages(kPartitions);
    for (int i = 0; i < kPartitions; ++i) pages[i].partition = static_cast<Partition>(i);
    while (!pages.empty()) {
      TARN_RETURN_IF_ERROR(ReadMembers(pages));
      TARN_RETURN_IF_ERROR(ReadHeaders(pages));
      pages = NextOf(pages);
    }
    TARN_RETURN_IF_ERROR(ReadRemovals());
    TARN_RETURN_IF_ERROR(LookForCollected());
    return std::move(content_);
  }

 private:
  absl::Status ReadMembers(std::vector<MembersPage>& pages) {
    std::vector<Asking::Question> questions;
    questions.reserve(pages.size());
    for (const MembersPage& page : pages) {
      questions.push_back(
          {page.partition,
           FormatCommand({"ZRANGEBYLEX", layout_.Index(page.partition, generation_), page.after,
                          "+", "LIMIT", "0", absl::StrCat(kPageMembers)})});
    }
    TARN_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                          asking_.AskMany(CommandKind::kRead, std::move(questions)));
    for (size_t i = 0; i < pages.size(); ++i) {
      const ReplyView members = replies[i].view();
      for (size_t m = 0; m < members.size(); ++m) {
        pages[i].members.emplace_back(members[m].text());
      }
    }
    return absl::OkStatus();
  }

  absl::Status ReadHeaders(const std::vector<MembersPage>& pages) {
    std::vector<Asking::Question> questions;
    std::vector<const MembersPage*> asked;
    for (const MembersPage& page : pages) {
      if (page.members.empty()) continue;
      questions.push_back({page.partition, HeadersCommand(page)});
      asked.push_back(&page);
    }
    TARN_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                          asking_.AskMany(CommandKind::kRead, std::move(questions)));
    for (size_t i = 0; i < replies.size(); ++i) CountPage(*asked[i], replies[i].view());
    return absl::OkStatus();
  }

  std::string HeadersCommand(const MembersPage& page) const {
    const size_t count = page.members.size();
    CommandText text(6 + count);
    text.Add("EVALSHA").Add(ReadScript().sha1).Add(absl::StrCat(count));
    for (const std::string& member : page.members) {
      const IndexMember key = DecodeIndexMember(member).value_or(IndexMember{});
      text.Add(layout_.Entry(page.partition, {generation_, key.ns, key.key}));
    }
    text.Add("0").Add("0").Add(std::string(count, 'h'));
    return std::move(text).Take();
  }

  // For each entry its length and its header; nothing for a name without an entry.
  void CountPage(const MembersPage& page, ReplyView headers) {
    for (size_t i = 0; i < std::min(page.members.size(), headers.size()); ++i) {
      absl::string_view part = headers[i].text();
      const uint32_t length = base::ConsumeFixed32(&part).value_or(0);
      const std::optional<Record> record = DecodeRecord(part);
      const std::optional<IndexMember> key = DecodeIndexMember(page.members[i]);
      if (!record) ghosts_.insert(page.partition);
      if (!record || !key) continue;
      content_.usage[key->ns] +=
          {1, static_cast<int64_t>(key->key.size() + length - kRecordHeaderBytes)};
      content_.newest = std::max(content_.newest, record->revision);
    }
  }

  absl::Status ReadRemovals() {
    std::vector<Asking::Question> questions;
    for (int i = 0; i < kPartitions; ++i) {
      const auto partition = static_cast<Partition>(i);
      questions.push_back(
          {partition, FormatCommand({"GET", layout_.Removals(partition, generation_)})});
    }
    TARN_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                          asking_.AskMany(CommandKind::kRead, std::move(questions)));
    for (const Reply& reply : replies) {
      absl::string_view bytes = reply.view().text();
      content_.newest = std::max(content_.newest, base::ConsumeFixed64(&bytes).value_or(0));
    }
    return absl::OkStatus();
  }

  // Whether a name without an entry may be that of one whose garbage time came: there is a deadline
  // that passed long ago. It may be another entry's, which is to err on the safe side.
  absl::Status LookForCollected() {
    std::vector<Asking::Question> questions;
    for (const Partition partition : ghosts_) {
      questions.push_back(
          {partition,
           FormatCommand({"ZRANGEBYSCORE", layout_.Deadlines(partition, generation_), "-inf",
                          absl::StrCat(now_ - kGarbageDelayMs / 2), "LIMIT", "0", "1"})});
    }
    TARN_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                          asking_.AskMany(CommandKind::kRead, std::move(questions)));
    for (const Reply& reply : replies) content_.collected |= reply.view().size() > 0;
    return absl::OkStatus();
  }

  static std::vector<MembersPage> NextOf(const std::vector<MembersPage>& pages) {
    std::vector<MembersPage> next;
    for (const MembersPage& page : pages) {
      if (page.members.size() < kPageMembers) continue;
      next.push_back({page.partition, absl::StrCat("(", page.members.back()), {}});
    }
    return next;
  }

  Asking& asking_;
  const Layout& layout_;
  const Generation generation_;
  const base::UnixMs now_;
  std::set<Partition> ghosts_;  // Where names without an entry are.
  Content content_;
};

}  // namespace

absl::StatusOr<Content> CountContent(Asking& asking, const Layout& layout, Generation generation,
                                     base::UnixMs now) {
  return Counting(asking, layout, generation, now).Count();
}

}  // namespace tarn::storage::redis
