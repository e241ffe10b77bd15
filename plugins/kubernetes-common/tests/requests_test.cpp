#include <ctime>

#include <par/sdk/error.hpp>

#include "bodies.hpp"
#include "outputs.hpp"
#include "paths.hpp"
#include "slices.hpp"
#include "tests/catch.hpp"

using namespace kubernetes;

namespace {

const Kind& kind(std::string_view bundle, std::string_view name) {
  for (const Kind& known : find_bundle(bundle)->kinds) {
    if (known.name == name) return known;
  }
  FAIL("no such kind");
  throw name;
}

std::string joined(const std::optional<Parts>& parts) {
  std::string text;
  REQUIRE(parts);
  for (const std::string_view part : *parts) text += part;
  return text;
}

std::string message_of(std::string_view segment) {
  try {
    return path_segment(segment, "name");
  } catch (const par::Error& error) {
    return error.message();
  }
}

}  // namespace

TEST_CASE("paths of the core group and of others, of namespaces and of the cluster") {
  CHECK(collection_path(kind("core", "Pod"), "shop") == "/api/v1/namespaces/shop/pods");
  CHECK(collection_path(kind("core", "Pod"), "") == "/api/v1/pods");
  CHECK(collection_path(kind("core", "Node"), "ignored") == "/api/v1/nodes");
  CHECK(object_path(kind("core", "Namespace"), "", "shop") == "/api/v1/namespaces/shop");
  CHECK(object_path(kind("apps", "Deployment"), "shop", "web") ==
        "/apis/apps/v1/namespaces/shop/deployments/web");
}

TEST_CASE("what means something in a URL is encoded") {
  CHECK(path_segment("web-1.a_b~c", "name") == "web-1.a_b~c");
  CHECK(path_segment("a b?c#d&e=f;g:h+\"\\", "name") == "a%20b%3Fc%23d%26e%3Df%3Bg%3Ah%2B%22%5C");
  CHECK(path_segment("\xC3\xA4", "name") == "%C3%A4");
  CHECK(path_segment("...", "name") == "...");
  CHECK(Query().add("a", "x=1,y!=2").add("b", "").add("c", "z z").text() == "?a=x%3D1%2Cy%21%3D2&c=z%20z");
  CHECK(Query().text().empty());
}

TEST_CASE("names that would lead elsewhere are refused") {
  CHECK(message_of("") == "name is empty: give the name of one object");
  CHECK(message_of(".") == "name may not be \".\"");
  CHECK(message_of("..") == "name may not be \"..\"");
  for (const std::string_view name : std::initializer_list<std::string_view>{
           "a/b", "/", "a%2Fb", "%", "a\nb", "a\rb", std::string_view("a\0b", 3), "\x7F"}) {
    CHECK(message_of(name) == "name may not contain '/', '%' or control characters");
  }
  CHECK_THROWS_AS(object_path(kind("core", "Pod"), "", "web"), par::Error);
  CHECK_THROWS_AS(object_path(kind("core", "Pod"), "a/b", "web"), par::Error);
  CHECK_THROWS_AS(collection_path(kind("core", "Pod"), ".."), par::Error);
}

TEST_CASE("a manifest gets its kind and keeps everything else, as compact JSON") {
  par::json::Document body;
  std::string error;
  REQUIRE(par::json::parse(
      R"({ "kind": "Secret", "metadata": { "name": "a" }, "data" : {"n": 9223372036854775807, "f": 1.5}, "apiVersion": "v9" })",
      body, error));
  CHECK(
      manifest_body(kind("apps", "ControllerRevision"), body) ==
      R"({"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"a"},"data":{"n":9223372036854775807,"f":1.5}})");
}

TEST_CASE("options of a delete are its body") {
  const VerbRow& verb = all_verbs()[static_cast<size_t>(Verb::remove)];
  const Kind& pod = kind("core", "Pod");
  CHECK(delete_options(Inputs(R"({"namespace":"n","name":"a"})", pod, verb)) ==
        R"({"kind":"DeleteOptions","apiVersion":"v1"})");
  const Inputs all(
      R"({"namespace":"n","name":"a","gracePeriodSeconds":0,"propagationPolicy":"Orphan","dryRun":"All"})",
      pod, verb);
  CHECK(
      delete_options(all, "u-1") ==
      R"({"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"propagationPolicy":"Orphan","preconditions":{"uid":"u-1"},"dryRun":["All"]})");
}

