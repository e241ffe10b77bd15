/* par/process.h: the host service "par.process/1", child processes.
 *
 * The host starts, watches, ends and reaps every child, with all its descendants; plugins never fork.
 */
#ifndef PAR_PROCESS_H
#define PAR_PROCESS_H

#include <par/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PAR_PROCESS_SERVICE "par.process/1"

enum { PAR_STDOUT = 1, PAR_STDERR = 2 };

/* What happens when a stream has given max bytes. */
enum {
  PAR_OVERFLOW_KILL = 0,    /* the process is ended and read() answers PAR_LIMIT */
  PAR_OVERFLOW_DISCARD = 1, /* the first bytes are delivered, the rest is read and dropped */
  PAR_OVERFLOW_TAIL = 2     /* the last bytes, at most 64 MiB, are delivered after the process has ended */
};

typedef struct par_process_request {
  uint32_t struct_size;
  uint32_t overflow;     /* PAR_OVERFLOW_* */
  const par_bytes* argv; /* argv[0] is a path or a name looked up in the PATH of `environment`. No shell */
  size_t argc;
  const par_bytes* environment; /* "NAME=value"; the child gets these and nothing else */
  size_t environment_count;
  par_bytes directory;       /* working directory; empty: "/" */
  par_bytes input;           /* standard input, then end of file */
  int64_t timeout_ms;        /* 0 or -1: only the call's limit */
  uint64_t max_stdout_bytes; /* 0: 10 MiB */
  uint64_t max_stderr_bytes; /* 0: 10 MiB */
} par_process_request;

/* A child. Made by the host, released by the plugin. exit_code and term_signal are set once read() has
 * answered PAR_OK with *got == 0; a signal of 0 means that the child left by itself. */
typedef struct par_child {
  uint32_t struct_size;
  par_status failure;
  par_str failure_text;
  int32_t exit_code;
  int32_t term_signal;
  uint64_t dropped_stdout; /* bytes that were not delivered */
  uint64_t dropped_stderr;
} par_child;

typedef struct par_process {
  uint32_t struct_size;
  uint32_t reserved;

  /* Starts a program. *child is always set, also on failure (PAR_SPAWN). [call] */
  par_status (*start)(const par_call* call, const par_process_request* request, par_child** child);

  /* Waits for output and copies at most cap bytes of one stream into buf; *stream says which. PAR_OK with
   * *got == 0: both streams are at their end and the child has ended. At cancel or when the time limit passes
   * the leader gets SIGTERM and everything that is left gets SIGKILL a second later; read() goes on
   * delivering until then and at last answers PAR_CANCELLED or PAR_DEADLINE. One thread at a time per child.
   */
  par_status (*read)(const par_call* call, par_child* child, int32_t* stream, uint8_t* buf, size_t cap,
                     size_t* got);

  /* Ends the use of a child. If it still runs, it and its descendants are killed. */
  void (*release)(const par_call* call, par_child* child);
} par_process;

#ifdef __cplusplus
}
#endif
#endif /* PAR_PROCESS_H */
