/* The table and the manifest. Go fills the functions in; calls of the host's functions go through C, since Go
 * has no pointers to C functions that it could call. */
#include "table.h"

#include "_cgo_export.h"

__asm__(
    ".pushsection .par_manifest,\"a\",%progbits\n"
    ".globl par_manifest_begin\n.hidden par_manifest_begin\npar_manifest_begin:\n"
    ".incbin \"manifest.json\"\n"
    ".globl par_manifest_end\n.hidden par_manifest_end\npar_manifest_end:\n"
    ".byte 0\n"
    ".popsection\n");
extern const char par_manifest_begin[], par_manifest_end[];

static par_str manifest(void) {
  par_str text = {par_manifest_begin, (size_t)(par_manifest_end - par_manifest_begin)};
  return text;
}

static par_status open_plugin(const par_host* host, par_str settings, const par_call* call,
                              par_instance** instance) {
  (void)settings;
  (void)call;
  *instance = (par_instance*)host; /* this example has no state but the host */
  return PAR_OK;
}

static void close_plugin(par_instance* instance) {
  (void)instance;
}

static par_status execute(par_instance* instance, const par_request* request, const par_call* call) {
  return goExecute((par_host*)instance, (par_request*)request, (par_call*)call);
}

static const par_plugin k_table = {PAR_MAGIC, sizeof(par_plugin), PAR_ABI_MAJOR, PAR_ABI_MINOR, 0,   0,
                                   manifest,  open_plugin,        close_plugin,  execute,       NULL};

PAR_EXPORT const par_plugin* par_plugin_v1(void) {
  return &k_table;
}

par_status call_result(const par_call* call, const char* text, size_t size) {
  const par_str part = {text, size};
  return call->result(call, &part, 1);
}

void call_error(const par_call* call, const char* text, size_t size) {
  const par_str message = {text, size};
  const par_str same = {NULL, 0};
  call->error(call, message, same);
}

par_status call_wait(const par_call* call, int64_t milliseconds) {
  return call->wait(call, milliseconds);
}
