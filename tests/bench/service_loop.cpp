// GETs one URL over and over through "par.http/1", as a plugin does, on one kept connection:
//   bench_service_loop URL CA COUNT
// Prints requests per second and microseconds of CPU per request.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fcntl.h>

#include "core/services/call_scope.hpp"
#include "core/services/service_tables.hpp"
#include "core/services/services.hpp"
#include "core/services/trust_store.hpp"
#include "core/telemetry/log.hpp"
#include "core/telemetry/redactor.hpp"

using namespace par::core;

namespace {

double cpu_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Host {
  Redactor redactor;
  Log log{2, LogFormat::text, LogLevel::error, redactor};
  boost::asio::io_context control;
  std::shared_ptr<TrustStore> trust = TrustStore::load({}).value();
  HttpClient client{control, trust, {}, log};
  EgressSettings egress;
  Services services{client, trust, egress, {}};
  const par_http* http = static_cast<const par_http*>(services.find(PAR_HTTP_SERVICE));
};

// One request with its whole body; false after a failure.
bool get(const par_http& http, const std::string& url, const std::string& ca, std::vector<uint8_t>& buffer) {
  CallScope scope("com.datadoghq.http", "", {}, std::nullopt);
  par_call call{};
  call.struct_size = sizeof call;
  call.host_data = &scope;
  par_http_request request{};
  request.struct_size = sizeof request;
  request.method = to_par_str("GET");
  request.url = to_par_str(url);
  request.ca_pem = to_par_bytes(ca);
  const par_http_header plain{to_par_bytes("Accept-Encoding"), to_par_bytes("identity")};
  request.headers = &plain;
  request.header_count = 1;
  par_http_response* response = nullptr;
  par_status status = http.send(&call, &request, &response);
  size_t got = 1;
  while (status == PAR_OK && got != 0)
    status = http.read(&call, response, buffer.data(), buffer.size(), &got);
  if (status != PAR_OK || response->http_status != 200) {
    const std::string text(view(response->failure_text));
    std::fprintf(stderr, "bench_service_loop: status %d: %s\n", response->http_status, text.c_str());
    return false;
  }
  http.release(&call, response);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: bench_service_loop URL CA COUNT\n", stderr);
    return 2;
  }
  std::ifstream file(argv[2]);
  const std::string ca{std::istreambuf_iterator<char>(file), {}};
  const std::string url = argv[1];
  const int count = std::stoi(argv[3]);
  Host host;
  std::vector<uint8_t> buffer(64u << 10);
  if (!get(*host.http, url, ca, buffer)) return 1;
  const double cpu_before = cpu_microseconds();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    if (!get(*host.http, url, ca, buffer)) return 1;
  }
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  std::printf("%.1f %.1f\n", count / passed.count(), (cpu_microseconds() - cpu_before) / count);
  return 0;
}