TEST_CASE("a restart writes the local time with its offset") {
  const auto time_in = [](const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    const std::string patch = restart_patch(1767322985);  // 2026-01-02T03:03:05Z
    const size_t at = patch.find("restartedAt\":\"") + 14;
    return patch.substr(at, patch.find('"', at) - at);
  };
  CHECK(time_in("UTC") == "2026-01-02T03:03:05Z");
  CHECK(time_in("XXX-05:30") == "2026-01-02T08:33:05+05:30");
  CHECK(time_in("XXX03") == "2026-01-02T00:03:05-03:00");
  ::unsetenv("TZ");
  ::tzset();
  CHECK(restart_patch(0).find(
            R"({"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":")") == 0);
}

TEST_CASE("an update is named by its manifest") {
  const VerbRow& verb = all_verbs()[static_cast<size_t>(Verb::update)];
  const Kind& pod = kind("core", "Pod");
  CHECK(Inputs(R"({"namespace":"n","name":"other","body":{"metadata":{"name":"a"}}})", pod, verb).name ==
        "a");
  for (const char* const body :
       {R"({})", R"({"metadata":{}})", R"({"metadata":5})", R"({"metadata":{"name":""}})"}) {
    CHECK_THROWS_AS(Inputs(R"({"namespace":"n","name":"other","body":)" + std::string(body) + "}", pod, verb),
                    par::Error);
  }
}

TEST_CASE("outputs are cut out of the answer unchanged") {
  CHECK(
      joined(object_output(
          kind("core", "ConfigMap"),
          R"({"kind":"ConfigMap","apiVersion":"v1", "metadata" : {"name":"a\"}","n":12345678901234567890} ,"data":{"x":"}"}}
)")) == R"({"metadata":{"name":"a\"}","n":12345678901234567890},"data":{"x":"}"}})");
  CHECK(joined(object_output(kind("apps", "ControllerRevision"), R"({"metadata":{},"data":[1e3]})")) ==
        R"({"metadata":{},"data":[1e3],"revision":0})");
}

TEST_CASE("fields that are always given get an empty value") {
  constexpr const char* k_bare = R"({"metadata":{}})";
  CHECK(joined(object_output(kind("core", "Pod"), k_bare)) == R"({"metadata":{},"spec":{},"status":{}})");
  CHECK(joined(object_output(kind("core", "ConfigMap"), k_bare)) == R"({"metadata":{}})");
  CHECK(joined(object_output(kind("core", "PodTemplate"), k_bare)) == R"({"metadata":{},"template":{}})");
  CHECK(joined(object_output(kind("core", "Event"), R"({"metadata":{},"reason":"r"})")) ==
        R"({"metadata":{},"involvedObject":{},"reason":"r","reportingComponent":"","reportingInstance":""})");
}

TEST_CASE("a list keeps items and metadata") {
  CHECK(joined(list_output(R"({"kind":"PodList","metadata":{"continue":"x"},"items":[{"a":[1,{}]},{}]})")) ==
        R"({"items":[{"a":[1,{}]},{}],"metadata":{"continue":"x"}})");
  CHECK(joined(list_output(R"({"items":null})")) == R"({"items":[],"metadata":{}})");
  for (const char* const text : {R"({"metadata":{}})", R"({"items":{}})", R"({"items":"x"})",
                                 R"({"items":[],"metadata":[]})", "[]", "{}"}) {
    CAPTURE(text);
    CHECK_FALSE(list_output(text));
  }
}

TEST_CASE("JSON without metadata is no object of Kubernetes") {
  for (const char* const text : {"{}", R"({"ok":true})", R"({"metadata":null})", R"({"metadata":"x"})"}) {
    CAPTURE(text);
    CHECK_FALSE(object_output(kind("core", "Pod"), text));
  }
}

TEST_CASE("what is no object has no slices") {
  for (const char* const text :
       {"", " ", "[]", "5", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\":\"x",
        "{\"a\":\"\\\"}", "{\"a\":[1,2}", "{\"a\":{}} x", "{a:1}", "{\"a\" 1}", "{\"a\":}"}) {
    CAPTURE(text);
    CHECK_FALSE(slices_of(text));
  }
  const auto slices = slices_of(" { \"a\\\\\" : \"\\\\\\\"\" , \"b\":-1.5e9\n} \n");
  REQUIRE(slices);
  REQUIRE(slices->size() == 2);
  CHECK((*slices)[0].name == "a\\\\");
  CHECK((*slices)[0].value == "\"\\\\\\\"\"");
  CHECK(find_slice(*slices, "b") == "-1.5e9");
  CHECK(find_slice(*slices, "c").empty());
  CHECK(slices_of("{}")->empty());
}
