#include "tests/client/certificates.h"

#include <cstdlib>
#include <stdexcept>

namespace tarn::testing {
namespace {

// openssl's own command is the shortest way to a certificate.
void Run(const std::string& dir, const std::string& arguments) {
  const std::string command = "cd '" + dir + "' && openssl " + arguments + " >log 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

void MakeAuthority(const std::string& dir, const std::string& name) {
  Run(dir, "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=" +
               name + " -keyout " + name + ".key -out " + name + ".crt");
}

void MakeSigned(const std::string& dir, const std::string& name, const std::string& subject,
                const std::string& alternatives) {
  Run(dir,
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -CA ca.crt "
      "-CAkey ca.key -subj /CN=" +
          subject + " -addext subjectAltName=" + alternatives +
          " -addext basicConstraints=critical,CA:FALSE -keyout " + name + ".key -out " + name +
          ".crt");
}

}  // namespace

Certificates::Certificates() {
  MakeAuthority(dir_.path(), "ca");
  MakeAuthority(dir_.path(), "other");
  MakeSigned(dir_.path(), "server", "tarn.test", "DNS:tarn.test,DNS:localhost,IP:127.0.0.1");
  MakeSigned(dir_.path(), "client", "worker.test", "DNS:worker.test");
}

}  // namespace tarn::testing
