// A link as tests speak to it: from their own thread, with answers as text.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "storage/base/clock.h"
#include "storage/redis/event_loop.h"
#include "storage/redis/link.h"

namespace tarn::testing {

// A key of Redis in a partition, and the hash of it that leases go by.
struct LinkKey {
  storage::redis::Partition partition = 0;
  std::string name;
  uint64_t hash = 0;
};
LinkKey KeyIn(storage::redis::Partition partition, const std::string& name);

class LinkSubject : private storage::redis::LinkListener {
 public:
  explicit LinkSubject(const storage::redis::LinkOptions& options);
  explicit LinkSubject(const std::string& url);
  ~LinkSubject() override;

  static storage::redis::LinkOptions Options(const std::string& url);

  // Runs it on the loop's thread and waits.
  void OnLoop(const std::function<void(storage::redis::Link&)>& work);
  void AwaitReady();

  // Sends with the lease of its keys, which is given back after the answer. "elsewhere", "no
  // connection" or "refused" when there is no lease.
  std::future<std::string> Send(const std::vector<LinkKey>& keys,
                                const std::vector<std::string>& words);
  std::string Ask(const std::vector<LinkKey>& keys, const std::vector<std::string>& words);
  // Again and again while it is known that nothing was done, and "unknown" at last when it is not
  // known; then nothing of it can run any more.
  std::string AskUntilDone(const LinkKey& key, const std::vector<std::string>& words);
  // Reads until there is an answer.
  std::string Read(const LinkKey& key);

  int NodeOf(storage::redis::Partition partition);
  std::vector<storage::redis::NodeStats> Stats() const { return link_->Stats(); }
  storage::redis::RoutingStats Routing() const { return link_->Routing(); }

  // "changed ADDRESS", "refused ADDRESS", in this order.
  std::vector<std::string> events() const;

 private:
  void OnNodeChanged(const std::string& address, const std::string& why) override;
  void OnGuardRefused(const std::string& address) override;
  void Bury(const std::shared_ptr<storage::redis::KeyLease>& lease);

  const base::SystemClock clock_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> events_ ABSL_GUARDED_BY(mutex_);
  storage::redis::EventLoop loop_;
  std::shared_ptr<storage::redis::Link> link_;
};

// Several who each write rising numbers to a key of their own, until they are stopped.
class Writers {
 public:
  Writers(LinkSubject& link, int count);
  ~Writers();

  // Until each has written again since now.
  void AwaitProgress();
  // Stops them and reads the keys: those that hold less than was acknowledged, or what was never
  // written, one line each.
  std::string StopAndFindLost();
  // Writes of which nobody knew whether they were done.
  uint64_t unknown() const { return unknown_; }

 private:
  struct Writer {
    LinkKey key;
    uint64_t tried = 0;
    std::atomic<uint64_t> acknowledged = 0;
    std::thread thread;
  };

  void Write(Writer& writer);
  void Stop();

  LinkSubject& link_;
  std::atomic<bool> over_ = false;
  std::atomic<uint64_t> unknown_ = 0;
  std::vector<std::unique_ptr<Writer>> writers_;
};

}  // namespace tarn::testing
