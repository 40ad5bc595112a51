#!/usr/bin/env python3
"""docs/generate: rows go where they belong, protos and rules become what they should."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ["TARN_SOURCE_DIR"], "docs/generate"))
import api  # noqa: E402
import rules  # noqa: E402
import tables  # noqa: E402

PROTO = """
syntax = "proto3";

// Counts.
service CountService {
  // Counts up.
  //
  // Not idempotent.
  rpc Count(CountRequest) returns (stream CountResponse) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
}

// What to count.
message CountRequest {
  // One of them.
  oneof what {
    // Sheep | goats.
    Animal animal = 1;
  }

  // How often.
  repeated int64 times = 2;

  // An animal.
  message Animal {}
}

// The answer.
message CountResponse {}

// A colour.
enum Colour {
  // None.
  COLOUR_UNSPECIFIED = 0;
}
"""


class Generate(unittest.TestCase):
    def test_a_row_that_changed_is_replaced_where_it_stands(self):
        self.assertEqual(tables.refresh("x\n| `b` | old |\n| `a` | old |\ny", {"a": "A", "b": "B"}, r"\| `(\w+)` \|"), "x\nB\nA\ny")

    def test_a_new_row_goes_behind_the_one_before_it(self):
        self.assertEqual(tables.refresh("| `a` |\n\n| `c` |", {"a": "A", "b": "B", "c": "C"}, r"\| `(\w+)` \|"), "A\nB\n\nC")

    def test_a_row_of_what_is_gone_goes(self):
        self.assertEqual(tables.refresh("| `a` |\n| `b` |", {"a": "A"}, r"\| `(\w+)` \|"), "A")

    def test_a_document_without_a_place_is_an_error(self):
        with self.assertRaises(SystemExit):
            tables.refresh("nothing", {"a": "A"}, r"\| `(\w+)` \|")

    def test_calls_messages_and_values_of_protos_are_described(self):
        document = api.document({"count.proto": PROTO})
        for part in ("### CountService.Count\n\n`CountRequest -> stream of CountResponse`\n\nCounts up.\n\nNot idempotent.",
                     "| `animal` | Animal | what | Sheep \\| goats. |", "| `times` | repeated int64 |  | How often. |",
                     "### CountRequest.Animal\n\nAn animal.", "| `COLOUR_UNSPECIFIED` | 0 | None. |"):
            self.assertIn(part, document)
        self.assertNotIn("idempotency_level", document)

    def test_rules_become_one_object(self):
        made = rules.prometheus_rule(["# A.\ngroups:\n  - name: a\n", "groups:\n  - name: b\n".join(["# B.\n", ""])])
        self.assertTrue(made.endswith("spec:\n  groups:\n    - name: a\n    - name: b\n"), made)


if __name__ == "__main__":
    unittest.main()
