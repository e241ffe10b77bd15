/* par/plugin.h: the plugin ABI of par-runner, version 1.0, release candidate.
 *
 * A plugin is one shared library per namespace. It exports one symbol, par_plugin_v1, and reaches the outside
 * only through services of the host (par/http.h, par/net.h, par/process.h). plugin-api/spec/abi.md states the
 * same rules as numbered requirements.
 *
 * Rules that hold for every declaration below:
 *
 * - A struct without `struct_size` never changes; one with it grows at its end. The side that fills it sets
 * `struct_size`; the other side uses PAR_HAS before it touches a member that version 1.0 did not have.
 * - Memory is never freed on the other side. What a function receives is borrowed until that function
 * returns, unless its comment says otherwise.
 * - A par_str is UTF-8, a par_bytes is any bytes; neither ends with a NUL. An empty one may have a null
 * pointer. Only the ids of services and extensions are C strings, in ASCII.
 * - No exception, signal or longjmp may cross a function declared here, in either direction.
 * - Time crosses as milliseconds that remain; there is no clock in the ABI.
 *
 * Thread tags: [load] one thread, before open or with no call inside; [call] on the thread that is inside
 * open or execute; [any] any thread, as long as the object lives.
 */
#ifndef PAR_PLUGIN_H
#define PAR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#  define PAR_EXPORT __attribute__((visibility("default")))
#else
#  define PAR_EXPORT
#endif

#define PAR_ABI_MAJOR 1u
#define PAR_ABI_MINOR 0u
/* "PAR1" in memory on a little-endian machine. */
#define PAR_MAGIC 0x31524150u
/* ELF section that holds the manifest: JSON up to the first NUL byte or the end of the section. */
#define PAR_MANIFEST_SECTION ".par_manifest"

/* 1 if the struct behind pointer p, filled by the other side, is long enough to hold member m. */
#define PAR_HAS(p, m) ((p)->struct_size >= offsetof(__typeof__(*(p)), m) + sizeof((p)->m))

typedef struct par_str {
  const char* ptr;
  size_t len;
} par_str;

typedef struct par_bytes {
  const uint8_t* ptr;
  size_t len;
} par_bytes;

/* What a function of this ABI answers. A plugin's execute returns PAR_OK, PAR_ERROR or PAR_INTERNAL; a status
 * that a service gave may be passed on as it is and counts as PAR_ERROR. Unknown values count as
 * PAR_INTERNAL. */
typedef int32_t par_status;
enum {
  PAR_OK = 0,
  PAR_ERROR = 1,       /* the action failed: published as error code 2, with the text given to error() */
  PAR_INTERNAL = 2,    /* a defect: exception, broken contract; published as error code 1 */
  PAR_CANCELLED = 3,   /* the call was cancelled while waiting */
  PAR_DEADLINE = 4,    /* a time limit passed: the call's, or that of the single operation */
  PAR_LIMIT = 5,       /* larger than the limit that the caller or the host set */
  PAR_BAD_RESULT = 6,  /* result() was given something that is not one JSON object in valid UTF-8 */
  PAR_INVALID = 7,     /* the caller broke the contract of this function: a defect of the plugin */
  PAR_UNSUPPORTED = 8, /* this host does not do that */
  PAR_POLICY = 9,      /* refused by the operator's policy; the text may be shown to the user */
  PAR_RESOLVE = 10,    /* the host name could not be resolved */
  PAR_CONNECT = 11,    /* no connection, or it was lost */
  PAR_TLS = 12,        /* TLS handshake or certificate check failed */
  PAR_PROTOCOL = 13,   /* the peer sent something malformed */
  PAR_SPAWN = 14       /* a program could not be started */
};

/* State of a call; it only ever rises. */
enum {
  PAR_STATE_RUN = 0,
  PAR_STATE_DRAIN = 1, /* the runner stops soon: finish, start nothing long */
  PAR_STATE_CANCEL = 2 /* return now; after a grace of 2 s the call is abandoned */
};

/* Log levels. */
enum { PAR_LOG_DEBUG = 0, PAR_LOG_INFO = 1, PAR_LOG_WARN = 2, PAR_LOG_ERROR = 3 };

typedef struct par_call par_call;

/* One execution (or one open), made by the host. It may be used from any thread of the plugin, but only until
 * execute (or open) has returned. Every function takes the call itself as its first argument. [any] */
struct par_call {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's own */

  /* PAR_STATE_*. Cheap, may be polled. When the time limit passes it becomes PAR_STATE_CANCEL. */
  int32_t (*state)(const par_call* call);

  /* Milliseconds to the call's time limit, 0 when it has passed, INT64_MAX when there is none. */
  int64_t (*remaining_ms)(const par_call* call);

  /* Sleeps for ms milliseconds (below 0: none). PAR_OK when they have passed; PAR_CANCELLED, at once, when
   * the call is cancelled before that. A drain does not end the wait. */
  par_status (*wait)(const par_call* call, int64_t ms);

