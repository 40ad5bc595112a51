#include "tests/bench/redis_yardstick.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "storage/base/checksum.h"
#include "storage/redis/layout.h"
#include "storage/redis/partition.h"
#include "storage/redis/record.h"
#include "tests/bench/measure.h"

namespace tarn::bench {
namespace {

namespace redis = storage::redis;
using Clock = std::chrono::steady_clock;

constexpr storage::NamespaceId kNamespace = 1;

std::string HostIn(const std::string& endpoint) { return endpoint.substr(0, endpoint.find(':')); }
std::string PortIn(const std::string& endpoint) { return endpoint.substr(endpoint.find(':') + 1); }

// As redis-benchmark names them: 16 bytes.
std::string BenchmarkKey(size_t i) { return absl::StrFormat("key:%012d", i); }

// What a program writes to stdout.
std::string OutputOf(const std::string& command) {
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) Fail("cannot run " + command);
  std::string output;
  std::array<char, 4096> buffer;
  for (size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    output.append(buffer.data(), n);
  }
  if (pclose(pipe) != 0) Fail(command + " failed");
  return output;
}

// Its figure of requests a second, in the line `"GET","123456.78",...`.
double RateIn(const std::string& csv) {
  for (const absl::string_view line : absl::StrSplit(csv, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, '"');
    double rate = 0;
    if (fields.size() > 3 && fields[1] == "GET" && absl::SimpleAtod(fields[3], &rate)) return rate;
  }
  Fail("redis-benchmark did not tell its rate");
}

}  // namespace

BareClient::BareClient(const std::string& endpoint)
    : context_(redisConnect(HostIn(endpoint).c_str(), std::stoi(PortIn(endpoint)))) {
  if (context_ == nullptr || context_->err != 0) Fail("cannot connect to " + endpoint);
}

void BareClient::Append(Words words) {
  std::array<const char*, 8> arguments;
  std::array<size_t, 8> sizes;
  size_t count = 0;
  for (const absl::string_view word : words) {
    arguments[count] = word.data();
    sizes[count++] = word.size();
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(count), arguments.data(),
                             sizes.data()) != REDIS_OK) {
    Fail("hiredis cannot take a command");
  }
  ++appended_;
}

size_t BareClient::Take() {
  size_t nils = 0;
  for (; appended_ > 0; --appended_) {
    void* answer = nullptr;
    if (redisGetReply(context_.get(), &answer) != REDIS_OK) Fail("Redis did not answer");
    auto* const reply = static_cast<redisReply*>(answer);
    if (reply->type == REDIS_REPLY_ERROR) Fail(reply->str);
    nils += reply->type == REDIS_REPLY_NIL ? 1 : 0;
    freeReplyObject(reply);
  }
  return nils;
}

void BareClient::Fill(const DataSet& data, size_t depth) {
  for (size_t i = 0; i < data.size(); ++i) {
    Append({"SET", data.key(i), data.value(i)});
    Append({"SET", BenchmarkKey(i), data.value(i)});
    if (appended_ >= depth) Take();
  }
  Take();
}

template <typename AppendOne>
double BareClient::Run(size_t depth, double seconds, AppendOne append) {
  size_t done = 0;
  const Clock::time_point begin = Clock::now();
  double took = 0;
  while (took < seconds) {
    for (size_t i = 0; i < depth; ++i) append(next_key_++);
    if (Take() > 0) Fail("a key of the data set is missing");
    done += depth;
    took = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  return static_cast<double>(done) / took;
}

double BareClient::Gets(const DataSet& data, size_t depth, double seconds) {
  return Run(depth, seconds, [&](size_t i) { Append({"GET", data.shuffled_key(i)}); });
}

double BareClient::Sets(const DataSet& data, size_t depth, double seconds) {
  return Run(depth, seconds, [&](size_t i) {
    Append({"SET", data.shuffled_key(i), data.value(i)});
  });
}

void BareClient::PutRecords(const DataSet& data, size_t from, size_t to, size_t depth) {
  const redis::Layout layout = *redis::Layout::Create(redis::kDefaultKeyPrefix);
  for (size_t i = from; i < to; ++i) {
    const auto partition = static_cast<redis::Partition>(base::Checksum64(data.key(i), kNamespace) %
                                                         redis::kPartitions);
    const std::string name = layout.Entry(partition, {1, kNamespace, data.key(i)});
    Append({"SET", name, redis::EncodeRecord({i + 1, base::kNever, data.value(i)}), "GET"});
    if (appended_ >= depth) Take();
  }
  Take();
}

double BareClient::UsedMemoryBytes() {
  auto* const reply = static_cast<redisReply*>(redisCommand(context_.get(), "INFO memory"));
  if (reply == nullptr) Fail("Redis did not answer");
  const std::string info(reply->str, reply->len);
  freeReplyObject(reply);
  constexpr absl::string_view kName = "used_memory:";
  const size_t at = info.find(kName.data(), 0, kName.size());
  if (at == std::string::npos) Fail("Redis did not tell its memory");
  return std::atof(info.c_str() + at + kName.size());
}

double RedisBenchmarkGets(const std::string& endpoint, size_t entries, size_t requests) {
  return RateIn(OutputOf(absl::StrCat("redis-benchmark -h ", HostIn(endpoint), " -p ",
                                      PortIn(endpoint), " -t get -c 50 -P 1 -d ", kValueBytes,
                                      " -r ", entries, " -n ", requests, " --csv 2>/dev/null")));
}

}  // namespace tarn::bench
