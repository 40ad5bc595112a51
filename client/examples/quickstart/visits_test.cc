// Tests of visits.h against the store in memory that comes with libtarn.
#include "visits.h"

#include <cstdlib>
#include <iostream>
#include <memory>

#include "tarn/testing/fake_connection.h"
#include "tarn/testing/fake_store.h"

#define EXPECT(condition)                                                   \
  if (!(condition)) {                                                       \
    std::cerr << __FILE__ << ":" << __LINE__ << ": " << #condition << "\n"; \
    return EXIT_FAILURE;                                                    \
  }

int main() {
  auto store = std::make_shared<tarn::testing::FakeStore>();
  const tarn::Client client(std::make_shared<tarn::testing::FakeConnection>(store));

  EXPECT(CountVisit(client, "ada", "home").value() == 1);
  EXPECT(CountVisit(client, "ada", "news").value() == 2);
  EXPECT(client.Get("page/ada")->value == "news");

  // When the answer is lost, the visit was counted all the same.
  store->FailNext("Batch", absl::UnavailableError("lost"), tarn::testing::FaultTime::kAfter);
  EXPECT(tarn::IsOutcomeUnknown(CountVisit(client, "ada", "help").status()));
  EXPECT(client.Get("visits/ada")->value == "3");

  const absl::StatusOr<tarn::GetResult> seen = client.Get("page/ada");
  EXPECT(MoveFrom(client, "ada", *seen, "home").ok());
  EXPECT(tarn::ReasonOf(MoveFrom(client, "ada", *seen, "news")) == tarn::Reason::kRevisionMismatch);

  store->AdvanceTime(std::chrono::days(30));
  EXPECT(!client.Get("page/ada")->found);
  EXPECT(client.Get("visits/ada")->found);
  return EXIT_SUCCESS;
}
