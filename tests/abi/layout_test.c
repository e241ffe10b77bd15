/* The layout of the public headers on 64-bit machines. Compiled as C and as C++; it has no code to run. A
 * line that fails means that plugins built with an older header would break. */
#include <par/http.h>
#include <par/net.h>
#include <par/plugin.h>
#include <par/process.h>

#ifdef __cplusplus
#  define ASSERT(condition) static_assert(condition, #  condition)
#else
#  define ASSERT(condition) _Static_assert(condition, #  condition)
#endif
#define SIZE(type, bytes) ASSERT(sizeof(type) == (bytes))
#define AT(type, member, offset) ASSERT(offsetof(type, member) == (offset))

SIZE(par_status, 4);

SIZE(par_str, 16);
AT(par_str, ptr, 0);
AT(par_str, len, 8);
SIZE(par_bytes, 16);
AT(par_bytes, ptr, 0);
AT(par_bytes, len, 8);

SIZE(par_call, 88);
AT(par_call, struct_size, 0);
AT(par_call, host_data, 8);
AT(par_call, state, 16);
AT(par_call, remaining_ms, 24);
AT(par_call, wait, 32);
AT(par_call, on_cancel, 40);
AT(par_call, off_cancel, 48);
AT(par_call, secret, 56);
AT(par_call, max_result_bytes, 64);
AT(par_call, result, 72);
AT(par_call, error, 80);

SIZE(par_request, 72);
AT(par_request, struct_size, 0);
AT(par_request, task_id, 8);
AT(par_request, action, 24);
AT(par_request, inputs_json, 40);
AT(par_request, connection_json, 56);

SIZE(par_host, 72);
AT(par_host, struct_size, 0);
AT(par_host, abi_minor, 4);
AT(par_host, host_data, 8);
AT(par_host, name, 16);
AT(par_host, version, 32);
AT(par_host, log, 48);
AT(par_host, secret, 56);
AT(par_host, service, 64);

SIZE(par_plugin, 64);
AT(par_plugin, magic, 0);
AT(par_plugin, struct_size, 4);
AT(par_plugin, abi_major, 8);
AT(par_plugin, abi_minor_built, 12);
AT(par_plugin, abi_minor_needed, 16);
AT(par_plugin, manifest, 24);
AT(par_plugin, open, 32);
AT(par_plugin, close, 40);
AT(par_plugin, execute, 48);
AT(par_plugin, extension, 56);

SIZE(par_http_header, 32);
AT(par_http_header, name, 0);
AT(par_http_header, value, 16);

SIZE(par_http_request, 176);
AT(par_http_request, struct_size, 0);
AT(par_http_request, flags, 4);
AT(par_http_request, method, 8);
AT(par_http_request, url, 24);
AT(par_http_request, headers, 40);
AT(par_http_request, header_count, 48);
AT(par_http_request, body, 56);
AT(par_http_request, body_count, 64);
AT(par_http_request, ca_pem, 72);
AT(par_http_request, client_cert_pem, 88);
AT(par_http_request, client_key_pem, 104);
AT(par_http_request, server_name, 120);
AT(par_http_request, proxy, 136);
AT(par_http_request, timeout_ms, 152);
AT(par_http_request, connect_timeout_ms, 160);
AT(par_http_request, max_body_bytes, 168);

SIZE(par_http_response, 80);
AT(par_http_response, struct_size, 0);
AT(par_http_response, failure, 4);
AT(par_http_response, failure_text, 8);
AT(par_http_response, http_status, 24);
AT(par_http_response, redirects, 28);
AT(par_http_response, reason, 32);
AT(par_http_response, final_url, 48);
AT(par_http_response, headers, 64);
AT(par_http_response, header_count, 72);

SIZE(par_http, 32);
AT(par_http, struct_size, 0);
AT(par_http, send, 8);
AT(par_http, read, 16);
AT(par_http, release, 24);

SIZE(par_addresses, 40);
AT(par_addresses, struct_size, 0);
AT(par_addresses, failure, 4);
AT(par_addresses, failure_text, 8);
AT(par_addresses, addresses, 24);
AT(par_addresses, count, 32);

SIZE(par_pem, 40);
AT(par_pem, struct_size, 0);
AT(par_pem, failure, 4);
AT(par_pem, failure_text, 8);
AT(par_pem, pem, 24);

SIZE(par_net, 40);
AT(par_net, struct_size, 0);
AT(par_net, resolve, 8);
AT(par_net, release_addresses, 16);
AT(par_net, trust_roots, 24);
AT(par_net, release_pem, 32);

SIZE(par_process_request, 96);
AT(par_process_request, struct_size, 0);
AT(par_process_request, overflow, 4);
AT(par_process_request, argv, 8);
AT(par_process_request, argc, 16);
AT(par_process_request, environment, 24);
AT(par_process_request, environment_count, 32);
AT(par_process_request, directory, 40);
AT(par_process_request, input, 56);
AT(par_process_request, timeout_ms, 72);
AT(par_process_request, max_stdout_bytes, 80);
AT(par_process_request, max_stderr_bytes, 88);

SIZE(par_child, 48);
AT(par_child, struct_size, 0);
AT(par_child, failure, 4);
AT(par_child, failure_text, 8);
AT(par_child, exit_code, 24);
AT(par_child, term_signal, 28);
AT(par_child, dropped_stdout, 32);
AT(par_child, dropped_stderr, 40);

SIZE(par_process, 32);
AT(par_process, struct_size, 0);
AT(par_process, start, 8);
AT(par_process, read, 16);
AT(par_process, release, 24);
