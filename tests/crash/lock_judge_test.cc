// The judge of contending workers sees what must not happen.
#include "tests/crash/lock_judge.h"

#include <sstream>

#include "tests/catch.h"

namespace tarn::testing {
namespace {

constexpr int64_t kTtlMs = 300;

LockJudge Judge(const std::string& lines) {
  LockJudge judge;
  std::istringstream in(lines);
  judge.Read(in);
  return judge;
}

TEST_CASE("of workers that took turns nothing is wrong") {
  const LockJudge judge = Judge(
      "G a 10 1000 1001\n"
      "W a 10 12\n"
      "R a 10 1100\n"
      "G b 11 1000 1002\n"
      "G a 15 1050 1101\n"
      "F a 15\n"
      "G a 20 1050 1401\n"
      "W a 20 21\n");
  CHECK(judge.granted() == 4);
  CHECK(judge.fenced() == 1);
  CHECK(judge.SharedTokens() == 0);
  CHECK(judge.StaleWrites() == 0);
  CHECK(judge.EarlyEnds(kTtlMs) == 0);
}

TEST_CASE("a token that two were told is seen, of two locks too") {
  CHECK(Judge("G a 10 0 1\nG a 10 0 1\n").SharedTokens() == 1);
  CHECK(Judge("G a 10 0 1\nG b 10 0 1\n").SharedTokens() == 1);
}

TEST_CASE("a write that landed after the next grant of its lock is seen") {
  CHECK(Judge("G a 10 0 1\nG a 15 0 1\nW a 10 16\n").StaleWrites() == 1);
  CHECK(Judge("G a 10 0 1\nG b 15 0 1\nW a 10 16\n").StaleWrites() == 0);
}

TEST_CASE("a lock that went on before its time is seen, unless the grant was voided") {
  const std::string lines = "G a 10 1000 1001\nG a 15 1100 1101\n";
  CHECK(Judge(lines).EarlyEnds(kTtlMs) == 1);
  CHECK(Judge(lines).EarlyEnds(101) == 0);
  CHECK(Judge(lines + "R a 10 1090\n").EarlyEnds(kTtlMs) == 0);
  // Given back only afterwards.
  CHECK(Judge(lines + "R a 10 1200\n").EarlyEnds(kTtlMs) == 1);
  // The second had been waiting; it began when the first was over.
  const std::string waiting = "G a 10 1000 1001\nR a 10 1200\nG a 15 1000 1201\nG a 20 1000 ";
  CHECK(Judge(waiting + "1490").EarlyEnds(kTtlMs) == 1);
  CHECK(Judge(waiting + "1500").EarlyEnds(kTtlMs) == 0);
  LockJudge voided = Judge(lines);
  voided.Excuse({.begin = 1050, .end = 1060});
  CHECK(voided.EarlyEnds(kTtlMs) == 0);
  LockJudge before = Judge(lines);
  before.Excuse({.begin = 900, .end = 999});
  CHECK(before.EarlyEnds(kTtlMs) == 1);
}

}  // namespace
}  // namespace tarn::testing
