// A client whose server and time are the test's.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "client/src/channel.h"
#include "client/src/grpc_connection.h"
#include "tarn/client.h"
#include "tests/client/fake_server.h"
#include "tests/client/fake_world.h"
#include <grpcpp/create_channel.h>

namespace tarn::testing {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Fixture {
  FakeServer server;
  FakeWorld fake;
  ClientOptions options;

  // Waits 10 ms, 20 ms, ... exactly, so that a test can tell.
  Fixture() {
    options.endpoint = server.endpoint();
    options.call_timeout = std::chrono::minutes(10);
    options.retry_policy = std::make_shared<LimitedRetryPolicy>(3);
    options.backoff_policy = std::make_shared<ExponentialBackoffPolicy>(
        milliseconds(10), seconds(5), [] { return 1.0; });
  }

  Client MakeClient(std::string ns = "") {
    return Client(std::make_shared<internal::GrpcConnection>(*internal::MakeChannel(options),
                                                             options, fake.world()),
                  std::move(ns));
  }
};

}  // namespace tarn::testing
