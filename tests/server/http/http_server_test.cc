#include "server/http/http_server.h"

#include <atomic>
#include <string>

#include "tests/catch.h"
#include "tests/support/http_get.h"
#include "tests/support/status.h"

namespace tarn::server {
namespace {

using testing::HttpGet;

std::string AddressOf(const HttpServer& server) {
  return "127.0.0.1:" + std::to_string(server.port());
}

TEST_CASE("a page is made anew for each request") {
  std::atomic<int> count{0};
  const auto server = testing::Value(HttpServer::Start(
      "127.0.0.1", 0,
      {{"/page", [&] { return HttpPage{.status = 503, .body = std::to_string(++count)}; }}}));
  CHECK(HttpGet(AddressOf(*server), "/page").body == "1");
  const testing::HttpAnswer answer = HttpGet(AddressOf(*server), "/page");
  CHECK(answer.body == "2");
  CHECK(answer.status == 503);
  CHECK(answer.content_type == "text/plain; charset=utf-8");
}

TEST_CASE("only GET and HEAD are answered, and only for pages that are there") {
  const auto server = testing::Value(
      HttpServer::Start("localhost", 0, {{"/page", [] { return HttpPage{.body = "text"}; }}}));
  CHECK(HttpGet(AddressOf(*server), "/page", "HEAD").body.empty());
  CHECK(HttpGet(AddressOf(*server), "/page", "HEAD").status == 200);
  CHECK(HttpGet(AddressOf(*server), "/page", "DELETE").status == 405);
  CHECK(HttpGet(AddressOf(*server), "/page/below").status == 404);
  CHECK(HttpGet(AddressOf(*server), "/").status == 404);
  CHECK(HttpGet(AddressOf(*server), "/page?query=1").status == 200);
}

TEST_CASE("a taken port is an error that names the address") {
  const auto first = testing::Value(HttpServer::Start("127.0.0.1", 0, {}));
  const auto second = HttpServer::Start("127.0.0.1", first->port(), {});
  CHECK(testing::Brief(second) == "FAILED_PRECONDITION");
  CHECK(second.status().message().find(AddressOf(*first)) != absl::string_view::npos);
}

}  // namespace
}  // namespace tarn::server
