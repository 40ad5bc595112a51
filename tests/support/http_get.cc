#include "tests/support/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace tarn::testing {
namespace {

class Connection {
 public:
  explicit Connection(const std::string& address)
      : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const size_t colon = address.rfind(':');
    sockaddr_in peer = {};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1)));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &peer.sin_addr);
    if (connect(descriptor_, reinterpret_cast<sockaddr*>(&peer), sizeof(peer)) != 0) {
      throw std::runtime_error("nobody answers on " + address);
    }
  }
  ~Connection() { close(descriptor_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Send(const std::string& text) {
    if (write(descriptor_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      throw std::runtime_error("cannot send");
    }
  }

  std::string ReceiveAll() {
    std::string text;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(descriptor_, buffer, sizeof(buffer))) > 0)
      text.append(buffer, static_cast<size_t>(got));
    return text;
  }

 private:
  const int descriptor_;
};

std::string Header(const std::string& head, const std::string& name) {
  const size_t begin = head.find(name + ": ");
  if (begin == std::string::npos) return "";
  const size_t value = begin + name.size() + 2;
  return head.substr(value, head.find('\r', value) - value);
}

}  // namespace

HttpAnswer HttpGet(const std::string& address, const std::string& path, const std::string& method) {
  Connection connection(address);
  connection.Send(method + " " + path + " HTTP/1.1\r\nHost: tarn\r\nConnection: close\r\n\r\n");
  const std::string text = connection.ReceiveAll();
  const size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) throw std::runtime_error("not HTTP: " + text);
  const std::string head = text.substr(0, end);
  return {std::atoi(head.c_str() + head.find(' ')), Header(head, "Content-Type"),
          text.substr(end + 4)};
}

}  // namespace tarn::testing
