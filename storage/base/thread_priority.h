// Threads whose work can wait.
#pragma once

#include <cstdint>

namespace tarn::base {

// From now on the calling thread gives way to others when there are more threads than processors;
// it has them for itself when nobody else wants them. It cannot be taken back. Does nothing where
// the operating system refuses.
void LowerThisThreadsPriority();

// Of the calling thread, since it began. Both 0 where the operating system does not tell.
struct ThreadTimes {
  int64_t ran_nanos = 0;
  int64_t waited_nanos = 0;  // While it could have run, and others had the processors.
};
ThreadTimes TimesOfThisThread();

}  // namespace tarn::base
