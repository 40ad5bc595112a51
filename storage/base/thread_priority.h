// Threads whose work can wait.
#pragma once

namespace tarn::base {

// From now on the calling thread gives way to others when there are more threads than processors;
// it has them for itself when nobody else wants them. It cannot be taken back. Does nothing where
// the operating system refuses.
void LowerThisThreadsPriority();

}  // namespace tarn::base
