/* The headers compile as C11 without padding, and 1.0 has these sizes on every 64-bit machine. */
#include <par/http.h>
#include <par/net.h>
#include <par/plugin.h>
#include <par/process.h>

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed its layout")
SIZE(par_str, 16);
SIZE(par_bytes, 16);
SIZE(par_call, 88);
SIZE(par_request, 72);
SIZE(par_host, 72);
SIZE(par_plugin, 64);
SIZE(par_http_header, 32);
SIZE(par_http_request, 176);
SIZE(par_http_response, 80);
SIZE(par_http, 32);
SIZE(par_addresses, 40);
SIZE(par_pem, 40);
SIZE(par_net, 40);
SIZE(par_process_request, 96);
SIZE(par_child, 48);
SIZE(par_process, 32);

int par_layout_host_has_service(const par_host* host);
int par_layout_host_has_service(const par_host* host) {
  return PAR_HAS(host, service);
}
