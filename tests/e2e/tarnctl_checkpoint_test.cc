// tarnctl's checkpoints and jobs against a real daemon.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/e2e/tarnctl_shell.h"

namespace tarn::cli {
namespace {

// A daemon that makes checkpoints only when it is asked to, with some entries.
struct Subject : Shell {
  explicit Subject(const std::string& engine = "memory")
      : Shell({"--engine", engine, "--checkpoint-interval", "0s"}) {
    Run({"put", "k", "old"});
    Run({"-n", "app", "put", "user/1", "old"});
    Run({"-n", "app", "put", "user/2", "old"});
    Run({"-n", "app", "put", "other", "old"});
  }

  std::string Create() { return Line({"checkpoint", "create", "-w", "simple", "--force"}); }

  // Makes everything another than it was.
  void Change() {
    Run({"put", "k", "new"});
    Run({"-n", "app", "put", "user/1", "new"});
    Run({"-n", "app", "del", "user/2"});
    Run({"-n", "app", "put", "user/3", "new"});
    Run({"-n", "app", "put", "other", "new"});
  }

  std::string AllOfApp() { return Line({"-n", "app", "scan"}); }
};

constexpr char kOldApp[] = "other\told\nuser/1\told\nuser/2\told";
constexpr char kNewApp[] = "other\tnew\nuser/1\tnew\nuser/3\tnew";

// What "name: value" lines say of a name.
std::string ValueOf(const std::string& details, const std::string& name) {
  const size_t begin = details.find(name + ":");
  if (begin == std::string::npos) return "";
  const size_t value = details.find_first_not_of(' ', begin + name.size() + 1);
  return details.substr(value, details.find('\n', value) - value);
}

// The first word of the first line that says this.
std::string IdOfLineWith(const std::string& part, const std::string& text) {
  const size_t place = text.find(part);
  if (place == std::string::npos) return "no line says " + part;
  const size_t begin = text.rfind('\n', place) + 1;  // npos + 1 is the beginning.
  return text.substr(begin, text.find('\t', begin) - begin);
}

TEST_CASE("a checkpoint is created, listed, shown, and proved with and without the server") {
  Subject t;
  const std::string id = t.Create();
  REQUIRE(std::filesystem::exists(t.FileOf(id)));
  CHECK(Says(t.Run({"checkpoint", "list"}).out, id + "\t"));
  CHECK(Says(t.Run({"checkpoint", "list"}).out, "newest"));
  const std::string shown = t.Run({"checkpoint", "show", "latest"}).out;
  CHECK(ValueOf(shown, "id") == id);
  CHECK(ValueOf(shown, "entry_count") == "4");
  CHECK(t.Line({"checkpoint", "verify", id}) == id);

  const Outcome offline = t.Run({"inspect", t.FileOf(id)});
  CHECK(ValueOf(shown, "root").size() == 64);
  CHECK(ValueOf(offline.out, "root") == ValueOf(shown, "root"));
  CHECK(ValueOf(shown, "content_digest").size() == 32);
  CHECK(ValueOf(offline.out, "content_digest") == ValueOf(shown, "content_digest"));
  CHECK(ValueOf(offline.out, "codec") == ValueOf(shown, "codec"));
  CHECK(ValueOf(offline.out, "id") == id);
  CHECK(t.Line({"verify", t.FileOf(id)}) == "intact");
}

TEST_CASE("without a change the newest checkpoint stands for another one") {
  Subject t;
  const std::string id = t.Create();
  CHECK(t.Line({"checkpoint", "create"}) == id);
  CHECK(t.Create() != id);
}

TEST_CASE("a key of the past is read without a restore") {
  Subject t;
  const std::string id = t.Create();
  t.Change();
  CHECK(t.Line({"get", "--checkpoint", id, "k"}) == "old");
  CHECK(t.Line({"-n", "app", "get", "--checkpoint", "latest", "user/2"}) == "old");
  CHECK(t.Run({"-n", "app", "get", "--checkpoint", id, "user/3"}).code == 4);
  CHECK(t.Line({"get", "k"}) == "new");
}

TEST_CASE("two checkpoints are compared by counts and by keys") {
  Subject t;
  const std::string before = t.Create();
  t.Change();
  const std::string after = t.Create();
  CHECK(t.Line({"checkpoint", "diff", before, after}) ==
        "added_count:   1\nremoved_count: 1\nchanged_count: 3\nsame_count:    0");
  CHECK(t.Line({"-n", "app", "checkpoint", "diff", before, "latest", "--keys"}) ==
        "changed\tapp\tother\nchanged\tapp\tuser/1\nremoved\tapp\tuser/2\nadded\tapp\tuser/3");
}

TEST_CASE("a pinned checkpoint is not deleted, nor is the last one") {
  Subject t;
  const std::string id = t.Line({"checkpoint", "create", "--pin", "for the audit"});
  CHECK(Says(t.Run({"checkpoint", "list"}).out, "pinned: for the audit"));
  const Outcome pinned = t.Run({"checkpoint", "delete", id});
  CHECK(pinned.code == 3);
  CHECK(Says(pinned.err, "CHECKPOINT_PINNED"));
  CHECK(t.Line({"checkpoint", "unpin", id}) == id);
  const Outcome last = t.Run({"checkpoint", "delete", id});
  CHECK(last.code == 3);
  CHECK(Says(last.err, "LAST_CHECKPOINT"));
  t.Create();
  CHECK(t.Run({"checkpoint", "delete", id}).code == 0);
  CHECK_FALSE(std::filesystem::exists(t.FileOf(id)));
}

TEST_CASE("a checkpoint that is not there, or cannot be, says so") {
  Subject t;
  const Outcome none = t.Run({"checkpoint", "show", "latest"});
  CHECK(none.code == 4);
  CHECK(Says(none.err, "CHECKPOINT_NOT_FOUND"));
  CHECK(t.Run({"checkpoint", "verify", "00000001-0000000099"}).code == 4);
  CHECK(Says(t.Run({"checkpoint", "show", "nonsense"}).err, "INVALID_CHECKPOINT_ID"));
  CHECK(t.Run({"checkpoint", "show", "nonsense"}).code == 2);
}

TEST_CASE("a damaged checkpoint is found, named, and set aside") {
  Subject t;
  t.Create();
  const std::string id = t.Create();
  std::fstream file(t.FileOf(id), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(300);
  file.put('!');
  file.close();
  const Outcome offline = t.Run({"verify", t.FileOf(id)});
  CHECK(offline.code == 5);
  CHECK(Says(offline.err, t.FileOf(id)));
  const Outcome verified = t.Run({"checkpoint", "verify", id});
  CHECK(verified.code == 5);
  CHECK(Says(verified.err, "DATA_LOSS"));
  const Outcome list = t.Run({"checkpoint", "list"});
  CHECK_FALSE(Says(list.out, id));
  CHECK(Says(list.err, id + " was damaged and is set aside"));
}

TEST_CASE("a checkpoint goes out as a file and comes in again") {
  Subject t;
  const testing::TempDir dir;
  const std::string id = t.Create();
  t.Create();
  CHECK(t.Line({"checkpoint", "export", id, dir / "a.ckpt"}) == id);
  CHECK(t.Line({"verify", dir / "a.ckpt"}) == "intact");
  REQUIRE(t.Run({"checkpoint", "delete", id}).code == 0);
  CHECK(t.Line({"checkpoint", "import", dir / "a.ckpt"}) == id);
  CHECK(t.Line({"checkpoint", "import", dir / "a.ckpt"}) == id);
  CHECK(t.Line({"checkpoint", "verify", id}) == id);
}

TEST_CASE("jobs are seen from anywhere, also after their end") {
  Subject t;
  const std::string number = t.Line({"checkpoint", "create", "--force", "--no-wait"});
  const std::string id = t.Line({"job", "watch", number});
  CHECK(std::filesystem::exists(t.FileOf(id)));
  CHECK(Says(t.Run({"job", "list"}).out, number + "\tcheckpoint\t"));
  CHECK(ValueOf(t.Run({"job", "show", number}).out, "result") == id);
  CHECK(t.Run({"job", "cancel", number}).code == 0);
  CHECK(t.Run({"job", "watch", "999"}).code == 4);
}

TEST_CASE("a restore brings everything back, and keeps what it replaced") {
  Subject t;
  const std::string id = t.Create();
  t.Change();
  CHECK(t.Line({"checkpoint", "restore", "latest", "--validate-only"}) == id);
  CHECK(t.Line({"get", "k"}) == "new");
  REQUIRE(t.Line({"checkpoint", "restore", id}) == id);
  CHECK(t.Line({"get", "k"}) == "old");
  CHECK(t.AllOfApp() == kOldApp);
  const std::string safety = IdOfLineWith("pinned: ", t.Run({"checkpoint", "list"}).out);
  REQUIRE(t.Line({"checkpoint", "restore", safety, "--no-safety-checkpoint"}) == safety);
  CHECK(t.AllOfApp() == kNewApp);
}

TEST_CASE("a part of one namespace is restored, and nothing else") {
  Subject t;
  const std::string id = t.Create();
  t.Change();
  REQUIRE(t.Line({"-n", "app", "checkpoint", "restore", id, "--prefix", "user/"}) == id);
  CHECK(t.AllOfApp() == "other\tnew\nuser/1\told\nuser/2\told");
  CHECK(t.Line({"get", "k"}) == "new");
  REQUIRE(t.Line({"-n", "app", "checkpoint", "restore", id, "--namespace-only"}) == id);
  CHECK(t.AllOfApp() == kOldApp);
  CHECK(t.Line({"get", "k"}) == "new");
}

TEST_CASE("a checkpoint of one engine and store is restored into another, and is the same") {
  Subject from("memory");
  Subject to("rocksdb");
  const testing::TempDir dir;
  const std::string id = from.Create();
  REQUIRE(from.Line({"checkpoint", "export", id, dir / "a.ckpt"}) == id);
  to.Change();
  to.Create();
  const Outcome refused = to.Run({"checkpoint", "import", dir / "a.ckpt"});
  CHECK(refused.code == 3);
  CHECK(Says(refused.err, "OTHER_STORE"));
  const std::string there =
      to.Line({"checkpoint", "import", dir / "a.ckpt", "--allow-other-store"});
  CHECK(Says(there, "-" + id));
  REQUIRE(to.Line({"checkpoint", "restore", there}) == there);
  CHECK(to.AllOfApp() == kOldApp);
  const std::string again = to.Create();
  CHECK(ValueOf(to.Run({"checkpoint", "show", again}).out, "content_digest") ==
        ValueOf(from.Run({"checkpoint", "show", id}).out, "content_digest"));
}

}  // namespace
}  // namespace tarn::cli
