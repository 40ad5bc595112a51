#include "server/service/service_reporter.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/base/logging.h"

namespace tarn::server {
namespace {

std::string Value(const std::map<std::string, std::string>& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

// The watchdog may be meant for another process that inherited the variables.
bool IsWatched(const std::map<std::string, std::string>& environment) {
  const std::string whom = Value(environment, "WATCHDOG_PID");
  const bool us = whom.empty() || whom == absl::StrCat(getpid());
  return us && !Value(environment, "WATCHDOG_USEC").empty();
}

}  // namespace

std::unique_ptr<ServiceReporter> ServiceReporter::Start(
    const std::map<std::string, std::string>& environment, Look look, absl::Duration period) {
  const std::string address = Value(environment, "NOTIFY_SOCKET");
  if (address.empty()) return nullptr;
  auto socket = NotifySocket::Open(address);
  if (!socket.ok()) {
    base::LogWarning("the service manager is told nothing: ", socket.status().message());
    return nullptr;
  }
  std::unique_ptr<ServiceReporter> reporter(
      new ServiceReporter(*std::move(socket), std::move(look), period));
  reporter->watched_ = IsWatched(environment);
  reporter->thread_ = std::thread([self = reporter.get()] { self->Run(); });
  return reporter;
}

ServiceReporter::ServiceReporter(std::unique_ptr<NotifySocket> socket, Look look,
                                 absl::Duration period)
    : socket_(std::move(socket)), look_(std::move(look)), period_(period) {}

ServiceReporter::~ServiceReporter() {
  {
    const absl::MutexLock lock(&mutex_);
    ended_ = true;
    hurried_ = true;
  }
  thread_.join();
}

void ServiceReporter::Hurry() {
  const absl::MutexLock lock(&mutex_);
  hurried_ = true;
}

void ServiceReporter::Alive() {
  if (watched_) socket_->Send("WATCHDOG=1").IgnoreError();
}

void ServiceReporter::Run() {
  ServiceTalk talk;
  do {
    Report(talk);
  } while (Pause());
  Report(talk);
}

void ServiceReporter::Report(ServiceTalk& talk) {
  const ServiceReport report = look_();
  if (report.phase != ServicePhase::kReady) Alive();
  const std::string message = talk.Next(report);
  if (message.empty()) return;
  const absl::Status said = socket_->Send(message);
  if (!said.ok() && heard_) base::LogWarning(said.message());
  heard_ = said.ok();
  // A manager that is just being restarted hears all of it the next time.
  if (!heard_) talk = ServiceTalk();
}

bool ServiceReporter::Pause() {
  const absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&hurried_), period_);
  hurried_ = false;
  return !ended_;
}

}  // namespace tarn::server
