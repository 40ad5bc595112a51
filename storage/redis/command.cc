#include "storage/redis/command.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>

#include "absl/container/inlined_vector.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "hiredis/hiredis.h"
#include "hiredis/sds.h"

namespace tarn::storage::redis {

std::string FormatCommand(absl::Span<const absl::string_view> words) {
  absl::InlinedVector<const char*, 16> starts;
  absl::InlinedVector<size_t, 16> sizes;
  for (const absl::string_view word : words) {
    // hiredis copies nothing from an empty word, but takes its pointer.
    starts.push_back(word.empty() ? "" : word.data());
    sizes.push_back(word.size());
  }
  sds formatted = nullptr;
  const auto size = redisFormatSdsCommandArgv(&formatted, static_cast<int>(words.size()),
                                              starts.data(), sizes.data());
  if (size < 0) std::abort();  // Memory is exhausted: `new` does not come back from that either.
  std::string bytes(formatted, static_cast<size_t>(size));
  redisFreeSdsCommand(formatted);
  return bytes;
}

namespace {

// The line at the front of `rest` without its first character and its end, taken off.
absl::string_view TakeLine(absl::string_view& rest) {
  const size_t end = std::min(rest.find("\r\n"), rest.size());
  const absl::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 2, rest.size()));
  return line.substr(std::min<size_t>(line.size(), 1));
}

struct ManyKeyed {
  absl::string_view name;
  int words_for_one = 0;  // More words are more keys. 0: it takes any number.
};
constexpr std::array kManyKeyed = {
    ManyKeyed{"EVALSHA", 0}, ManyKeyed{"EVAL", 0},   ManyKeyed{"MGET", 2},   ManyKeyed{"MSET", 3},
    ManyKeyed{"DEL", 2},     ManyKeyed{"UNLINK", 2}, ManyKeyed{"EXISTS", 2},
};

}  // namespace

bool TouchesSeveralKeys(absl::string_view command) {
  int words = 0;
  if (!absl::SimpleAtoi(TakeLine(command), &words)) return false;
  TakeLine(command);  // The size of the first word.
  const absl::string_view name = command.substr(0, command.find("\r\n"));
  const auto* const found =
      std::find_if(kManyKeyed.begin(), kManyKeyed.end(),
                   [&](const ManyKeyed& many) { return absl::EqualsIgnoreCase(many.name, name); });
  return found != kManyKeyed.end() && (found->words_for_one == 0 || words > found->words_for_one);
}

}  // namespace tarn::storage::redis
