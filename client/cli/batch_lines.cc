#include "client/cli/batch_lines.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "client/cli/options.h"
#include "client/cli/text.h"
#include <CLI/App.hpp>

namespace tarn::cli {
namespace {

struct LineArguments {
  std::string key;
  std::string value;
  int64_t delta = 1;
  TtlOption ttl;
  ConditionOption condition;
};

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// The end of the quoted word that begins at `start`, or npos.
size_t ClosingQuote(std::string_view line, size_t start) {
  const char quote = line[start];
  for (size_t i = start + 1; i < line.size(); ++i) {
    if (line[i] == quote) return i;
    if (quote == '"' && line[i] == '\\') ++i;
  }
  return std::string_view::npos;
}

absl::StatusOr<std::string> QuotedWord(std::string_view line, size_t start, size_t end) {
  const std::string_view inside = line.substr(start + 1, end - start - 1);
  if (line[start] == '\'') return std::string(inside);
  auto word = Unescape(inside);
  if (!word.has_value()) {
    return absl::InvalidArgumentError(
        "there is an escape that is none of \\\\ \\\" \\' \\n \\t \\r \\xNN");
  }
  return *std::move(word);
}

struct Shape {
  const char* name;
  OperationKind kind;
  bool has_value;
  bool has_ttl;
  bool needs_ttl;
  Absence absence;
};

constexpr Shape kShapes[] = {
    {"get", OperationKind::kGet, false, false, false, Absence::kNotAllowed},
    {"put", OperationKind::kPut, true, true, false, Absence::kAllowed},
    {"del", OperationKind::kDelete, false, false, false, Absence::kNotAllowed},
    {"take", OperationKind::kTake, false, false, false, Absence::kNotAllowed},
    {"incr", OperationKind::kIncrement, false, true, false, Absence::kAllowed},
    {"append", OperationKind::kAppend, true, true, false, Absence::kAllowed},
    {"touch", OperationKind::kTouch, false, true, true, Absence::kNotAllowed},
};

const Shape* FindShape(const std::string& name) {
  for (const Shape& shape : kShapes) {
    if (name == shape.name) return &shape;
  }
  return nullptr;
}

void AddArguments(CLI::App& app, const Shape& shape, LineArguments& arguments) {
  app.add_option("KEY", arguments.key)->required();
  if (shape.has_value) app.add_option("VALUE", arguments.value)->required();
  if (shape.kind == OperationKind::kIncrement) app.add_option("N", arguments.delta);
  if (shape.has_ttl) AddTtl(app, arguments.ttl)->required(shape.needs_ttl);
  AddCondition(app, arguments.condition, shape.absence);
}

std::optional<std::string> Decode(const std::string& text, Encoding encoding) {
  return encoding == Encoding::kHex ? HexDecode(text) : text;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  size_t at = 0;
  while (at < line.size()) {
    if (IsBlank(line[at])) {
      ++at;
      continue;
    }
    if (line[at] == '"' || line[at] == '\'') {
      const size_t end = ClosingQuote(line, at);
      if (end == std::string_view::npos) return absl::InvalidArgumentError("a quote is not closed");
      auto word = QuotedWord(line, at, end);
      if (!word.ok()) return word.status();
      words.push_back(*std::move(word));
      at = end + 1;
      continue;
    }
    const size_t start = at;
    while (at < line.size() && !IsBlank(line[at])) ++at;
    words.emplace_back(line.substr(start, at - start));
  }
  return words;
}

absl::StatusOr<Operation> ParseOperation(const std::vector<std::string>& words, Encoding encoding) {
  const Shape* const shape = FindShape(words.at(0));
  if (shape == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", words[0], "' is none of put, get, del, take, incr, append, touch"));
  }
  CLI::App app;
  LineArguments arguments;
  AddArguments(app, *shape, arguments);
  try {
    // CLI11 takes them from the back.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend() - 1));
  } catch (const CLI::Error& error) {
    return absl::InvalidArgumentError(error.what());
  }
  auto key = Decode(arguments.key, encoding);
  auto value = Decode(arguments.value, encoding);
  if (!key.has_value() || !value.has_value()) {
    return absl::InvalidArgumentError("a key or value is not hexadecimal, which --hex asks for");
  }
  return Operation{shape->kind,     *std::move(key),     *std::move(value),
                   arguments.delta, arguments.ttl.ttl(), arguments.condition.precondition()};
}

}  // namespace tarn::cli
