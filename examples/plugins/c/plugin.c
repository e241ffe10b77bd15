/* A plugin in plain C, without the SDK. */
#include <par/plugin.h>
#include <stdlib.h>
#include <string.h>

/* par_add_plugin() puts manifest.json between these. */
extern const char par_manifest_begin[], par_manifest_end[];

struct par_instance {
  const par_host* host;
};

static par_str str(const char* text) {
  par_str s = {text, strlen(text)};
  return s;
}

static int equals(par_str text, const char* expected) {
  return text.len == strlen(expected) && memcmp(text.ptr, expected, text.len) == 0;
}

static par_str manifest(void) {
  par_str s = {par_manifest_begin, (size_t)(par_manifest_end - par_manifest_begin)};
  return s;
}

static par_status open_plugin(const par_host* host, par_str settings, const par_call* call,
                              par_instance** instance) {
  par_instance* made = malloc(sizeof *made);
  (void)settings;
  if (made == NULL) {
    call->error(call, str("out of memory"), str(""));
    return PAR_INTERNAL;
  }
  made->host = host;
  *instance = made;
  return PAR_OK;
}

static void close_plugin(par_instance* instance) {
  free(instance);
}

/* What result() refuses is told to the user; execute must not say PAR_OK then. */
static par_status give(const par_call* call, const par_str* parts, size_t count) {
  const par_status status = call->result(call, parts, count);
  if (status == PAR_OK) return PAR_OK;
  call->error(call, str(status == PAR_LIMIT ? "the result is too large" : "the result is not valid"),
              str(""));
  return status == PAR_LIMIT ? PAR_ERROR : PAR_INTERNAL;
}

static par_status greet(const par_instance* instance, const par_request* request, const par_call* call) {
  /* inputs_json is a JSON object, so it can be put into the result as it is; the host joins the parts. */
  const par_str parts[] = {str("{\"greeted\":"), request->inputs_json, str("}")};
  instance->host->log(instance->host, call, PAR_LOG_INFO, str("greeting"));
  return give(call, parts, 3);
}

static par_status pause_for_a_while(const par_call* call) {
  const par_str empty = str("{}");
  if (call->wait(call, 20) == PAR_CANCELLED) { /* ends early when the task is cancelled */
    call->error(call, str("cancelled while waiting"), str(""));
    return PAR_CANCELLED;
  }
  return give(call, &empty, 1);
}

static par_status execute(par_instance* instance, const par_request* request, const par_call* call) {
  if (equals(request->action, "greet")) return greet(instance, request, call);
  if (equals(request->action, "pause")) return pause_for_a_while(call);
  call->error(call, str("no such action"), str(""));
  return PAR_INTERNAL;
}

static const par_plugin k_table = {PAR_MAGIC, sizeof(par_plugin), PAR_ABI_MAJOR, PAR_ABI_MINOR, 0,   0,
                                   manifest,  open_plugin,        close_plugin,  execute,       NULL};

const par_plugin* par_plugin_v1(void) {
  return &k_table;
}
