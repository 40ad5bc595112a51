#include "client/cli/batch_command.h"

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/batch_lines.h"
#include "client/cli/output.h"
#include "client/cli/progress.h"
#include "client/cli/report.h"

namespace tarn::cli {
namespace {

// How much of an independent batch is sent at a time. Small enough for every server's limits.
constexpr size_t kChunkOperations = 1000;
constexpr size_t kChunkBytes = 1 << 20;

struct BatchArguments {
  std::string file;
  bool atomic = false;
  bool independent = false;
  bool quiet = false;
};

struct NumberedOperation {
  uint64_t line;
  Operation operation;
};

struct Tally {
  uint64_t done = 0;
  uint64_t failed = 0;
  ExitCode code = ExitCode::kDone;  // Of the first failure.
};

const char* NameOf(OperationKind kind) {
  constexpr const char* kNames[] = {"get", "put", "del", "take", "incr", "append", "touch"};
  return kNames[static_cast<size_t>(kind)];
}

// Reads lines, and knows where it is.
class OperationReader {
 public:
  OperationReader(std::istream& in, Encoding encoding) : in_(in), encoding_(encoding) {}

  // Nullopt at the end.
  absl::StatusOr<std::optional<NumberedOperation>> Next() {
    std::string text;
    while (std::getline(in_, text)) {
      ++line_;
      if (text.empty() || text[0] == '#') continue;
      const auto words = SplitWords(text);
      if (!words.ok()) return At(words.status());
      if (words->empty()) continue;
      auto operation = ParseOperation(*words, encoding_);
      if (!operation.ok()) return At(operation.status());
      return NumberedOperation{line_, *std::move(operation)};
    }
    return std::nullopt;
  }

 private:
  absl::Status At(const absl::Status& status) const {
    return absl::InvalidArgumentError(absl::StrCat("line ", line_, ": ", status.message()));
  }

  std::istream& in_;
  const Encoding encoding_;
  uint64_t line_ = 0;
};

// What an operation gave, as one word of a line.
std::string Outcome(const Context& context, OperationKind kind, const OperationResult& result) {
  const bool reads = kind == OperationKind::kGet || kind == OperationKind::kTake;
  if (reads && result.found) return BytesField(context, "", result.value).plain;
  if (kind == OperationKind::kIncrement) return std::to_string(result.number);
  if (kind == OperationKind::kAppend) return std::to_string(result.size_bytes);
  if (kind == OperationKind::kDelete) return result.found ? "1" : "0";
  const bool missing = (reads || kind == OperationKind::kTouch) && !result.found;
  return missing ? "-" : std::to_string(result.revision);
}

std::vector<Field> ResultFields(const Context& context, const NumberedOperation& one,
                                const OperationResult& result) {
  std::vector<Field> fields = {NumberField("line", one.line),
                               TextField("operation", NameOf(one.operation.kind)),
                               BytesField(context, "key", one.operation.key)};
  if (!result.status.ok()) {
    const std::string reason = DetailsOf(result.status).reason_name;
    fields.push_back(TextField("result", ""));
    fields.back().json.clear();
    fields.push_back(
        TextField("error", reason.empty() ? std::string(result.status.message()) : reason));
    return fields;
  }
  const OperationKind kind = one.operation.kind;
  if (context.style != Style::kJson) {
    fields.push_back({"result", Outcome(context, kind, result), ""});
    fields.push_back({"error", "", ""});
    return fields;
  }
  fields.push_back(BoolField("found", result.found));
  const bool reads = kind == OperationKind::kGet || kind == OperationKind::kTake;
  if (reads && result.found) fields.push_back(BytesField(context, "value", result.value));
  if (kind == OperationKind::kIncrement) fields.push_back(SignedField("number", result.number));
  if (kind == OperationKind::kAppend)
    fields.push_back(NumberField("size_bytes", result.size_bytes));
  fields.push_back(RevisionField(result.revision));
  fields.push_back(ExpiryField(result.expire_time));
  return fields;
}

class BatchRunner {
 public:
  BatchRunner(Context& context, const Client& client, const BatchArguments& arguments)
      : context_(context),
        client_(client),
        arguments_(arguments),
        writer_(context, 5),
        progress_(context.env, "batch, operations") {}

  // False if it failed as a whole, which has been reported.
  bool Run(const std::vector<NumberedOperation>& operations, BatchMode mode) {
    if (operations.empty()) return true;
    Batch batch(mode);
    batch.reserve(operations.size());
    for (const NumberedOperation& one : operations) batch.Add(one.operation);
    const auto result = client_.RunBatch(std::move(batch), {.timeout = context_.timeout});
    if (!result.ok()) {
      tally_.code = ReportFailure(operations, result.status());
      return false;
    }
    for (size_t i = 0; i < operations.size(); ++i) Count(operations[i], result->results[i]);
    progress_.Show(tally_.done + tally_.failed);
    return true;
  }

  Tally Finish() {
    writer_.Finish();
    return tally_;
  }

