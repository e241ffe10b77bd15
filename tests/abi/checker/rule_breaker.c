/* A plugin that keeps every rule but the one that the build's PAR_BREAK_... names. Valid as C and as C++. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <locale.h>
#include <netinet/in.h>
#include <par/http.h>
#include <par/net.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif
extern const char par_manifest_begin[], par_manifest_end[];

static const par_host* the_host;
static const par_http* http;
static const par_net* net;

static par_str str(const char* text) {
  par_str s = {text, strlen(text)};
  return s;
}

static int is(par_str text, const char* expected) {
  return text.len == strlen(expected) && memcmp(text.ptr, expected, text.len) == 0;
}

static void* sleep_for_ever(void* unused) {
  (void)unused;
  for (;;) pause();
  return NULL;
}

static void start_thread(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, sleep_for_ever, NULL) == 0) pthread_detach(thread);
}

#ifdef PAR_BREAK_LOAD_QUIET
__attribute__((constructor)) static void at_load(void) {
  puts("hello");
}
#endif

static par_str manifest(void) {
  par_str s = {par_manifest_begin, (size_t)(par_manifest_end - par_manifest_begin)};
#ifdef PAR_BREAK_ENTRY_TABLE
  s.len -= 1;
#endif
  return s;
}

static par_status open_plugin(const par_host* host, par_str settings, const par_call* call,
                              par_instance** instance) {
  (void)settings;
  (void)call;
  (void)instance;
#ifdef PAR_BREAK_OPEN_WORKS
  call->error(call, str("no"), str(""));
  return PAR_ERROR;
#endif
#ifdef PAR_BREAK_HOST_NEWER
  if (host->struct_size != sizeof(par_host)) return PAR_ERROR;
#endif
#ifdef PAR_BREAK_HOST_EXACT_TABLES
  /* What it believes to be a member of the next version. */
  if (*(volatile const uint64_t*)(host + 1) == 42) return PAR_ERROR;
#endif
#ifdef PAR_BREAK_CLOSE_LEAVES_NOTHING
  start_thread();
#endif
#ifdef PAR_BREAK_PROCESS_UNTOUCHED
  setenv("RULE_BREAKER", "1", 1);
#endif
  the_host = host;
  http = (const par_http*)host->service(host, PAR_HTTP_SERVICE);
  net = (const par_net*)host->service(host, PAR_NET_SERVICE);
  return PAR_OK;
}

#ifdef PAR_BREAK_REQUEST_RELEASED
static pthread_t late_thread;
static int has_late_thread;
#endif
#ifdef PAR_BREAK_ACTION_LEAVES_NOTHING
static int descriptors[1000];
static int descriptor_count;
#endif

static void close_plugin(par_instance* instance) {
  (void)instance;
#ifdef PAR_BREAK_REQUEST_RELEASED
  if (has_late_thread) pthread_join(late_thread, NULL);
#endif
#ifdef PAR_BREAK_ACTION_LEAVES_NOTHING
  while (descriptor_count > 0) close(descriptors[--descriptor_count]);
#endif
}

static par_status finish(const par_call* call, const char* text) {
  par_str result = str(text);
  par_status status = call->result(call, &result, 1);
#ifdef PAR_BREAK_RESULT_LIMIT
  if (status == PAR_LIMIT) return PAR_OK;
#endif
#ifdef PAR_BREAK_RESULT_FORM
  result = str("[]");
  call->result(call, &result, 1);
#endif
  if (status == PAR_OK) return PAR_OK;
  call->error(call, str("the result was refused"), str(""));
  return PAR_INTERNAL;
}

static par_status fail(const par_call* call, par_status status, const char* text) {
  call->error(call, str(text), str(""));
  return status;
}

/* Asks a server and reads all of its answer. An action does it twice. */
static par_status ask(const par_call* call, int second) {
  par_http_request http_request;
  par_http_response* response = NULL;
  uint8_t buffer[4096];
  size_t got = 0;
  par_status status;
  (void)second;
#ifndef PAR_BREAK_SERVICE_MISSING
  if (http == NULL) return PAR_UNSUPPORTED;
#endif
  memset(&http_request, 0, sizeof http_request);
  http_request.struct_size = sizeof http_request;
  http_request.method = str("GET");
  http_request.url = str("http://server.example/");
  status = http->send(call, &http_request, &response);
#ifdef PAR_BREAK_SERVICE_FAILING
  if (status == 99) abort();
#endif
#ifdef PAR_BREAK_ANSWER_HOSTILE
  /* Seen only by those who answer well once. */
  if (status == PAR_OK && response->header_count > 100) {
    if (second) abort();
    status = PAR_PROTOCOL;
  }
#endif
  while (status == PAR_OK) {
    status = http->read(call, response, buffer, sizeof buffer, &got);
    if (status == PAR_OK && got == 0) break;
  }
#ifdef PAR_BREAK_SERVICE_RELEASED
  if (status != PAR_OK) return status;
#endif
  http->release(call, response);
  return status;
}

/* Dials a database and hears the first byte of its greeting. */
static void dial(const par_call* call) {
  const struct timeval patience = {0, 100 * 1000};
  struct sockaddr_in address;
  par_addresses* addresses = NULL;
  char text[64], first = 0;
  int descriptor;
  if (net == NULL) return;
  if (net->resolve(call, str("db.example"), 5432, &addresses) == PAR_OK) {
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(5432);
    snprintf(text, sizeof text, "%.*s", (int)addresses->addresses[0].len, addresses->addresses[0].ptr);
    inet_pton(AF_INET, text, &address.sin_addr);
    descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(descriptor, (struct sockaddr*)&address, sizeof address) == 0) {
      (void)!recv(descriptor, &first, 1, 0);
    }
#ifdef PAR_BREAK_PEER_HOSTILE
    if (first == 'N') abort();
#endif
    close(descriptor);
  }
  net->release_addresses(call, addresses);
}