  /* Registers fn to be run when the call is cancelled, for libraries that block. PAR_CANCELLED if the call is
   * cancelled already: fn will never run. Else PAR_OK and *id names the registration; at cancel fn runs on a
   * thread that the host uses only for this call's functions, and again every 500 ms until it is removed, so
   * it must be idempotent. fn may call only state() and the host's log(). */
  par_status (*on_cancel)(const par_call* call, void (*fn)(void* arg), void* arg, uint64_t* id);

  /* Removes a registration. Returns when fn is not running and will not run again; inside fn it returns at
   * once. Never call it while holding a lock that fn takes. What is left when execute returns is removed by
   * the host and logged as misbehaviour. */
  void (*off_cancel)(const par_call* call, uint64_t id);

  /* Registers a value that must not appear in logs or error texts while this call lives: a derived token, a
   * password read from a file. Tokens of the connection are registered already. */
  void (*secret)(const par_call* call, par_bytes value);

  /* Largest result in bytes that result() accepts. */
  uint64_t (*max_result_bytes)(const par_call* call);

  /* Hands over the result: the concatenation of `count` parts must be one JSON object in UTF-8, with at most
   * 256 levels. The parts are borrowed for this call only. PAR_OK: accepted, and a second call is refused
   * with PAR_INVALID. PAR_LIMIT or PAR_BAD_RESULT: refused, nothing is kept, result() or error() may be
   * called. */
  par_status (*result)(const par_call* call, const par_str* parts, size_t count);

  /* Describes why the action failed. `message` is the detail for those who run the runner; `display` is what
   * the user of the workflow sees (empty: the same). Both are redacted and cut to 8 KiB. The last one wins.
   * It counts only if execute returns something else than PAR_OK. */
  void (*error)(const par_call* call, par_str message, par_str display);
};

/* One task. Borrowed until execute returns. */
typedef struct par_request {
  uint32_t struct_size;
  uint32_t reserved;
  par_str task_id;
  par_str action;          /* name within the namespace, such as "request" */
  par_str inputs_json;     /* object, valid against the action's input schema */
  par_str connection_json; /* object, see connection.schema.json: id, auth, root_tokens, base_url, ... */
} par_request;

typedef struct par_host par_host;

/* The host as one plugin sees it. Valid from open until close has returned. [any] */
struct par_host {
  uint32_t struct_size;
  uint32_t abi_minor; /* of the host */
  void* host_data;
  par_str name;    /* such as "par-runner" */
  par_str version; /* of the host program */

  /* Writes one log line. `call` may be null: the line then belongs to no task. */
  void (*log)(const par_host* host, const par_call* call, int32_t level, par_str message);

  /* Registers a value that must never appear in logs or error texts, for the life of the process. */
  void (*secret)(const par_host* host, par_bytes value);

  /* The table of a service, such as PAR_HTTP_SERVICE, or null if this host does not have it or the manifest
   * does not list it. The table is valid until close has returned. */
  const void* (*service)(const par_host* host, const char* id);
};

/* The plugin's own state, made by open. */
typedef struct par_instance par_instance;

/* What par_plugin_v1 returns: a table in static storage, the same at every call. */
typedef struct par_plugin {
  uint32_t magic; /* PAR_MAGIC */
  uint32_t struct_size;
  uint32_t abi_major;        /* PAR_ABI_MAJOR */
  uint32_t abi_minor_built;  /* PAR_ABI_MINOR of the header that it was compiled with */
  uint32_t abi_minor_needed; /* the smallest host minor that it can work with */
  uint32_t reserved;

  /* The manifest, byte for byte as in the ELF section. Static storage, no side effects. [any] */
  par_str (*manifest)(void);

  /* Makes the instance. Called once before the first execute, never twice at a time. `settings_json` is the
   * object under plugins.<namespace> of the runner's configuration, valid against config_schema ("{}" if
   * there is none). `call` has no task; its limit is 30 s. *instance may be null. On failure: call->error,
   * return non-OK, leave *instance alone; the next task tries again, not sooner than 5 s later. [load] */
  par_status (*open)(const par_host* host, par_str settings_json, const par_call* call,
                     par_instance** instance);

  /* Ends the instance: joins threads, closes everything. Called at most once, only after a successful open
   * and when no call is inside. May never be called (a call that hangs, a process that ends). [load] */
  void (*close)(par_instance* instance);

  /* Runs one action and returns when it is done. PAR_OK needs one accepted result. Up to max_concurrency of
   * the manifest run at a time, each on a thread of the host. [call] */
  par_status (*execute)(par_instance* instance, const par_request* request, const par_call* call);

  /* An extension of the plugin by id, or null. A plugin without any may leave the pointer null. [any] */
  const void* (*extension)(const char* id);
} par_plugin;

/* The only symbol that a plugin exports. Returns the table and does nothing else. [any] */
PAR_EXPORT const par_plugin* par_plugin_v1(void);
typedef const par_plugin* (*par_plugin_entry)(void);
#define PAR_PLUGIN_ENTRY_NAME "par_plugin_v1"

#ifdef __cplusplus
}
#endif
#endif /* PAR_PLUGIN_H */
