// Sockets of the loopback interface, for proxies.
#pragma once

#include <cstdint>

namespace tarn::testing {

// On a free port; throws when there is none.
int ListenOnLoopback();
uint16_t PortOfListener(int listener);

// Sends small pieces at once. -1 when nobody listens.
int ConnectToLoopback(uint16_t port);
// The next connection; -1 when there is none.
int AcceptOnLoopback(int listener);

// Ends it with a reset, what is not sent yet is thrown away.
void ResetSocket(int socket);

}  // namespace tarn::testing
