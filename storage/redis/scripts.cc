#include "storage/redis/scripts.h"

#include <array>

#include "absl/strings/escaping.h"
#include "openssl/evp.h"

namespace tarn::storage::redis {
namespace {

std::string Sha1(absl::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), size});
}

// Sums of lengths stay far below 2^53.
constexpr char kRead[] = R"(
local n = #KEYS
local wants = ARGV[3]
local room = {f = tonumber(ARGV[1]), p = tonumber(ARGV[2])}
local lengths = {}
for i = 1, n do
  local length = redis.call('STRLEN', KEYS[i])
  lengths[i] = length
  local want = string.sub(wants, i, i)
  if room[want] then room[want] = room[want] - length end
end
local reply = {}
for i = 1, n do
  local want = string.sub(wants, i, i)
  local last = -1
  if want == 'a' then last = 40 elseif want == 'h' or room[want] < 0 then last = 16 end
  if lengths[i] == 0 then
    reply[i] = ''
  elseif last < 0 then
    reply[i] = struct.pack('>I4', lengths[i]) .. redis.call('GET', KEYS[i])
  else
    reply[i] = struct.pack('>I4', lengths[i]) .. redis.call('GETRANGE', KEYS[i], 0, last)
  end
end
return reply
)";

// What is gone is noted last: a server whose memory is full refuses a SET, but not behind a DEL.
constexpr char kCommit[] = R"(
local n = math.floor(#KEYS / 3)
local removals = KEYS[3 * n + 1]
local removed = removals and redis.call('GET', removals)
for i = 0, n - 1 do
  if redis.call('GETRANGE', KEYS[3 * i + 1], 0, 16) ~= ARGV[7 * i + 1] then return i + 1 end
end
for i = 0, n - 1 do
  local entry, index, deadlines = KEYS[3 * i + 1], KEYS[3 * i + 2], KEYS[3 * i + 3]
  local a = 7 * i
  local expected, kind, payload, header = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4]
  local px, member, deadline = ARGV[a + 5], ARGV[a + 6], ARGV[a + 7]
  if kind == 'D' then
    redis.call('DEL', entry)
    redis.call('ZREM', index, member)
    if deadline ~= '' then redis.call('ZREM', deadlines, member) end
  else
    if expected == '' then redis.call('ZADD', index, 0, member) end
    if deadline ~= '' then redis.call('ZADD', deadlines, deadline, member) end
    if kind == 'S' then
      if px == '' then
        redis.call('SET', entry, payload)
      else
        redis.call('SET', entry, payload, 'PX', px)
      end
    else
      if kind == 'A' then redis.call('APPEND', entry, payload) end
      redis.call('SETRANGE', entry, 0, header)
      if px == '' then redis.call('PERSIST', entry) else redis.call('PEXPIRE', entry, px) end
    end
  end
end
if removals then
  local revision = ARGV[7 * n + 1]
  local high, low = struct.unpack('>I4I4', revision)
  local before_high, before_low = -1, -1
  if removed and #removed == 8 then before_high, before_low = struct.unpack('>I4I4', removed) end
  if high > before_high or (high == before_high and low > before_low) then
    redis.call('SET', removals, revision)
  end
end
return 0
)";

// A deadline has fewer than 53 bits as long as the year has four digits.
constexpr char kSweep[] = R"(
local now = tonumber(ARGV[1])
local newest = redis.call('GET', KEYS[3])
local high, low = -1, -1
if newest and #newest == 8 then high, low = struct.unpack('>I4I4', newest) end
local found = {}
for i = 4, #KEYS do
  local record = redis.call('GETRANGE', KEYS[i], 0, 16)
  local length = redis.call('STRLEN', KEYS[i])
  local deadline = 0
  if length >= 17 then
    local deadline_high, deadline_low = struct.unpack('>I4I4', record, 10)
    deadline = deadline_high * 4294967296 + deadline_low
  end
  found[i] = {length, deadline, string.sub(record, 2, 9)}
end
local removed = {}
local raised = false
for i = 4, #KEYS do
  local length, deadline, revision = found[i][1], found[i][2], found[i][3]
  local member = ARGV[i - 2]
  removed[i - 3] = 0
  if length == 0 then
    redis.call('ZREM', KEYS[1], member)
    redis.call('ZREM', KEYS[2], member)
    removed[i - 3] = -1
  elseif deadline == 0 then
    redis.call('ZREM', KEYS[2], member)
  elseif deadline <= now then
    redis.call('DEL', KEYS[i])
    redis.call('ZREM', KEYS[1], member)
    redis.call('ZREM', KEYS[2], member)
    removed[i - 3] = length
    local own_high, own_low = struct.unpack('>I4I4', revision)
    if own_high > high or (own_high == high and own_low > low) then
      high, low, newest, raised = own_high, own_low, revision, true
    end
  else
    redis.call('ZADD', KEYS[2], string.format('%.0f', deadline), member)
  end
end
if raised then redis.call('SET', KEYS[3], newest) end
return removed
)";

constexpr char kAcquire[] = R"(
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if (redis.call('GET', KEYS[2]) or '') ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], ARGV[4])
return 1
)";

constexpr char kBeat[] = R"(
local owner = redis.call('GET', KEYS[1]) or ''
local before = redis.call('GET', KEYS[2]) or ''
if owner ~= ARGV[1] then return {0, owner, before} end
redis.call('SET', KEYS[2], ARGV[2])
return {1, owner, before}
)";

// Epochs count from 1 by 1: doubles hold them.
constexpr char kRaise[] = R"(
local function epoch(record)
  local high, low = struct.unpack('>I4I4', record, 2)
  return high * 4294967296 + low
end
local current = redis.call('GET', KEYS[1])
if current and #current >= 9 and epoch(current) > epoch(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
)";

}  // namespace

Script::Script(absl::string_view text) : source(text), sha1(Sha1(text)) {}

const Script& ReadScript() {
  static const Script script(kRead);
  return script;
}

const Script& CommitScript() {
  static const Script script(kCommit);
  return script;
}

const Script& SweepScript() {
  static const Script script(kSweep);
  return script;
}

const Script& AcquireScript() {
  static const Script script(kAcquire);
  return script;
}

const Script& BeatScript() {
  static const Script script(kBeat);
  return script;
}

const Script& RaiseScript() {
  static const Script script(kRaise);
  return script;
}

std::vector<std::string> AllScripts() {
  return {ReadScript().source,    CommitScript().source, SweepScript().source,
          AcquireScript().source, BeatScript().source,   RaiseScript().source};
}

}  // namespace tarn::storage::redis
