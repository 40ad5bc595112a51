// Records as lines, tables or JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/context.h"
#include "tarn/types.h"

namespace tarn::cli {

// One named value, in the three ways it can be printed.
struct Field {
  std::string name;   // Lower case with underscores, as in JSON.
  std::string plain;  // In tables, and in simple lines.
  std::string json;   // Ready to print. Empty: the field does not apply.
};

Field TextField(std::string name, std::string_view text);
// Bytes of the user's: escaped, or as hexadecimal. In JSON "NAME", or "NAME_base64" if they are not
// UTF-8, or "NAME_hex".
Field BytesField(const Context& context, std::string name, std::string_view bytes);
Field NumberField(std::string name, uint64_t number);
// With its unit for people, in bytes for JSON.
Field SizeField(std::string name, uint64_t bytes);
Field SignedField(std::string name, int64_t number);
Field BoolField(std::string name, bool value);
// A revision does not fit into the numbers of most JSON readers: a string there, as protobuf has
// it.
Field RevisionField(Revision revision);
// "-" if there is none; then JSON leaves it out.
Field ExpiryField(const std::optional<Timestamp>& time);

// Prints records that have the same fields. Call Finish at the end.
class RecordWriter {
 public:
  // In simple style a line has the fields up to this many, separated by tabs.
  RecordWriter(const Context& context, size_t simple_fields)
      : context_(context), simple_fields_(simple_fields) {}

  void Write(std::vector<Field> record);
  void Finish();

 private:
  void PrintRow(const std::vector<std::string>& cells);

  const Context& context_;
  const size_t simple_fields_;
  std::vector<std::vector<std::string>> rows_;  // Of a table, until its widths are known.
  std::vector<size_t> widths_;
};

// One record as "name: value" lines (simple and table alike) or one JSON object.
void PrintDetails(const Context& context, const std::vector<Field>& fields);

std::string ToJson(const std::vector<Field>& fields);

}  // namespace tarn::cli
