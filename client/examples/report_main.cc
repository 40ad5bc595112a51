// window_report: shows what window_worker has put into tarnd: the top windows, or all of them.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/examples/flags.h"
#include "client/examples/window.h"
#include "tarn/client.h"

namespace window_demo {
namespace {

constexpr char kUsage[] =
    "window_report [--show top|all] [--top N] [--divide N] [--endpoint HOST:PORT] "
    "[--namespace NAME]\n";

struct Row {
  WindowName name;
  Window window;
  tarn::Timestamp expire_time;
};

struct Settings {
  std::string show;
  size_t top = 0;
  double divide = 1;  // Values are shown divided by it.
  tarn::ClientOptions client;
};

absl::StatusOr<Settings> ParseSettings(const std::vector<std::string>& arguments) {
  absl::StatusOr<Flags> flags =
      Flags::Parse(arguments, {"show", "top", "divide", "endpoint", "namespace"});
  if (!flags.ok()) return flags.status();
  const auto top = flags->Number("top", 5, 1);
  const auto divide = flags->Number("divide", 1, 1);
  if (!top.ok()) return top.status();
  if (!divide.ok()) return divide.status();
  Settings settings{.show = flags->Text("show", "top"),
                    .top = static_cast<size_t>(*top),
                    .divide = static_cast<double>(*divide)};
  if (settings.show != "top" && settings.show != "all") {
    return absl::InvalidArgumentError("--show needs top or all");
  }
  settings.client.endpoint = flags->Text("endpoint", tarn::kDefaultEndpoint);
  settings.client.ns = flags->Text("namespace", "windows");
  return settings;
}

absl::StatusOr<std::vector<Row>> ReadClosed(const tarn::Client& client) {
  std::vector<Row> rows;
  for (absl::StatusOr<tarn::Entry>& entry : client.Scan(tarn::KeyRange::Prefix(kClosedPrefix))) {
    if (!entry.ok()) return entry.status();
    absl::StatusOr<WindowName> name = ParseClosedKey(entry->key);
    if (!name.ok()) return name.status();
    const absl::StatusOr<Window> window = DecodeWindow(entry->value);
    if (!window.ok()) return window.status();
    if (!entry->expire_time)
      return absl::DataLossError(entry->key + " is closed and never expires");
    rows.push_back({*std::move(name), *window, *entry->expire_time});
  }
  return rows;
}

// Tab-separated, for programs.
absl::Status ShowAll(const tarn::Client& client) {
  const absl::StatusOr<std::vector<Row>> rows = ReadClosed(client);
  if (!rows.ok()) return rows.status();
  for (const auto& [name, window, expire_time] : *rows) {
    std::cout << (name.kind == WindowKind::kTumbling ? "window" : "session") << '\t'
              << name.event_key << '\t' << window.start << '\t' << window.last << '\t'
              << window.count << '\t' << window.sum << '\t' << window.min << '\t' << window.max
              << '\n';
  }
  for (absl::StatusOr<tarn::Entry>& entry : client.Scan(tarn::KeyRange::Prefix(kEventsPrefix))) {
    if (!entry.ok()) return entry.status();
    std::cout << "events\t" << entry->key.substr(sizeof(kEventsPrefix) - 1) << '\t' << entry->value
              << '\n';
  }
  return absl::OkStatus();
}

std::vector<Row> Top(const std::vector<Row>& rows, WindowKind kind, size_t count,
                     const std::function<int64_t(const Window&)>& rank) {
  std::vector<Row> top;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(top),
               [&](const Row& row) { return row.name.kind == kind; });
  std::stable_sort(top.begin(), top.end(),
                   [&](const Row& a, const Row& b) { return rank(a.window) > rank(b.window); });
  top.resize(std::min(top.size(), count));
  return top;
}

void ShowTable(const char* title, const std::vector<Row>& rows, double divide) {
  absl::PrintF("\n    %s\n    %-10s %-17s %-17s %7s %9s %9s %9s\n", title, "key", "from",
               "last event", "events", "mean", "min", "max");
  for (const auto& [name, window, expire_time] : rows) {
    const double sum = static_cast<double>(window.sum) / divide;
    absl::PrintF("    %-10s %-17s %-17s %7d %9.1f %9.1f %9.1f\n", name.event_key,
                 FormatMinute(window.start), FormatMinute(window.last), window.count,
                 sum / static_cast<double>(window.count), static_cast<double>(window.min) / divide,
                 static_cast<double>(window.max) / divide);
  }
}

void ShowExpiry(const std::vector<Row>& rows) {
  const auto first = std::min_element(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return a.expire_time < b.expire_time;
  });
  if (first == rows.end()) return;
  absl::PrintF("    %d windows and sessions are closed; they expire from %s (UTC) on\n",
               rows.size(), FormatMinute(std::chrono::system_clock::to_time_t(first->expire_time)));
}

absl::Status ShowTop(const tarn::Client& client, const Settings& settings) {
  const absl::StatusOr<std::vector<Row>> rows = ReadClosed(client);
  if (!rows.ok()) return rows.status();
  ShowExpiry(*rows);
  ShowTable("Windows with the largest sum",
            Top(*rows, WindowKind::kTumbling, settings.top, [](const Window& w) { return w.sum; }),
            settings.divide);
  ShowTable("Sessions with the most events",
            Top(*rows, WindowKind::kSession, settings.top, [](const Window& w) { return w.count; }),
            settings.divide);
  return absl::OkStatus();
}

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Settings> settings = ParseSettings(arguments);
  if (!settings.ok()) {
    std::cerr << "window_report: " << settings.status().message() << "\n" << kUsage;
    return 2;
  }
  absl::StatusOr<tarn::Client> client = tarn::Client::Connect(settings->client);
  absl::Status shown = client.status();
  if (shown.ok()) shown = settings->show == "all" ? ShowAll(*client) : ShowTop(*client, *settings);
  if (shown.ok()) return 0;
  std::cerr << "window_report: " << shown.message() << "\n";
  return 1;
}

}  // namespace
}  // namespace window_demo

int main(int argc, char** argv) { return window_demo::Main({argv + 1, argv + argc}); }
