// What tests of writes with request ids share: words for the answers, and what the store keeps.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "tests/storage/store_subject.h"

namespace tarn::storage {

// "The engine is away", as engines say it.
absl::Status Unavailable();

// "5 again": the value or number, and whether it is a repetition's.
std::string Say(const Answer& answer);
std::string Say(const BatchAnswer& answer);

// How many answers, and how many clients, the store keeps in the engine.
int Receipts(StoreSubject& subject);
int Clients(StoreSubject& subject);

// Time passes, and the sweeper looks after it.
void Pass(StoreSubject& subject, base::UnixMs milliseconds);

}  // namespace tarn::storage
