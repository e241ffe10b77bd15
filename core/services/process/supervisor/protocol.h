/* What the host and par-supervisor say to each other on the control socket (SOCK_SEQPACKET).
 *
 *   par-supervisor TIMEOUT_MS DIRECTORY PROGRAM [ARGUMENT...]
 *
 * Descriptors 0, 1 and 2 and the environment are the program's; descriptor 3 is the control socket. The end
 * of the socket means that the host is gone or has lost interest: everything is killed.
 */
#ifndef PAR_SUPERVISOR_PROTOCOL_H
#define PAR_SUPERVISOR_PROTOCOL_H

#include <stdint.h>

enum {
  PAR_SUPERVISOR_CONTROL_FD = 3,
  PAR_SUPERVISOR_GRACE_MS = 1000, /* between SIGTERM to the leader and SIGKILL to all */
  PAR_SUPERVISOR_REPORT_MS = 500  /* after SIGKILL: the report goes out even if a process does not die */
};

/* One byte each, from the host. */
enum { PAR_COMMAND_CANCEL = 'C', PAR_COMMAND_KILL = 'K' };

/* par_supervisor_event.what */
enum {
  PAR_EVENT_STARTED = 1, /* the program runs; the events below follow later */
  PAR_EVENT_FAILED = 2,  /* it could not be started: stage and error; the last event */
  PAR_EVENT_ENDED = 3    /* it has ended and so have its descendants: the last event */
};

/* Where starting failed. */
enum {
  PAR_STAGE_SYSTEM = 0,      /* fork, pipe and the like */
  PAR_STAGE_DIRECTORY = 1,   /* the working directory */
  PAR_STAGE_NO_PATH = 2,     /* a bare name, and the environment has no PATH */
  PAR_STAGE_LOOKUP = 3,      /* a bare name that no directory of PATH has */
  PAR_STAGE_INTERPRETER = 4, /* the file exists, the interpreter that it names does not */
  PAR_STAGE_EXEC = 5
};

/* Who ended the program, if it did not leave by itself. */
enum { PAR_ENDED_ITSELF = 0, PAR_ENDED_CANCEL = 1, PAR_ENDED_TIMEOUT = 2, PAR_ENDED_KILL = 3 };

struct par_supervisor_event {
  int32_t what;
  int32_t stage;     /* FAILED */
  int32_t error;     /* FAILED: errno */
  int32_t exit_code; /* ENDED */
  int32_t signal;    /* ENDED: 0 if it left by itself */
  int32_t cause;     /* ENDED: PAR_ENDED_* */
  int32_t survivors; /* ENDED: 1 if a descendant could not be killed in time */
};

#endif
