// The private HTTP port: metrics and probes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tarn::server {

struct HttpPage {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// Serves a few pages, made anew for each request, in plain text. Answers GET and HEAD only.
class HttpServer {
 public:
  // By path, exactly. Called on the server's own threads, several at a time.
  using Pages = std::map<std::string, std::function<HttpPage()>>;

  // `host` is a numeric address or "localhost"; port 0 takes any free one. Listening when it
  // returns. FAILED_PRECONDITION when it cannot listen there.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& host, int port,
                                                           Pages pages);

  // Finishes the requests under way.
  virtual ~HttpServer() = default;

  virtual int port() const = 0;
};

}  // namespace tarn::server
