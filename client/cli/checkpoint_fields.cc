#include "client/cli/checkpoint_fields.h"

#include <utility>

#include "client/cli/text.h"

namespace tarn::cli {
namespace {

const char* NameOf(RetentionFate fate) {
  constexpr const char* kNames[] = {"unknown", "keep", "delete"};
  return kNames[static_cast<size_t>(fate)];
}

// What goes with the next checkpoint says so to people; for programs there is the fate.
Field WhyKept(const Checkpoint& checkpoint) {
  Field why = TextField("why_kept", checkpoint.why_kept);
  if (checkpoint.fate == RetentionFate::kDelete) why.plain = "not kept: " + why.plain;
  return why;
}

// "-" where there is nothing to say.
Field OptionalText(std::string name, const std::string& text) {
  if (text.empty()) return {std::move(name), "-", ""};
  return TextField(std::move(name), text);
}

}  // namespace

const char* NameOf(CheckpointHealth health) {
  constexpr const char* kNames[] = {"unknown",     "intact",       "damaged",
                                    "other store", "newer format", "unreadable"};
  return kNames[static_cast<size_t>(health)];
}

std::vector<Field> SummaryOf(const Checkpoint& checkpoint) {
  return {TextField("id", checkpoint.id),
          TextField("create_time", FormatTime(checkpoint.create_time)),
          RevisionField(checkpoint.revision),
          NumberField("entry_count", checkpoint.entry_count),
          NumberField("file_bytes", checkpoint.file_bytes),
          TextField("health", NameOf(checkpoint.health)),
          WhyKept(checkpoint)};
}

std::vector<Field> FieldsOf(const Checkpoint& checkpoint) {
  Field pin_time{"pin_time", "-", ""};
  if (checkpoint.pin_time.has_value())
    pin_time = TextField("pin_time", FormatTime(*checkpoint.pin_time));
  return {TextField("id", checkpoint.id),
          TextField("store_id", checkpoint.store_id),
          NumberField("incarnation", checkpoint.incarnation),
          NumberField("sequence", checkpoint.sequence),
          RevisionField(checkpoint.revision),
          TextField("create_time", FormatTime(checkpoint.create_time)),
          TextField("as_of_time", FormatTime(checkpoint.as_of_time)),
          TextField("engine", checkpoint.engine),
          NumberField("entry_count", checkpoint.entry_count),
          SizeField("size_bytes", checkpoint.size_bytes),
          SizeField("file_bytes", checkpoint.file_bytes),
          TextField("codec", checkpoint.codec),
          TextField("root", checkpoint.root),
          TextField("content_digest", checkpoint.content_digest),
          TextField("health", NameOf(checkpoint.health)),
          OptionalText("problem", checkpoint.problem),
          OptionalText("pin_reason", checkpoint.pin_reason),
          std::move(pin_time),
          TextField("fate", NameOf(checkpoint.fate)),
          WhyKept(checkpoint)};
}

}  // namespace tarn::cli
