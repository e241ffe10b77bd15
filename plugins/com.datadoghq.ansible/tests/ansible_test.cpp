#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <par/sdk/error.hpp>
#include <unistd.h>

#include "callback_output.hpp"
#include "caller_texts.hpp"
#include "extra_vars.hpp"
#include "inputs.hpp"
#include "paths.hpp"
#include "report.hpp"
#include "tests/catch.hpp"

using namespace ansible_plugin;
namespace fs = std::filesystem;

namespace {

std::string yaml(const char* json) {
  par::json::Document document;
  std::string error;
  REQUIRE(par::json::parse(json, document, error));
  return unsafe_yaml(document);
}

}  // namespace

TEST_CASE("extra variables become YAML in which every text is data") {
  CHECK(yaml(R"({"who":"{{ 1 }}","n":[1,-2.5,true,null],"o":{"a b":"x\"\\"}})") ==
        "{\"who\": !unsafe \"{{ 1 }}\", \"n\": [1, -2.5, true, null], \"o\": {\"a b\": !unsafe "
        "\"x\\\"\\\\\"}}\n");
  CHECK(yaml(R"({"t":"\u0001\n\u007f\u0085é€😀﻿"})") ==
        "{\"t\": !unsafe \"\\x01\\x0a\\x7f\\x85\\xe9\\u20ac\\U0001f600\\ufeff\"}\n");
  CHECK(yaml(R"({"a":1e21,"b":1e-7,"c":9007199254740993,"d":1.5e300})") ==
        "{\"a\": 1.0e+21, \"b\": 1.0e-07, \"c\": 9007199254740993, \"d\": 1.5e+300}\n");
  CHECK(yaml(R"({"a":{},"b":[]})") == "{\"a\": {}, \"b\": []}\n");
}

TEST_CASE("variables that say how Ansible connects are refused") {
  const auto refused = [](const char* name) {
    par::json::Document document(rapidjson::kObjectType);
    document.AddMember(par::json::Value(name, document.GetAllocator()), par::json::Value(1),
                       document.GetAllocator());
    try {
      require_data_names(document);
    } catch (const par::Error&) {
      return true;
    }
    return false;
  };
  for (const char* const name : {"who", "my_ansible_x", "_a1", "Group"}) CHECK_FALSE(refused(name));
  for (const char* const name : {"ansible_connection", "ansible_host", "inventory_hostname", "inventory_dir",
                                 "hostvars", "groups", "delegated_vars", "vars", "environment",
                                 "playbook_dir", "", "1a", "a-b", "a b", "{{ x }}", "\xC3\xA4"}) {
    CAPTURE(name);
    CHECK(refused(name));
  }
}

TEST_CASE("a list of hosts holds hosts and nothing that ssh or Ansible would take for more") {
  for (const char* const list :
       {"web1,", "web1,web-2.example.net,10.0.0.7:2222,", "fe80::1,::ffff:10.0.0.1,", "a_b,"})
    require_host_list(list);
  for (const char* const list :
       {"-oProxyCommand=touch${IFS}/tmp/x,", "web1,-v,", "a[1:999999999],", "a b,", "web1,,web2,", ",",
        "web1:ssh,", "web1:,", "user@web1,", "$(x),", "web1;x,", "\tweb1,"}) {
    CAPTURE(list);
    CHECK_THROWS_AS(require_host_list(list), par::Error);
  }
}

TEST_CASE("a limit names no file, wherever the sign stands") {
  require_host_pattern("web*:!db1,~web\\d+");
  for (const char* const limit : {"@x", "web1,@x", "\t@/path", "x]@/path", "[@/path", "a@b"}) {
    CAPTURE(limit);
    CHECK_THROWS_AS(require_host_pattern(limit), par::Error);
  }
}

TEST_CASE("a path stays below its directory, whatever its links say") {
  const PrivateDirectory outer;
  const fs::path root = fs::path(outer.path()) / "playbooks";
  fs::create_directories(root / "sub");
  std::ofstream(root / "ok.yml") << "x";
  std::ofstream(root / "sub" / "deep.yml") << "x";
  std::ofstream(fs::path(outer.path()) / "secret.yml") << "x";
  fs::create_symlink("../secret.yml", root / "link.yml");
  fs::create_symlink("sub", root / "inside");
  CHECK(path_below(root, "ok.yml", "playbook") == fs::canonical(root / "ok.yml"));
  CHECK(path_below(root, "sub/../sub/deep.yml", "playbook") == fs::canonical(root / "sub/deep.yml"));
  CHECK(path_below(root, "inside/deep.yml", "playbook") == fs::canonical(root / "sub/deep.yml"));
  for (const char* const wrong :
       {"../secret.yml", "link.yml", "sub/../../secret.yml", "/etc/passwd", "nowhere.yml", ".", ""}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(path_below(root, wrong, "playbook"), par::Error);
  }
  // A directory whose name begins alike is another one.
  fs::create_directories(outer.path() + "/playbooks-other");
  std::ofstream(outer.path() + "/playbooks-other/x.yml") << "x";
  CHECK_THROWS_AS(path_below(root, "../playbooks-other/x.yml", "playbook"), par::Error);
  CHECK_THROWS_AS(path_below(outer.path() + "/none", "x", "playbook"), par::Error);
}

