#include "core/services/egress.hpp"

#include "core/policy/host_allowlist.hpp"
#include "tests/catch.hpp"

using namespace par::core;

namespace {

EgressSettings settings(bool allow_imds, std::optional<std::vector<std::string>> hosts = std::nullopt) {
  EgressSettings out;
  out.allow_imds_endpoint = allow_imds;
  if (hosts) out.host_allowlist = std::make_shared<HostAllowlist>(HostAllowlist::parse(*hosts).value());
  return out;
}

}  // namespace

TEST_CASE("Each namespace has its row of the policy table") {
  struct Expected {
    const char* plugin_namespace;
    bool host_allowlist, metadata_block, imds_option, datadog_headers, same_origin, own_proxy;
  };
  const auto expected =
      GENERATE(Expected{"com.datadoghq.http", true, true, true, true, false, false},
               Expected{"com.datadoghq.jenkins", false, true, false, false, false, false},
               Expected{"com.datadoghq.kubernetes.core", false, false, false, false, true, true},
               Expected{"com.datadoghq.kubernetes.apps", false, false, false, false, true, true},
               Expected{"com.datadoghq.kubernetes", true, true, false, false, false, false},
               Expected{"com.datadoghq.kubernetesx.apps", true, true, false, false, false, false},
               Expected{"com.datadoghq.postgresql", true, true, false, false, false, false},
               Expected{"com.datadoghq.http.extra", true, true, false, false, false, false},
               Expected{"org.example.anything", true, true, false, false, false, false},
               Expected{"", true, true, false, false, false, false});
  INFO(expected.plugin_namespace);
  const auto& row = egress_row(expected.plugin_namespace);
  CHECK(row.host_allowlist == expected.host_allowlist);
  CHECK(row.metadata_block == expected.metadata_block);
  CHECK(row.imds_option == expected.imds_option);
  CHECK(row.datadog_headers == expected.datadog_headers);
  CHECK(row.same_origin_redirects == expected.same_origin);
  CHECK(row.proxy_per_request == expected.own_proxy);
}

TEST_CASE("Metadata addresses are refused in every form") {
  const auto blocked =
      GENERATE("169.254.169.254", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::169.254.169.254",
               "::a9fe:a9fe", "64:ff9b::a9fe:a9fe", "64:ff9b::169.254.169.254", "64:ff9b:1::a9fe:a9fe",
               "64:ff9b:1:2:3:4:a9fe:a9fe", "::ffff:0:169.254.169.254", "fd00:ec2::254",
               "FD00:0EC2:0:0:0:0:0:0254", "fd00:ec2::254%1", "::ffff:169.254.169.254%1");
  INFO(blocked);
  const auto plain = settings(false);
  const auto opened = settings(true);
  for (const char* name : {"com.datadoghq.http", "com.datadoghq.jenkins", "org.example.x"}) {
    const EgressPolicy policy(egress_row(name), plain);
    const auto refused = policy.check_address(blocked);
    REQUIRE(!refused);
    CHECK(refused.error().message.find("allowIMDSEndpoint") != std::string::npos);
  }
  CHECK(EgressPolicy(egress_row("com.datadoghq.http"), opened).check_address(blocked));
  CHECK(!EgressPolicy(egress_row("com.datadoghq.jenkins"), opened).check_address(blocked));
  CHECK(!EgressPolicy(egress_row("org.example.x"), opened).check_address(blocked));
  CHECK(EgressPolicy(egress_row("com.datadoghq.kubernetes.core"), plain).check_address(blocked));
  CHECK(EgressPolicy::unrestricted().check_address(blocked));
}

TEST_CASE("Neighbours of the metadata addresses pass") {
  const auto passed = GENERATE(
      "169.254.170.2", "169.254.169.253", "127.0.0.1", "10.0.0.1", "::1", "::", "fe80::1", "fd00:ec2::253",
      "::ffff:10.0.0.1", "64:ff9b:2::a9fe:a9fe", "2001:db8::a9fe:a9fe",
      "2002:a9fe:a9fe::1");  // the last is a host behind a 6to4 router of that address, not the address
  INFO(passed);
  const auto plain = settings(false);
  CHECK(EgressPolicy(egress_row("com.datadoghq.http"), plain).check_address(passed));
}

TEST_CASE("A host that spells a metadata address is refused before anybody resolves it") {
  const auto host = GENERATE("169.254.169.254", "169.254.169.254.", "169.254.169.254..", "2852039166",
                             "0xa9fea9fe", "0XA9FEA9FE.", "0251.0376.0251.0376", "169.254.43518",
                             "169.16689662", "fd00:ec2::254", "fd00:ec2::254%25eth77",
                             "fd00:ec2::254%no-such-zone", "::ffff:a9fe:a9fe%25lo", "64:ff9b::a9fe:a9fe");
  INFO(host);
  const auto plain = settings(false);
  const auto refused = EgressPolicy(egress_row("com.datadoghq.http"), plain).check_host(host);
  REQUIRE(!refused);
  CHECK(refused.error().message.find("allowIMDSEndpoint") != std::string::npos);
  CHECK(!EgressPolicy(egress_row("org.example.x"), plain).check_host(host));
  CHECK(EgressPolicy(egress_row("com.datadoghq.http"), settings(true)).check_host(host));
  CHECK(EgressPolicy(egress_row("com.datadoghq.kubernetes.core"), plain).check_host(host));
  for (const char* other :
       {"169.254.169.253", "fd00:ec2::254.example", "a9fe", "0xa9fea9fg", "x.169.254.169.254", ""})
    CHECK(EgressPolicy(egress_row("com.datadoghq.http"), plain).check_host(other));
}

TEST_CASE("Something that is no address is refused where addresses matter") {
  const auto plain = settings(false);
  CHECK(!EgressPolicy(egress_row("com.datadoghq.http"), plain).check_address("example.com"));
  CHECK(!EgressPolicy(egress_row("com.datadoghq.http"), plain).check_address(""));
}

TEST_CASE("The host allowlist holds for the rows that have it, and its refusal names it") {
  const auto some = settings(false, {{"*.corp.test", "exact.test"}});
  const auto none = settings(false, {{}});
  const auto all = settings(false);
  for (const char* name : {"com.datadoghq.http", "com.datadoghq.postgresql", "org.example.x"}) {
    INFO(name);
    CHECK(EgressPolicy(egress_row(name), some).check_host("a.corp.test"));
    CHECK(EgressPolicy(egress_row(name), some).check_host("exact.test"));
    const auto refused = EgressPolicy(egress_row(name), some).check_host("corp.test");
    REQUIRE(!refused);
    CHECK(refused.error().message.find("`allowlist`") != std::string::npos);
    CHECK(!EgressPolicy(egress_row(name), none).check_host("exact.test"));
    CHECK(EgressPolicy(egress_row(name), all).check_host("anything.test"));
  }
  CHECK(EgressPolicy(egress_row("com.datadoghq.jenkins"), none).check_host("x.test"));
  CHECK(EgressPolicy(egress_row("com.datadoghq.kubernetes.core"), none).check_host("x.test"));
  CHECK(EgressPolicy::unrestricted().check_host("x.test"));
}
