#include "tests/storage/redis/support/redis_client.h"

#include <sys/time.h>

#include <stdexcept>

namespace tarn::testing {
namespace {

constexpr timeval kPatience = {60, 0};

std::string Show(const redisReply& reply) {
  const std::string text =
      reply.str == nullptr ? "" : std::string(reply.str, static_cast<size_t>(reply.len));
  switch (reply.type) {
    case REDIS_REPLY_STRING:
      return "\"" + text + "\"";
    case REDIS_REPLY_INTEGER:
      return "(integer) " + std::to_string(reply.integer);
    case REDIS_REPLY_NIL:
      return "(nil)";
    case REDIS_REPLY_ARRAY: {
      std::string list;
      for (size_t i = 0; i < reply.elements; ++i) {
        list += (i == 0 ? "" : " ") + Show(*reply.element[i]);
      }
      return "[" + list + "]";
    }
    default:
      return text;
  }
}

}  // namespace

std::string RedisClient::Ask(const std::vector<std::string>& words) {
  if (context_ == nullptr && !Connect()) return "gone";
  return Send(words);
}

bool RedisClient::Connect() {
  context_.reset(redisConnectWithTimeout("127.0.0.1", port_, kPatience));
  if (context_ == nullptr || context_->err != 0) {
    context_.reset();
    return false;
  }
  redisSetTimeout(context_.get(), kPatience);
  return password_.empty() || Send({"AUTH", password_}) == "OK";
}

RedisClient::OwnedReply RedisClient::SendTo(const std::vector<std::string>& words) {
  std::vector<const char*> starts;
  std::vector<size_t> sizes;
  for (const std::string& word : words) {
    starts.push_back(word.data());
    sizes.push_back(word.size());
  }
  OwnedReply reply(static_cast<redisReply*>(redisCommandArgv(
      context_.get(), static_cast<int>(words.size()), starts.data(), sizes.data())));
  if (reply == nullptr) context_.reset();
  return reply;
}

std::string RedisClient::Send(const std::vector<std::string>& words) {
  const OwnedReply reply = SendTo(words);
  return reply == nullptr ? "gone" : Show(*reply);
}

std::vector<std::string> RedisClient::AskList(const std::vector<std::string>& words) {
  const OwnedReply reply = context_ != nullptr || Connect() ? SendTo(words) : nullptr;
  if (reply == nullptr || reply->type != REDIS_REPLY_ARRAY) {
    throw std::runtime_error("no list answers " + words.front());
  }
  std::vector<std::string> list;
  for (size_t i = 0; i < reply->elements; ++i) {
    list.emplace_back(reply->element[i]->str, reply->element[i]->len);
  }
  return list;
}

}  // namespace tarn::testing
