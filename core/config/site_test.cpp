#include "core/config/site.hpp"

#include <set>
#include <string>

#include "tests/catch.hpp"

using namespace par::core;

TEST_CASE("sites and regions follow from the base URL") {
  struct Row {
    const char* url;
    const char* host;
    const char* region;
    bool vanity;
  };
  const Row row = GENERATE(Row{"https://app.datadoghq.com", "datadoghq.com", "us1", false},
                           Row{"datadoghq.com", "datadoghq.com", "us1", false},
                           Row{"https://api.datadoghq.com/", "datadoghq.com", "us1", false},
                           Row{"https://app.datadoghq.eu/path?x", "datadoghq.eu", "eu1", false},
                           Row{" https://datadoghq.eu ", "datadoghq.eu", "eu1", false},
                           Row{"https://us3.datadoghq.com", "us3.datadoghq.com", "us3", false},
                           Row{"https://app.us5.datadoghq.com", "us5.datadoghq.com", "us5", false},
                           Row{"https://AP1.datadoghq.com", "ap1.datadoghq.com", "ap1", false},
                           Row{"https://ap2.datadoghq.com.", "ap2.datadoghq.com", "ap2", false},
                           Row{"https://app.ddog-gov.com", "ddog-gov.com", "us1", false},
                           Row{"https://us2.ddog-gov.com", "us2.ddog-gov.com", "us1", false},
                           Row{"https://acme.datadoghq.com", "datadoghq.com", "us1", true},
                           Row{"https://acme.us5.datadoghq.com", "us5.datadoghq.com", "us5", true},
                           Row{"https://acme.datadoghq.eu", "datadoghq.eu", "eu1", true},
                           Row{"https://xdatadoghq.com", "xdatadoghq.com", "us1", false},
                           Row{"https://app.site.test", "site.test", "us1", false},
                           Row{"http://localhost:8080", "localhost", "us1", false});
  CAPTURE(row.url);
  const auto site = derive_site(row.url);
  REQUIRE(site);
  CHECK(site->host == row.host);
  CHECK(site->region == row.region);
  CHECK(site->vanity == row.vanity);
  CHECK(site->known == !std::set<std::string>{"xdatadoghq.com", "site.test", "localhost"}.contains(row.host));
}

TEST_CASE("a base URL without a host is refused") {
  CHECK_FALSE(derive_site(""));
  CHECK_FALSE(derive_site("https://"));
  CHECK_FALSE(derive_site("https://app."));
  CHECK_FALSE(derive_site("a b"));
  CHECK_FALSE(derive_site("ftp://datadoghq.com"));
}