 private:
  void Count(const NumberedOperation& one, const OperationResult& result) {
    if (result.status.ok()) {
      ++tally_.done;
    } else if (tally_.failed++ == 0) {
      tally_.code = ExitCodeOf(result.status, Effect::kWrites);
    }
    if (!arguments_.quiet || !result.status.ok()) {
      writer_.Write(ResultFields(context_, one, result));
    }
  }

  ExitCode ReportFailure(const std::vector<NumberedOperation>& operations,
                         const absl::Status& status) {
    std::string what =
        absl::StrCat("batch, lines ", operations.front().line, " to ", operations.back().line);
    const auto metadata = DetailsOf(status).metadata;
    uint64_t index = 0;
    if (const auto found = metadata.find("operation"); found != metadata.end() &&
                                                       absl::SimpleAtoi(found->second, &index) &&
                                                       index < operations.size()) {
      what = absl::StrCat("batch, line ", operations[index].line);
    }
    return Report(context_, what, status, Effect::kWrites);
  }

  Context& context_;
  const Client& client_;
  const BatchArguments& arguments_;
  RecordWriter writer_;
  Progress progress_;
  Tally tally_;
};

ExitCode BadLine(const Context& context, const absl::Status& status) {
  context.env.err << "tarnctl: batch: " << std::string(status.message()) << "\n";
  return ExitCode::kUsage;
}

// All lines are read before anything is sent.
ExitCode RunAtomic(Context& context, OperationReader& reader, BatchRunner& runner) {
  std::vector<NumberedOperation> operations;
  while (true) {
    auto next = reader.Next();
    if (!next.ok()) return BadLine(context, next.status());
    if (!next->has_value()) break;
    operations.push_back(**std::move(next));
  }
  runner.Run(operations, BatchMode::kAtomic);
  return ExitCode::kDone;
}

// Lines are sent as they come; a malformed one ends it there.
ExitCode RunIndependent(Context& context, OperationReader& reader, BatchRunner& runner) {
  std::vector<NumberedOperation> chunk;
  size_t bytes = 0;
  while (!context.env.interrupted()) {
    auto next = reader.Next();
    if (!next.ok()) {
      runner.Run(chunk, BatchMode::kIndependent);
      return BadLine(context, next.status());
    }
    if (!next->has_value()) {
      runner.Run(chunk, BatchMode::kIndependent);
      return ExitCode::kDone;
    }
    bytes += (*next)->operation.key.size() + (*next)->operation.value.size();
    chunk.push_back(**std::move(next));
    if (chunk.size() < kChunkOperations && bytes < kChunkBytes) continue;
    if (!runner.Run(chunk, BatchMode::kIndependent)) return ExitCode::kDone;
    chunk.clear();
    bytes = 0;
  }
  return ExitCode::kInterrupted;
}

ExitCode RunLines(Context& context, const BatchArguments& arguments, std::istream& in) {
  const auto client = context.Connect();
  if (!client.ok()) return Report(context, "batch", client.status(), Effect::kWrites);
  OperationReader reader(in, context.encoding);
  BatchRunner runner(context, *client, arguments);
  const ExitCode ended = arguments.atomic ? RunAtomic(context, reader, runner)
                                          : RunIndependent(context, reader, runner);
  const Tally tally = runner.Finish();
  context.env.err << "tarnctl: batch: " << tally.done << " done, " << tally.failed << " failed\n";
  return ended != ExitCode::kDone ? ended : tally.code;
}

ExitCode RunBatchCommand(Context& context, const BatchArguments& arguments) {
  if (arguments.file.empty() || arguments.file == "-") {
    return RunLines(context, arguments, context.env.in);
  }
  std::ifstream file(arguments.file, std::ios::binary);
  if (!file.good()) {
    context.env.err << "tarnctl: batch: cannot read '" << arguments.file << "'\n";
    return ExitCode::kUsage;
  }
  return RunLines(context, arguments, file);
}

}  // namespace

void AddBatchCommand(CLI::App& app, Command& chosen) {
  CLI::App* const command = app.add_subcommand(
      "batch",
      "Run operations from a file, one on a line, written as commands on a key:\n"
      "  put KEY VALUE --ttl 5s     get KEY     del KEY     incr KEY 2     ...\n"
      "Words may be quoted: \"a b\", with \\n \\t \\xNN \\\" \\\\, or 'a b'. # begins a comment.");
  const auto arguments = std::make_shared<BatchArguments>();
  command->add_option("FILE", arguments->file, "The file; - or none is standard input");
  CLI::Option* const atomic =
      command->add_flag("--atomic", arguments->atomic, "All or nothing, at one revision");
  command
      ->add_flag("--independent", arguments->independent,
                 "Each line by itself, in order, in batches as they come (the default)")
      ->excludes(atomic);
  command->add_flag("-q,--quiet", arguments->quiet, "Print only what failed");
  command->callback([&chosen, arguments] {
    chosen = [arguments](Context& context) { return RunBatchCommand(context, *arguments); };
  });
}

}  // namespace tarn::cli
