#include "client/cli/output.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/cli/text.h"

namespace tarn::cli {
namespace {

// After this many rows the widths of a table stay what they are: a scan may never end.
constexpr size_t kRowsToMeasure = 1000;

std::string Header(const std::string& name) {
  std::string header;
  for (const char c : name) {
    header += c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return header;
}

}  // namespace

Field TextField(std::string name, std::string_view text) {
  return {std::move(name), std::string(text), JsonString(text)};
}

Field BytesField(const Context& context, std::string name, std::string_view bytes) {
  if (context.encoding == Encoding::kHex) {
    const std::string hex = HexEncode(bytes);
    return {context.style == Style::kJson ? name + "_hex" : name, hex, JsonString(hex)};
  }
  if (context.style != Style::kJson) return {std::move(name), Escape(bytes), ""};
  if (IsUtf8(bytes)) return {std::move(name), "", JsonString(bytes)};
  return {name + "_base64", "", JsonString(absl::Base64Escape({bytes.data(), bytes.size()}))};
}

Field NumberField(std::string name, uint64_t number) {
  return {std::move(name), std::to_string(number), std::to_string(number)};
}

Field SizeField(std::string name, uint64_t bytes) {
  Field field = NumberField(std::move(name), bytes);
  field.plain = FormatBytes(bytes);
  return field;
}

Field SignedField(std::string name, int64_t number) {
  return {std::move(name), std::to_string(number), std::to_string(number)};
}

Field BoolField(std::string name, bool value) {
  return {std::move(name), value ? "yes" : "no", value ? "true" : "false"};
}

Field RevisionField(Revision revision) {
  return {"revision", std::to_string(revision), absl::StrCat("\"", revision, "\"")};
}

Field ExpiryField(const std::optional<Timestamp>& time) {
  if (!time.has_value()) return {"expire_time", "-", ""};
  return {"expire_time", FormatTime(*time), JsonString(FormatTime(*time))};
}

std::string ToJson(const std::vector<Field>& fields) {
  std::string json = "{";
  for (const Field& field : fields) {
    if (field.json.empty()) continue;
    if (json.size() > 1) json += ",";
    json += JsonString(field.name) + ":" + field.json;
  }
  return json + "}";
}

void RecordWriter::Write(std::vector<Field> record) {
  std::ostream& out = context_.env.out;
  if (context_.style == Style::kJson) {
    out << ToJson(record) << "\n";
    return;
  }
  if (context_.style == Style::kSimple) {
    for (size_t i = 0; i < std::min(simple_fields_, record.size()); ++i) {
      out << (i == 0 ? "" : "\t") << record[i].plain;
    }
    out << "\n";
    return;
  }
  std::vector<std::string> header;
  std::vector<std::string> row;
  for (Field& field : record) {
    header.push_back(Header(field.name));
    row.push_back(std::move(field.plain));
  }
  if (rows_.empty() && widths_.empty()) rows_.push_back(std::move(header));
  if (!widths_.empty()) return PrintRow(row);
  rows_.push_back(std::move(row));
  if (rows_.size() > kRowsToMeasure) Finish();
}

void RecordWriter::Finish() {
  if (rows_.empty()) return;
  widths_.assign(rows_[0].size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], row[i].size());
  }
  for (const auto& row : rows_) PrintRow(row);
  rows_.clear();
}

void RecordWriter::PrintRow(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    line += cells[i];
    if (i + 1 == cells.size()) break;
    line.append(cells[i].size() < widths_[i] ? widths_[i] - cells[i].size() : 0, ' ');
    line += "  ";
  }
  context_.env.out << line << "\n";
}

void PrintDetails(const Context& context, const std::vector<Field>& fields) {
  if (context.style == Style::kJson) {
    context.env.out << ToJson(fields) << "\n";
    return;
  }
  size_t width = 0;
  for (const Field& field : fields) width = std::max(width, field.name.size());
  for (const Field& field : fields) {
    const std::string padding(width - field.name.size() + 1, ' ');
    context.env.out << field.name << ":" << padding << field.plain << "\n";
  }
}

}  // namespace tarn::cli
