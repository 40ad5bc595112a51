// A first program with Tarn. Needs a tarnd: quickstart [HOST:PORT]
#include <iostream>
#include <string>

#include "tarn/client.h"
#include "visits.h"

absl::Status Run(const tarn::Client& client) {
  for (const std::string visitor : {"ada", "grace", "ada"}) {
    const absl::StatusOr<int64_t> visits = CountVisit(client, visitor, "home");
    if (!visits.ok()) return visits.status();
    std::cout << visitor << ": visit " << *visits << "\n";
  }

  // Compare and swap: the second one comes too late.
  const absl::StatusOr<tarn::GetResult> seen = client.Get("page/ada");
  if (!seen.ok()) return seen.status();
  const absl::Status moved = MoveFrom(client, "ada", *seen, "news");
  if (!moved.ok()) return moved;
  const absl::Status late = MoveFrom(client, "ada", *seen, "help");
  std::cout << "too late: " << tarn::ReasonName(tarn::ReasonOf(late)) << "\n";

  for (absl::StatusOr<tarn::Entry>& entry : client.Scan(tarn::KeyRange::Prefix("page/"))) {
    if (!entry.ok()) return entry.status();
    std::cout << entry->key << " = " << entry->value << "\n";
  }
  return absl::OkStatus();
}

int main(int argc, char** argv) {
  tarn::ClientOptions options;
  if (argc > 1) options.endpoint = argv[1];
  const absl::StatusOr<tarn::Client> client = tarn::Client::Connect(options);
  const absl::Status status = client.ok() ? Run(*client) : client.status();
  if (!status.ok()) {
    std::cerr << "quickstart: " << status.message() << " ("
              << tarn::ReasonName(tarn::ReasonOf(status)) << ")\n";
  }
  return status.ok() ? 0 : 1;
}
