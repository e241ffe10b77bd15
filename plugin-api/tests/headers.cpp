// Each public header compiles alone and without warnings.
#include <par/http.h>
#include <par/net.h>
#include <par/plugin.h>
#include <par/plugin.hpp>
#include <par/process.h>

bool par_headers_has_service(const par_host* host);
bool par_headers_has_service(const par_host* host) {
  return PAR_HAS(host, service);
}
