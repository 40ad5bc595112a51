// Where to cut a namespace so that several threads can read it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "storage/batch.h"
#include "storage/redis/core.h"
#include "storage/redis/layout.h"

namespace tarn::storage::redis {

// See Snapshot::SplitKeys. Goes by samples of the indexes, taken in proportion to what each holds;
// none when they cannot be read. The loop's thread's.
void FindSplitKeys(Core& core, Generation generation, NamespaceId ns, size_t parts,
                   absl::AnyInvocable<void(std::vector<std::string>) &&> done);

}  // namespace tarn::storage::redis
