/* A plugin that is wrong in the way that the build's PAR_TEST_... names. Valid as C and as C++. */
#include <par/plugin.h>
#include <string.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif
extern const char par_manifest_begin[], par_manifest_end[];

#ifdef PAR_TEST_NO_SYMBOL
#  define par_plugin_v1 par_test_entry
PAR_EXPORT const par_plugin* par_plugin_v1(void);
#endif
#ifdef PAR_TEST_MISSING_LIBRARY
int par_test_function_that_no_library_has(void);
#endif

static par_str str(const char* text) {
  par_str s = {text, strlen(text)};
  return s;
}

static par_str manifest(void) {
#ifdef PAR_TEST_FOREIGN_MANIFEST
  return str("{\"manifest_version\":1}");
#else
  par_str s = {par_manifest_begin, (size_t)(par_manifest_end - par_manifest_begin)};
  return s;
#endif
}

static par_status open_plugin(const par_host* host, par_str settings, const par_call* call,
                              par_instance** instance) {
  (void)host;
  (void)settings;
  (void)call;
  (void)instance;
#ifdef PAR_TEST_MISSING_LIBRARY
  if (par_test_function_that_no_library_has() != 0) return PAR_ERROR;
#endif
#ifdef PAR_TEST_OPEN_FAILS
  call->error(call, str("the licence has expired"), str(""));
  return PAR_ERROR;
#endif
#ifdef PAR_TEST_OPENS_AT_SECOND_TRY
  static int tries;
  if (++tries == 1) {
    call->error(call, str("try again"), str(""));
    return PAR_ERROR;
  }
#endif
#ifdef PAR_TEST_OPEN_HANGS
  for (;;) pause();
#endif
#ifdef PAR_TEST_OPEN_THROWS
  throw 42;
#endif
  return PAR_OK;
}

static void close_plugin(par_instance* instance) {
  (void)instance;
}

#ifdef PAR_TEST_NEWER_MINOR
/* A call as a later header has it: with a function that this host does not have. */
typedef struct newer_call {
  uint32_t struct_size;
  uint32_t reserved;
  uint8_t known[sizeof(par_call) - 8];
  void (*later)(const par_call* call);
} newer_call;
#endif

static par_status execute(par_instance* instance, const par_request* request, const par_call* call) {
  par_str result = str("{}");
  (void)instance;
  (void)request;
#ifdef PAR_TEST_NEWER_MINOR
  const newer_call* newer = (const newer_call*)(const void*)call;
  if (PAR_HAS(newer, later)) {
    newer->later(call);
  } else {
    result = str("{\"without\":\"later\"}");
  }
#endif
  return call->result(call, &result, 1);
}

/* A plugin that was built with a later minor: its table is longer, and what this host does not know is odd.
 */
typedef struct NewerTable {
  par_plugin known;
  uint64_t unknown[8];
} NewerTable;

#ifdef PAR_TEST_NEWER_MINOR
static const NewerTable k_table_of_newer_minor = {
    {PAR_MAGIC, sizeof(NewerTable), PAR_ABI_MAJOR, PAR_ABI_MINOR + 5, 0, 0, manifest, open_plugin,
     close_plugin, execute, NULL},
    {1, 2, 3, 4, 5, 6, 7, 8}};
#endif

static const par_plugin k_table = {
#ifdef PAR_TEST_WRONG_MAGIC
    0x12345678u,
#else
    PAR_MAGIC,
#endif
#ifdef PAR_TEST_SHORT_TABLE
    32,
#else
    sizeof(par_plugin),
#endif
#ifdef PAR_TEST_WRONG_MAJOR
    2,
#else
    PAR_ABI_MAJOR,
#endif
    PAR_ABI_MINOR,
#ifdef PAR_TEST_NEEDS_NEWER_MINOR
    PAR_ABI_MINOR + 1,
#else
    0,
#endif
    0,
    manifest,
    open_plugin,
    close_plugin,
#ifdef PAR_TEST_MISSING_FUNCTION
    NULL,
#else
    execute,
#endif
    NULL};

const par_plugin* par_plugin_v1(void) {
  (void)execute; /* not every variant uses it */
  (void)k_table;
#if defined(PAR_TEST_NO_TABLE)
  return NULL;
#elif defined(PAR_TEST_NEWER_MINOR)
  return &k_table_of_newer_minor.known;
#else
  return &k_table;
#endif
}

#ifdef __cplusplus
}
#endif