TEST_CASE("a private directory is nobody else's and goes with all that is in it") {
  std::string path;
  {
    const PrivateDirectory directory;
    path = directory.path();
    CHECK((fs::status(path).permissions() & fs::perms::all) == fs::perms::owner_all);
    const std::string file = directory.write("vars", "secret");
    CHECK((fs::status(file).permissions() & fs::perms::all) ==
          (fs::perms::owner_read | fs::perms::owner_write));
    CHECK_THROWS_AS(directory.write("vars", "again"), par::Error);
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("what killed runs left is removed, what others still use is not") {
  const PrivateDirectory base;
  ::setenv("TMPDIR", base.path().c_str(), 1);
  {
    const PrivateDirectory used;
    fs::create_directory(base.path() + "/par-ansible-killed");
    std::ofstream(base.path() + "/par-ansible-killed/lock") << "";
    std::ofstream(base.path() + "/par-ansible-killed/extra-vars.yml") << "secret";
    fs::create_directory(base.path() + "/par-ansible-without-lock");
    fs::create_directory(base.path() + "/other");
    remove_left_directories();
    CHECK_FALSE(fs::exists(base.path() + "/par-ansible-killed"));
    CHECK(fs::exists(used.path()));
    CHECK(fs::exists(base.path() + "/par-ansible-without-lock"));
    CHECK(fs::exists(base.path() + "/other"));
  }
  ::unsetenv("TMPDIR");
}

TEST_CASE("the statistics are found in whole, cut and plain output") {
  const std::string whole = R"({
    "custom_stats": {},
    "plays": [{"play": {"name": "P"}, "tasks": [{"task": {"name": "T"}, "hosts": {
      "web1": {"changed": true, "stdout": "done"}, "web2": {"failed": true, "msg": "broken"},
      "web3": {"unreachable": true}, "web4": {"skipped": true}}}]}],
    "stats": {
        "web1": {"ok": 2, "changed": 1, "failures": 0, "unreachable": 0, "skipped": 0},
        "web2": {"ok": 0, "changed": 0, "failures": 1, "unreachable": 0, "skipped": 3}
    }
})";
  const CallbackOutput read = read_callback_output(whole);
  CHECK(read.text ==
        "PLAY [P]\nTASK [T]\nchanged: [web1] => stdout: done\nfailed: [web2] => msg: broken\nunreachable: "
        "[web3]\nskipping: "
        "[web4]\n");
  REQUIRE(read.hosts.size() == 2);
  CHECK(read.hosts.at("web1").changed == 1);
  CHECK(read.hosts.at("web2").failed == 1);
  CHECK(read.hosts.at("web2").skipped == 3);

  const CallbackOutput cut = read_callback_output(whole.substr(whole.find("broken")));
  CHECK(cut.hosts.at("web1").ok == 2);
  CHECK(cut.hosts.at("web2").failed == 1);

  const CallbackOutput plain = read_callback_output(
      "PLAY [P] ****\n\nok: [web1]\n\nPLAY RECAP ****\nweb1                       : ok=2    changed=1    "
      "unreachable=0    failed=0    "
      "skipped=4    rescued=0    ignored=0   \n\n");
  REQUIRE(plain.hosts.size() == 1);
  CHECK(plain.hosts.at("web1").ok == 2);
  CHECK(plain.hosts.at("web1").skipped == 4);

  for (const char* const nothing : {"", "{", "}{", "{\"stats\":[]}", "PLAY RECAP "})
    CHECK(read_callback_output(nothing).hosts.empty());
}

TEST_CASE("failed hosts are named by what happened to them") {
  Hosts hosts;
  CHECK(failed_hosts(hosts).empty());
  hosts["web1"].ok = 1;
  hosts["web2"].failed = 1;
  hosts["web3"].failed = 2;
  hosts["db1"].unreachable = 1;
  CHECK(failed_hosts(hosts) == "failed on web2, web3; unreachable: db1");
}

TEST_CASE("a report leaves out what is not known") {
  Report report;
  report.mode = "webhook";
  report.status = "accepted";
  CHECK(to_json(report) == R"({"mode":"webhook","status":"accepted","failed":false})");
  Report full;
  full.mode = "controller";
  full.job_id = "318";
  full.status = "successful";
  full.url = "https://awx/#/jobs/playbook/318/";
  full.started_at = "2026-01-02T03:04:05Z";
  full.finished_at = "2026-01-02T03:04:41Z";
  full.duration_ms = 36000;
  full.hosts = Hosts{{"web1", {5, 2, 0, 0, 1}}};
  full.ignored_fields_json = "{}";
  full.output = "PLAY [all]\xFF";
  CHECK(
      to_json(full) ==
      R"({"mode":"controller","jobId":"318","status":"successful","failed":false,"url":"https://awx/#/jobs/playbook/318/",)"
      R"("startedAt":"2026-01-02T03:04:05Z","finishedAt":"2026-01-02T03:04:41Z","durationMillis":36000,)"
      R"("hosts":{"web1":{"ok":5,"changed":2,"failed":0,"unreachable":0,"skipped":1}},"ignoredFields":{},)"
      "\"stdout\":\"PLAY [all]\xEF\xBF\xBD\",\"stdoutTruncated\":false}");
}

TEST_CASE("the end of a text begins with a whole character") {
  CHECK(tail("abc", 5) == "abc");
  CHECK(tail("abc", 2) == "bc");
  CHECK(tail("a\xC3\xA4z", 2) == "z");
  CHECK(tail("", 0).empty());
}

TEST_CASE("inputs have their defaults") {
  const Inputs inputs(R"({"playbook":"deploy","extraVars":{}})");
  CHECK(inputs.playbook == "deploy");
  CHECK(inputs.extra_vars == nullptr);
  CHECK_FALSE(inputs.wait.has_value());
  CHECK(inputs.poll_interval_seconds == 5);
  CHECK(comma_joined(Inputs(R"({"playbook":"p","tags":["a","b"]})").tags) == "a,b");
}
