#include "client/cli/describe.h"

#include "tests/catch.h"
#include "tests/client/cli/terminal.h"
#include <CLI/CLI.hpp>

namespace tarn::cli {
namespace {

TEST_CASE("a description has commands, options and positionals, each with what it takes") {
  CLI::App app("A \"program\".", "program");
  app.set_help_flag();
  CLI::App* const command = app.add_subcommand("move", "Moves");
  command->set_help_flag();
  std::string text;
  bool flag = false;
  command->add_option("-t,--to", text, "Where")->envname("TO")->type_name("PLACE");
  command->add_option("--how", text, "How")->check(CLI::IsMember({"slow", "fast"}));
  command->add_flag("--far", flag, "Far away");
  command->add_option("WHAT", text, "What")->required();
  CHECK(DescribeCommands(app) ==
        R"({"name":"program","about":"A \"program\".","options":[],"positionals":[],
"commands":[{"name":"move","about":"Moves","options":[{"names":["--to","-t"],"argument":"PLACE","default":"","variable":"TO","about":"Where"},
{"names":["--how"],"argument":"{slow,fast}","default":"","variable":"","about":"How"},
{"names":["--far"],"argument":"","default":"","variable":"","about":"Far away"}],"positionals":[{"name":"WHAT","required":true,"about":"What"}],
"commands":[]}]})");
}

TEST_CASE("what is hidden is not described") {
  CLI::App app("", "program");
  app.set_help_flag();
  app.add_subcommand("secret", "")->group("");
  app.add_flag("--secret")->group("");
  CHECK(DescribeCommands(app).find("secret") == std::string::npos);
}

TEST_CASE("tarnctl describes itself when it is asked to") {
  Terminal terminal;
  const Outcome outcome = terminal.Run({"--describe-commands"});
  CHECK(outcome.code == 0);
  CHECK(Says(outcome.out, R"("name":"restore")"));
  CHECK(terminal.Run({"--describe-commands", "get"}).code == 2);
}

}  // namespace
}  // namespace tarn::cli
