// Certificates for TLS tests, made anew for each.
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace tarn::testing {

// An authority, and what it signed: a server (localhost, 127.0.0.1, tarn.test) and a client
// (worker.test). PEM files.
class Certificates {
 public:
  Certificates();

  std::string ca() const { return dir_ / "ca.crt"; }
  std::string other_ca() const { return dir_ / "other.crt"; }  // Signed neither.
  std::string server_cert() const { return dir_ / "server.crt"; }
  std::string server_key() const { return dir_ / "server.key"; }
  std::string client_cert() const { return dir_ / "client.crt"; }
  std::string client_key() const { return dir_ / "client.key"; }

 private:
  TempDir dir_;
};

}  // namespace tarn::testing
