// What every store must do, seen through a Client: run against the fake and against the real
// daemon.
#pragma once

#include <functional>
#include <span>
#include <string>

#include "tarn/admin.h"
#include "tarn/client.h"

namespace tarn::testing {

// A store that no other case has used.
struct Subject {
  Client client;
  // Creates a namespace and returns a client for it.
  std::function<absl::StatusOr<Client>(const std::string& name, const NamespaceSettings& settings)>
      create_namespace;
  // Returns when a deadline a few milliseconds from now has passed.
  std::function<void()> let_entries_expire;
};

struct StoreCase {
  const char* name;
  void (*run)(Subject& subject);
};

std::span<const StoreCase> StoreCases();

// For a store where namespaces have to be created.
std::span<const StoreCase> ExplicitNamespaceCases();

}  // namespace tarn::testing
