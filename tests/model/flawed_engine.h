// The reference engine with one mistake, such as engines really make: shows that the model test
// finds it.
#pragma once

#include <cstdint>
#include <memory>

#include "tests/contract/engine_factory.h"

namespace tarn::testing {

enum class Flaw : uint8_t {
  kNone,
  kHalfDone,              // A failing operation of an atomic batch does not undo the others.
  kBackwards,             // The operations of an independent batch are done from last to first.
  kDeadlineOffByOne,      // Entries live a millisecond longer than they were given.
  kKeepsNoDeadline,       // Add and append set the deadline they should keep.
  kRevisionOfMissingKey,  // A revision precondition on a missing key creates the entry.
  kPreconditionOfGet,     // Gets do not look at their precondition.
  kRevisionTooLow,        // An answer names another revision than the entry has.
  kSnapshotIsNotFixed,    // A snapshot shows the state when its scan begins.
  kScanIgnoresItsTime,    // A scan judges expiry by the clock, not by the time it is given.
  kPageSkipsEntry,        // Each page after the first lacks an entry.
  kDescendingEndsEarly,   // A descending scan leaves out the start of its range.
  kPageTooLarge,          // A page may have one entry too many.
  kLedgerDrifts,          // A refused batch stays counted.
  kSweepsTheLiving,       // The sweeper judges by a clock that is ahead.
  kLoadForgetsDeadlines,  // A bulk load drops the deadlines.
  kLoadKeepsOld,          // A bulk load adds to what was there.
  kQuotaIgnored,
  kResponseLimitIgnored,
};

inline constexpr Flaw kLastFlaw = Flaw::kResponseLimitIgnored;

std::unique_ptr<EngineFactory> NewFlawedFactory(Flaw flaw);

}  // namespace tarn::testing
