#include "storage/rocksdb/answer.h"

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"

namespace tarn::storage::rocks {

absl::Status ResponseMeter::Add(size_t value_bytes) {
  if (used_ + value_bytes > limit_) {
    return base::MakeError(absl::StatusCode::kInvalidArgument, base::Reason::kResponseTooLarge,
                           absl::StrCat("the answer would have more than ", limit_, " bytes"));
  }
  used_ += value_bytes;
  return absl::OkStatus();
}

}  // namespace tarn::storage::rocks
