// The least HTTP client that tests need.
#pragma once

#include <string>

namespace tarn::testing {

struct HttpAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
};

// Asks for one page; `address` is HOST:PORT with a numeric host. Throws when nobody answers.
HttpAnswer HttpGet(const std::string& address, const std::string& path,
                   const std::string& method = "GET");

}  // namespace tarn::testing
