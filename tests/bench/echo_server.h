// The yardstick: a bare gRPC server that takes and gives the same messages as tarnd, and keeps
// nothing.
#pragma once

#include <string>

namespace tarn::bench {

// Serves on a free port of the loopback interface until stdin ends; first prints the port in a line
// of its own. Run as a process of its own, as tarnd is.
int RunEchoServer();

}  // namespace tarn::bench
