#include "storage/redis/command.h"

#include <cstddef>
#include <cstdlib>

#include "absl/container/inlined_vector.h"
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

}  // namespace tarn::storage::redis
