// Between the times of messages and libtarn's.
#pragma once

#include <chrono>

#include "tarn/types.h"
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

namespace tarn::internal {

inline Timestamp ToTimestamp(const google::protobuf::Timestamp& time) {
  return Timestamp(
      std::chrono::milliseconds(google::protobuf::util::TimeUtil::TimestampToMilliseconds(time)));
}

inline std::chrono::milliseconds ToMilliseconds(const google::protobuf::Duration& span) {
  return std::chrono::milliseconds(google::protobuf::util::TimeUtil::DurationToMilliseconds(span));
}

}  // namespace tarn::internal
