#include "server/http/http_server.h"

#include <civetweb.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "storage/base/logging.h"

namespace tarn::server {
namespace {

// Scrapes and probes are few; one of them must not wait for a slow other.
constexpr char kThreads[] = "3";
constexpr char kRequestTimeoutMs[] = "5000";  // A caller that sends nothing must not hold a thread.
constexpr char kMaxRequestBytes[] = "8192";

int LogMessage(const mg_connection* /*connection*/, const char* message) {
  base::LogWarning("http: ", message);
  return 1;  // Logged.
}

std::string ListeningPort(const std::string& host, int port) {
  return absl::StrContains(host, ":") ? absl::StrCat("[", host, "]:", port)
                                      : absl::StrCat(host, ":", port);
}

// Connects to a numeric address and hangs up.
void Knock(const std::string& host, int port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* address = nullptr;
  if (getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &address) != 0) return;
  const int descriptor = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int connected = connect(descriptor, address->ai_addr, address->ai_addrlen);
  static_cast<void>(connected);  // In progress, done or refused: all is well.
  close(descriptor);
  freeaddrinfo(address);
}

absl::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    default:
      return "Service Unavailable";
  }
}

class CivetServer final : public HttpServer {
 public:
  explicit CivetServer(Pages pages) : pages_(std::move(pages)) {}

  // civetweb looks whether it shall stop every two seconds, or when somebody knocks.
  ~CivetServer() override {
    if (context_ == nullptr) return;
    absl::Notification stopped;
    std::thread stopping([&] {
      mg_stop(context_);
      stopped.Notify();
    });
    do {
      Knock(host_, port_);
    } while (!stopped.WaitForNotificationWithTimeout(absl::Milliseconds(5)));
    stopping.join();
  }

  absl::Status Start(const std::string& host, int port) {
    host_ = host == "localhost" ? "127.0.0.1" : host;
    const std::string listening = ListeningPort(host_, port);
    const char* options[] = {"listening_ports",  listening.c_str(),    "num_threads",
                             kThreads,           "request_timeout_ms", kRequestTimeoutMs,
                             "max_request_size", kMaxRequestBytes,     nullptr};
    mg_callbacks callbacks = {};
    callbacks.log_message = LogMessage;
    mg_init_data init = {};
    init.callbacks = &callbacks;
    init.configuration_options = options;
    std::array<char, 256> text = {};
    mg_error_data error = {};
    error.text = text.data();
    error.text_buffer_size = text.size();
    context_ = mg_start2(&init, &error);
    if (context_ == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot listen on ", listening, " for HTTP: ", text.data()));
    }
    mg_server_port ports[1] = {};
    if (mg_get_server_ports(context_, 1, ports) == 1) port_ = ports[0].port;
    mg_set_request_handler(context_, "/", Handle, this);
    return absl::OkStatus();
  }

  int port() const override { return port_; }

 private:
  static int Handle(mg_connection* connection, void* self) {
    return static_cast<const CivetServer*>(self)->Answer(connection);
  }

  int Answer(mg_connection* connection) const {
    const mg_request_info& request = *mg_get_request_info(connection);
    const absl::string_view method = request.request_method;
    const HttpPage page = PageFor(method, request.local_uri);
    mg_printf(
        connection,
        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n"
        "Connection: close\r\n\r\n",
        page.status, Reason(page.status).data(), page.content_type.c_str(), page.body.size());
    if (method != "HEAD") mg_write(connection, page.body.data(), page.body.size());
    return page.status;
  }

  HttpPage PageFor(absl::string_view method, const char* path) const {
    if (method != "GET" && method != "HEAD")
      return {.status = 405, .body = "only GET and HEAD are answered here\n"};
    const auto page = pages_.find(path);
    if (page == pages_.end()) return {.status = 404, .body = "no such page; / lists them\n"};
    return page->second();
  }

  const Pages pages_;
  std::string host_;
  mg_context* context_ = nullptr;
  int port_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& host, int port,
                                                              Pages pages) {
  auto server = std::make_unique<CivetServer>(std::move(pages));
  if (absl::Status started = server->Start(host, port); !started.ok()) return started;
  return server;
}

}  // namespace tarn::server