#ifdef PAR_BREAK_REQUEST_RELEASED
static void* use_late(void* call) {
  usleep(200 * 1000); /* by then the host has taken the call back, on the slowest machine */
  (void)*(volatile const uint32_t*)call;
  return NULL;
}
#endif

#ifdef PAR_BREAK_CANCEL_FUNCTIONS
static void at_cancel(void* unused) {
  (void)unused;
}
#endif

static par_status execute(par_instance* instance, const par_request* request, const par_call* call) {
  const int cancelled_before = call->state(call) == PAR_STATE_CANCEL;
  par_status status;
  (void)instance;
  (void)cancelled_before;
#ifdef PAR_BREAK_ACTION_UNKNOWN
  if (!is(request->action, "ask")) return finish(call, "{\"answer\":1}");
#else
  if (!is(request->action, "ask")) {
#  ifdef PAR_BREAK_EXCEPTION_CONTAINED
    throw 42;
#  endif
    return fail(call, PAR_INTERNAL, "no such action");
  }
#endif
#ifdef PAR_BREAK_INPUT_HOSTILE
  if (request->inputs_json.len > (200u << 10)) abort();
#endif
#ifdef PAR_BREAK_INPUT_OTHER_TYPE
  if (request->inputs_json.ptr[0] != '{') abort();
#endif
#ifdef PAR_BREAK_REQUEST_READ_ONLY
  ((char*)request->inputs_json.ptr)[0] = ' ';
#endif
#ifdef PAR_BREAK_REQUEST_RELEASED
  if (__atomic_exchange_n(&has_late_thread, 1, __ATOMIC_SEQ_CST) == 0) {
    pthread_create(&late_thread, NULL, use_late, (void*)call);
  }
#endif
#ifdef PAR_BREAK_ACTION_LEAVES_NOTHING
  /* A descriptor that close ends, one for each call. */
  descriptors[__atomic_fetch_add(&descriptor_count, 1, __ATOMIC_SEQ_CST) % 1000] =
      open("/dev/null", O_RDONLY | O_CLOEXEC);
#endif
#ifdef PAR_BREAK_PROCESS_NONE_MADE
  {
    const pid_t child = fork();
    if (child == 0) _exit(0);
  }
#endif
#ifdef PAR_BREAK_SERVICE_ONLY_WAY_OUT
  {
    struct sockaddr_in address;
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(9);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)!connect(descriptor, (struct sockaddr*)&address, sizeof address);
    close(descriptor);
  }
#endif
#ifdef PAR_BREAK_SECRET_HIDDEN
  the_host->log(the_host, call, PAR_LOG_INFO, request->connection_json);
#endif
#ifdef PAR_BREAK_CANCEL_FUNCTIONS
  {
    uint64_t id;
    call->on_cancel(call, at_cancel, NULL, &id);
  }
#endif
#ifdef PAR_BREAK_ACTION_PARALLEL
  {
    static int inside;
    const int others = __atomic_fetch_add(&inside, 1, __ATOMIC_SEQ_CST);
    usleep(2000);
    __atomic_fetch_sub(&inside, 1, __ATOMIC_SEQ_CST);
    if (others != 0) return fail(call, PAR_ERROR, "somebody else is here");
  }
#endif
  dial(call);
  status = ask(call, 0);
  if (status == PAR_OK) status = ask(call, 1);
#ifdef PAR_BREAK_CANCEL_BEFORE
  if (cancelled_before) usleep(2500 * 1000);
#endif
  if (!cancelled_before && call->state(call) == PAR_STATE_CANCEL) {
#ifdef PAR_BREAK_CANCEL_DURING
    if (call->remaining_ms(call) != 0) usleep(2500 * 1000);
#endif
#ifdef PAR_BREAK_CANCEL_LIMIT
    if (call->remaining_ms(call) == 0) usleep(2500 * 1000);
#endif
  }
  if (status != PAR_OK) {
#ifdef PAR_BREAK_ERROR_DESCRIBED
    return PAR_ERROR;
#endif
#ifdef PAR_BREAK_STATUS_KNOWN
    return fail(call, 77, "odd");
#endif
#ifdef PAR_BREAK_RESULT_PRESENT
    return PAR_OK;
#endif
  }
  if (status != PAR_OK) return fail(call, status == 99 ? PAR_ERROR : status, "the server could not be asked");
#ifdef PAR_BREAK_ACTION_SAMPLES
  return finish(call, "{\"answer\":\"a text\"}");
#else
  return finish(call, "{\"answer\":1}");
#endif
}

static const par_plugin k_table = {PAR_MAGIC, sizeof(par_plugin), PAR_ABI_MAJOR, PAR_ABI_MINOR, 0,   0,
                                   manifest,  open_plugin,        close_plugin,  execute,       NULL};

#ifdef PAR_BREAK_LIBRARY_LOADS
extern int rule_breaker_has_no_such_symbol(void);
int (*rule_breaker_wants)(void) = rule_breaker_has_no_such_symbol;
#endif
#ifdef PAR_BREAK_LIBRARY_EXPORTS
PAR_EXPORT int rule_breaker_exports_this(void);
int rule_breaker_exports_this(void) {
  return 1;
}
#endif

const par_plugin* par_plugin_v1(void) {
#ifdef PAR_BREAK_ENTRY_PURE
  static par_plugin copies[2];
  static int count;
  copies[0] = copies[1] = k_table;
  return &copies[count++ % 2];
#else
  return &k_table;
#endif
}

#ifdef __cplusplus
}
#endif
