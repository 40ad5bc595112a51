#include "storage/base/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace tarn::base {
namespace {

class KernelRandom final : public RandomSource {
 public:
  uint64_t Next() override {
    uint64_t number = 0;
    // Up to 256 bytes come whole once the kernel's pool is seeded; only the wait for that can be
    // interrupted.
    ssize_t taken = 0;
    do {
      taken = getrandom(&number, sizeof(number), 0);
    } while (taken < 0 && errno == EINTR);
    // A kernel without the call cannot run this program; a guessable identity would be worse than
    // none.
    if (taken != static_cast<ssize_t>(sizeof(number))) std::abort();
    return number;
  }
};

}  // namespace

RandomSource& SystemRandom() {
  static KernelRandom* const random = new KernelRandom;
  return *random;
}

std::string RandomHex(RandomSource& random, int bytes) {
  std::string raw;
  const auto wanted = static_cast<size_t>(bytes);
  while (raw.size() < wanted) {
    const uint64_t number = random.Next();
    raw.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }
  return absl::BytesToHexString(absl::string_view(raw.data(), wanted));
}

}  // namespace tarn::base
