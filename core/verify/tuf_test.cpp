#include "core/verify/tuf.hpp"

#include "core/verify/tuf_test_repository.hpp"
#include "tests/catch.hpp"

using namespace par;
using namespace par::core;
using namespace par::core::testing;

namespace {

const SystemTime k_now{std::chrono::seconds(1'767'225'600)};  // 2026-01-01

TufRepository trusted(const TestRepository& repository) {
  auto result = TufRepository::trust("director", repository.root());
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

TufRepository updated(const TestRepository& repository) {
  auto result = trusted(repository).update(TestDocuments(repository).view(), k_now);
  if (!result) FAIL(result.error().message);
  return std::move(*result);
}

std::string refusal(const TufRepository& repository, const TestDocuments& documents, SystemTime now = k_now) {
  const auto result = repository.update(documents.view(), now);
  REQUIRE_FALSE(result);
  return result.error().message;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("canonical JSON sorts names and escapes only quote and backslash") {
  const auto canonical = [](std::string_view text) { return canonical_json(*parse_json(text)); };
  CHECK(canonical(
            R"( {"b" : [1, -2, true, null, {}], "a\u00e9": "x\n\"\\\u0001/", "a": 18446744073709551615} )") ==
        "{\"a\":18446744073709551615,\"a\xc3\xa9\":\"x\n\\\"\\\\\x01/\",\"b\":[1,-2,true,null,{}]}");
  CHECK_THAT(canonical(R"({"x":{"a":1,"b":2,"a":1}})").error().message,
             Catch::Contains("two members named 'a'"));
  for (const char* text : {"[1.5]", "[1e2]", "[18446744073709551616]", "[1.0]"}) {
    CHECK_THAT(canonical(text).error().message, Catch::Contains("not a whole one"));
  }
}

TEST_CASE("a whole update is taken") {
  TestRepository repository;
  repository.files["datadog/1/P/id/config"] = "content";
  const TufRepository result = updated(repository);
  CHECK(result.root_version() == 1);
  CHECK(result.snapshot_version() == 1);
  CHECK(result.targets_version() == 1);
  CHECK(result.custom_text("opaque_backend_state") == "c3RhdGU=");
  REQUIRE(result.find("datadog/1/P/id/config") != nullptr);
  CHECK(result.find("datadog/1/P/id/config")->meta.check("content"));
  CHECK_FALSE(result.find("datadog/1/P/id/config")->meta.check("Content"));
  CHECK(result.find("datadog/1/P/id/config")->custom_version == 3);
  CHECK(result.find("other") == nullptr);
}

TEST_CASE("documents that are not sent are the last ones") {
  TestRepository repository;
  const TufRepository known = updated(repository);
  repository.timestamp_version = 2;
  TestDocuments documents(repository);
  documents.snapshot.clear();
  documents.targets.clear();
  CHECK(known.update(documents.view(), k_now));
  CHECK(known.update(TufDocuments(), k_now));
}

TEST_CASE("a missing role is named") {
  const TestRepository repository;
  for (const auto& [field, role] : {std::pair{&TestDocuments::timestamp, "timestamp"},
                                    {&TestDocuments::snapshot, "snapshot"},
                                    {&TestDocuments::targets, "targets"}}) {
    TestDocuments documents(repository);
    (documents.*field).clear();
    CHECK_THAT(refusal(trusted(repository), documents),
               Catch::StartsWith(fmt::format("director repository, {}: missing role", role)));
  }
  for (const char* role : {"timestamp", "snapshot", "targets", "root"}) {
    const std::string content = json::write(*json::find(*parse_json(repository.root()), "signed"));
    const auto root = TufRepository::trust(
        "director",
        tuf_signed(replaced(content, fmt::format("\"{}\":{{\"keyids\"", role), "\"x\":{\"keyids\""), "r"));
    REQUIRE_FALSE(root);
    CHECK_THAT(root.error().message,
               Catch::Contains(fmt::format("missing role: the root has no role '{}'", role)));
  }
  TestDocuments documents(repository);
  const std::string content = json::write(*json::find(*parse_json(documents.snapshot), "signed"));
  documents.snapshot = tuf_signed(replaced(content, "targets.json", "another.json"), "s");
  documents.timestamp = repository.timestamp_over(documents.snapshot);
  CHECK_THAT(refusal(trusted(repository), documents),
             Catch::Contains("targets: missing role: its parent does not"));
}

TEST_CASE("each role's document must be signed by its own keys") {
  for (const auto& [signers, role] : {std::pair{&TestRepository::timestamp_signers, "timestamp"},
                                      {&TestRepository::snapshot_signers, "snapshot"},
                                      {&TestRepository::targets_signers, "targets"}}) {
    TestRepository repository;
    const TufRepository known = trusted(repository);
    for (const char* wrong : {"", "r", "a"}) {
      repository.*signers = wrong;
      const auto message = refusal(known, TestDocuments(repository));
      CHECK_THAT(message, Catch::StartsWith(
                              fmt::format("director repository, {}: wrong signature: 0 of its keys", role)));
    }
  }
  TestRepository repository;
  TestDocuments documents(repository);
  documents.timestamp = replaced(documents.timestamp, "\"version\":1}}", "\"version\":9}}");
  CHECK_THAT(refusal(trusted(repository), documents), Catch::Contains("timestamp: wrong signature"));
}

TEST_CASE("thresholds count different keys") {
  TestRepository repository;
  repository.targets_keys = "gab";
  repository.targets_threshold = 2;
  const TufRepository known = trusted(repository);
  repository.targets_signers = "g";
  CHECK_THAT(refusal(known, TestDocuments(repository)),
             Catch::Contains("1 of its keys have signed it validly, 2 must"));
  repository.targets_signers = "ggg";
  CHECK_THAT(refusal(known, TestDocuments(repository)), Catch::Contains("1 of its keys"));
  repository.targets_signers = "gh";  // h is in the root but not of this role
  CHECK_THAT(refusal(known, TestDocuments(repository)), Catch::Contains("1 of its keys"));
  repository.targets_signers = "ag";
  CHECK(known.update(TestDocuments(repository).view(), k_now));
}

TEST_CASE("one key under two ids counts once") {
  // The second id hashes an object with one member more, but the key in it is the same.
  const std::string raw = Ed25519Signer('g').raw_public();
  const std::string object = fmt::format(
      R"({{"extra":1,"keytype":"ed25519","keyval":{{"public":"{}"}},"scheme":"ed25519"}})", hex_encode(raw));
  const std::string second_id = hex_encode(sha256(object));
  const auto keys =
      parse_json(fmt::format(R"({{"{}":{},"{}":{}}})", tuf_key_id('g'), tuf_key(raw), second_id, object));
  const auto entry =
      parse_json(fmt::format(R"({{"keyids":["{}","{}"],"threshold":2}})", tuf_key_id('g'), second_id));
  const auto role = tuf::read_role(*keys, *entry, "targets");
  REQUIRE(role);
  CHECK(role->keys.size() == 2);
  const std::string text =
      tuf_signed(R"({"_type":"targets","expires":"2030-01-01T00:00:00Z","version":1})", "g");
  const std::string twice = replaced(
      text, "[{",
      fmt::format(R"([{{"keyid":"{}","sig":"{}"}},{{)", second_id,
                  hex_encode(Ed25519Signer('g').sign(tuf::Document::parse(text, "targets")->canonical()))));
  CHECK_THAT(tuf::Document::parse(twice, "targets")->check_signatures(*role).error().message,
             Catch::Contains("1 of its keys have signed it validly, 2 must"));
}

TEST_CASE("a key's id must be the hash of the key") {
  TestRepository repository;
  const std::string content = json::write(*json::find(*parse_json(repository.root()), "signed"));
  const auto root = TufRepository::trust(
      "director", tuf_signed(replaced(content, hex_encode(Ed25519Signer('g').raw_public()),
                                      hex_encode(Ed25519Signer('x').raw_public())),
                             "r"));
  REQUIRE_FALSE(root);
  CHECK_THAT(root.error().message, Catch::Contains("which is not the hash of that key"));
}

TEST_CASE("versions never go back") {
  TestRepository repository;
  repository.timestamp_version = repository.snapshot_version = repository.targets_version = 5;
  const TufRepository known = updated(repository);
  for (const auto& [version, role] : {std::pair{&TestRepository::timestamp_version, "timestamp"},
                                      {&TestRepository::snapshot_version, "snapshot"},
                                      {&TestRepository::targets_version, "targets"}}) {
    TestRepository older = repository;
    older.timestamp_version = older.snapshot_version = older.targets_version = 6;
    older.*version = 4;
    CHECK(
        refusal(known, TestDocuments(older)) ==
        fmt::format("director repository, {}: rollback: it has version 4, version 5 was seen before", role));
  }
  TestRepository other = repository;
  other.expires = "2031-01-01T00:00:00Z";
  CHECK_THAT(refusal(known, TestDocuments(other)),
             Catch::Contains("version 5 as the last one, but another content"));
}

TEST_CASE("expired documents are refused, which ends a freeze") {
  for (const auto& [expires, role] : {std::pair{&TestRepository::timestamp_expires, "timestamp"},
                                      {&TestRepository::snapshot_expires, "snapshot"},
                                      {&TestRepository::targets_expires, "targets"},
                                      {&TestRepository::root_expires, "root"}}) {
    TestRepository repository;
    repository.*expires = "2025-12-31T23:59:59Z";
    CHECK(refusal(trusted(repository), TestDocuments(repository)) ==
          fmt::format(
              "director repository, {}: it expired at 2025-12-31T23:59:59Z; it is 2026-01-01T00:00:00Z here",
              role));
  }
  const TestRepository repository;
  CHECK(trusted(repository).update(TestDocuments(repository).view(), k_now));
  CHECK_THAT(refusal(updated(repository), TestDocuments(repository), k_now + std::chrono::hours(24 * 1500)),
             Catch::Contains("expired at 2030-01-01"));
}

TEST_CASE("length, hash and version must be what the parent lists") {
  TestRepository repository;
  TestDocuments documents(repository);
  documents.targets += " ";
  CHECK_THAT(refusal(trusted(repository), documents), Catch::Contains("targets: wrong length"));
  documents = TestDocuments(repository);
  documents.snapshot = replaced(documents.snapshot, ",\n", ", ");
  CHECK_THAT(refusal(trusted(repository), documents), Catch::Contains("snapshot: wrong hash"));

  documents = TestDocuments(repository);
  repository.targets_version = 2;
  documents.targets = repository.targets();
  CHECK_THAT(refusal(trusted(repository), documents),
             Catch::Contains("targets: mixed versions: it has version 2, its parent lists version 1"));
  documents = TestDocuments(repository);
  repository.snapshot_version = 2;
  documents.snapshot = repository.snapshot();
  CHECK_THAT(refusal(trusted(repository), documents), Catch::Contains("snapshot: mixed versions"));
}

TEST_CASE("a next root needs the last root's keys and its own") {
  TestRepository first;
  first.root_keys = "rpq";
  first.root_threshold = 2;
  first.root_signers = "rp";
  const TufRepository known = trusted(first);
  TestRepository second;
  second.root_version = 2;
  second.root_keys = "xy";
  second.root_threshold = 2;
  const auto attempt = [&](std::string_view signers) {
    second.root_signers = signers;
    TestDocuments documents(second);
    documents.roots = {second.root()};
    return documents;
  };
  CHECK_THAT(refusal(known, attempt("xy")),
             Catch::Contains("root: by the keys of version 1: wrong signature: 0"));
  CHECK_THAT(refusal(known, attempt("xyr")), Catch::Contains("by the keys of version 1: wrong signature: 1"));
  CHECK_THAT(refusal(known, attempt("rpx")), Catch::Contains("root: wrong signature: 1 of its keys"));
  const auto next = known.update(attempt("rqxy").view(), k_now);
  REQUIRE(next);
  CHECK(next->root_version() == 2);

  SECTION("a chain goes one version at a time and may repeat what is known") {
    TestRepository third = second;
    third.root_version = 3;
    third.root_signers = "xy";
    TestDocuments documents(third);
    documents.roots = {third.root()};
    CHECK_THAT(refusal(known, documents), Catch::Contains("version 3 does not follow the trusted version 1"));
    documents.roots = {first.root(), second.root(), third.root()};
    const auto last = known.update(documents.view(), k_now);
    REQUIRE(last);
    CHECK(last->root_version() == 3);
    CHECK(last->update(documents.view(), k_now));
    CHECK(last->root_text() == third.root());
  }
  SECTION("another document of the trusted version is refused") {
    first.expires = "2031-01-01T00:00:00Z";
    TestDocuments documents(first);
    documents.roots = {first.root()};
    CHECK_THAT(refusal(known, documents), Catch::Contains("version 1 as the last one, but another content"));
  }
  SECTION("an expired root between two others does not matter") {
    second.root_expires = "2020-01-01T00:00:00Z";
    TestRepository third = second;
    third.root_expires.clear();
    third.root_version = 3;
    third.root_signers = "xy";
    TestDocuments documents(third);
    documents.roots = {second.root(), third.root()};
    CHECK(known.update(documents.view(), k_now));
  }
}

TEST_CASE("a first root must be signed by itself") {
  TestRepository repository;
  repository.root_signers = "x";
  CHECK_THAT(TufRepository::trust("config", repository.root()).error().message,
             Catch::StartsWith("config repository, trusted root: wrong signature"));
}

TEST_CASE("documents of another form are refused and never crash") {
  const TestRepository repository;
  const std::string good = repository.timestamp();
  const std::pair<std::string, std::string> cases[] = {
      {"x", "not JSON"},
      {"[]", "not a signed document"},
      {R"({"signed":1,"signatures":[]})", "not a signed document"},
      {std::string(100'000, '['), "not JSON"},
      {repository.snapshot(), "it is of type 'snapshot', expected 'timestamp'"},
      {tuf_signed(R"({"_type":"timestamp","expires":"2030-01-01T00:00:00Z"})", "t"), "no version"},
      {tuf_signed(R"({"_type":"timestamp","expires":"2030-01-01T00:00:00Z","version":0})", "t"),
       "no version"},
      {tuf_signed(R"({"_type":"timestamp","expires":"soon","version":1})", "t"), "no expiry date"},
      {replaced(good, "{\"_type\"", "{\"version\":1,\"_type\""), "two members named 'version'"},
      {replaced(good, "{\"signatures\"", "{\"signatures\":[],\"signatures\""),
       "two members named 'signatures'"},
      {replaced(good, "\"version\":1", "\"version\":1.0"), "not a whole one"},
      {tuf_signed(R"({"_type":"timestamp","expires":"2030-01-01T00:00:00Z","version":1})", "t"),
       "snapshot: missing role: its parent does not list it"},
      {tuf_signed(
           R"({"_type":"timestamp","expires":"2030-01-01T00:00:00Z","meta":{"snapshot.json":[]},"version":1})",
           "t"),
       "its entry has no version"},
  };
  for (const auto& [text, expected] : cases) {
    CAPTURE(text.substr(0, 200));
    TestDocuments documents(repository);
    documents.timestamp = text;
    CHECK_THAT(refusal(trusted(repository), documents), Catch::Contains(expected));
  }
  for (size_t cut = 0; cut < good.size(); cut += 7) {
    TestDocuments documents(repository);
    documents.timestamp = good.substr(0, cut) + "\xff" + good.substr(cut);
    CHECK_FALSE(trusted(repository).update(documents.view(), k_now));
  }
}

TEST_CASE("a delegated role lists files of its paths only") {
  TestRepository repository;
  repository.delegations = fmt::format(
      R"({{"keys":{},"roles":[{{"keyids":["{}"],"name":"P","paths":["datadog/*/P/*/*"],"terminating":true,"threshold":1}}]}})",
      tuf_keys("d"), tuf_key_id('d'));
  const auto delegated = [](std::string_view signer) {
    return tuf_signed(
        fmt::format(R"({{"_type":"targets","expires":"2030-01-01T00:00:00Z","targets":{},"version":1}})",
                    TestRepository::entries(
                        {{"datadog/1/P/id/config", "content"}, {"datadog/1/Q/id/config", "content"}})),
        signer);
  };
  repository.delegated["P"] = delegated("d");
  const auto result = trusted(repository).update(TestDocuments(repository).view(), k_now);
  REQUIRE(result);
  CHECK(result->find("datadog/1/P/id/config") != nullptr);
  CHECK(result->find("datadog/1/Q/id/config") == nullptr);
  CHECK(result->targets().empty());

  TestDocuments documents(repository);
  documents.delegated["P"] += " ";
  CHECK_THAT(refusal(trusted(repository), documents), Catch::Contains("delegated targets: P: wrong length"));
  repository.delegated["P"] = delegated("g");
  CHECK_THAT(refusal(trusted(repository), TestDocuments(repository)),
             Catch::Contains("delegated targets: P: wrong signature"));
}
