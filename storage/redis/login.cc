#include "storage/redis/login.h"

#include "absl/strings/str_cat.h"
#include "storage/base/error.h"
#include "storage/redis/command.h"

namespace tarn::storage::redis {
namespace {

using absl::StatusCode;
using base::MakeError;
using base::Reason;
using Kind = ReplyView::Kind;

absl::string_view StepName(LoginStep step) {
  switch (step) {
    case LoginStep::kAuth:
      return "AUTH";
    case LoginStep::kSetName:
      return "CLIENT SETNAME";
    case LoginStep::kClientId:
      return "CLIENT ID";
    case LoginStep::kSelect:
      return "SELECT";
    case LoginStep::kRole:
      return "ROLE";
    case LoginStep::kRunId:
      return "INFO";
    case LoginStep::kScript:
      return "SCRIPT LOAD";
    case LoginStep::kGuard:
      return "GET";
  }
  return "";
}

absl::Status Refused(LoginStep step) {
  return MakeError(StatusCode::kInternal, Reason::kEngineError,
                   absl::StrCat("Redis refuses ", StepName(step), " of the log-in"));
}

absl::Status Unfit(absl::string_view why) {
  return MakeError(StatusCode::kUnavailable, Reason::kEngineUnavailable, why);
}

absl::Status CheckError(LoginStep step, absl::string_view error) {
  const Outcome outcome = ClassifyError(error, CommandKind::kRead);
  if (outcome.code != StatusCode::kUnavailable) return Refused(step);
  return Unfit(absl::StrCat("Redis does not serve yet: ", EventName(outcome.event)));
}

absl::Status CheckRole(RequiredRole required, ReplyView reply) {
  if (reply.kind() != Kind::kArray || reply.size() == 0) return Refused(LoginStep::kRole);
  if (required == RequiredRole::kAny || reply[0].text() == "master") return absl::OkStatus();
  return Unfit("this Redis is not the primary");
}

// From INFO's lines "name:value".
std::string RunIdOf(absl::string_view info) {
  constexpr absl::string_view kName = "\nrun_id:";
  const size_t start = info.find(kName);
  if (start == info.npos) return "";
  info.remove_prefix(start + kName.size());
  return std::string(info.substr(0, info.find_first_of("\r\n")));
}

absl::Status CheckGuard(absl::string_view expected, ReplyView reply) {
  if (reply.kind() == Kind::kString && reply.text() == expected) return absl::OkStatus();
  return MakeError(StatusCode::kUnavailable, Reason::kNotOwner,
                   reply.kind() == Kind::kNil ? "this Redis names no owner of the store"
                                              : "this Redis names another owner of the store");
}

}  // namespace

std::vector<LoginCommand> LoginCommands(const ConnectionOptions& options) {
  std::vector<LoginCommand> commands;
  if (!options.user.empty()) {
    commands.push_back({LoginStep::kAuth, FormatCommand({"AUTH", options.user, options.password})});
  } else if (!options.password.empty()) {
    commands.push_back({LoginStep::kAuth, FormatCommand({"AUTH", options.password})});
  }
  if (!options.client_name.empty()) {
    commands.push_back(
        {LoginStep::kSetName, FormatCommand({"CLIENT", "SETNAME", options.client_name})});
  }
  commands.push_back({LoginStep::kClientId, FormatCommand({"CLIENT", "ID"})});
  if (options.database != 0) {
    commands.push_back(
        {LoginStep::kSelect, FormatCommand({"SELECT", absl::StrCat(options.database)})});
  }
  commands.push_back({LoginStep::kRole, FormatCommand({"ROLE"})});
  commands.push_back({LoginStep::kRunId, FormatCommand({"INFO", "server"})});
  for (const std::string& script : options.scripts) {
    commands.push_back({LoginStep::kScript, FormatCommand({"SCRIPT", "LOAD", script})});
  }
  if (!options.guard_key.empty()) {
    commands.push_back({LoginStep::kGuard, FormatCommand({"GET", options.guard_key})});
  }
  return commands;
}

absl::Status CheckLogin(LoginStep step, const ConnectionOptions& options, ReplyView reply,
                        Connection::Peer& peer) {
  if (reply.kind() == Kind::kError) return CheckError(step, reply.text());
  switch (step) {
    case LoginStep::kAuth:
    case LoginStep::kSetName:
    case LoginStep::kSelect:
      return reply.text() == "OK" ? absl::OkStatus() : Refused(step);
    case LoginStep::kClientId:
      if (reply.kind() != Kind::kInteger) return Refused(step);
      peer.client_id = reply.integer();
      return absl::OkStatus();
    case LoginStep::kRole:
      return CheckRole(options.role, reply);
    case LoginStep::kRunId:
      peer.run_id = RunIdOf(reply.text());
      return peer.run_id.empty() ? Refused(step) : absl::OkStatus();
    case LoginStep::kScript:
      return reply.kind() == Kind::kString ? absl::OkStatus() : Refused(step);
    case LoginStep::kGuard:
      return CheckGuard(options.guard_value, reply);
  }
  return Refused(step);
}

}  // namespace tarn::storage::redis
