/* par-supervisor: runs one program for par-runner and ends it with everything that it started.
 *
 * It is a program of its own, and small, because only a process can be a subreaper for exactly one run:
 * orphans of the run become its children, whatever sessions and groups they made, and can be found and
 * killed. Its own children cannot vanish before it reaps them, so no process id that it signals can meanwhile
 * belong to somebody else.
 *
 * It holds a clock too: the time limit and the second between SIGTERM and SIGKILL do not depend on the host's
 * threads.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/services/process/supervisor/protocol.h"

extern char** environ;

struct Failure {
  int32_t stage;
  int32_t error;
};

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void send_event(const struct par_supervisor_event* event) {
  while (send(PAR_SUPERVISOR_CONTROL_FD, event, sizeof *event, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

/* ---- the leader's side of fork ---- */

/* Replaces errno by the reason that helps: execve says EACCES for a directory and ENOENT for a missing
 * interpreter. */
static struct Failure explain_exec(const char* path, int error) {
  struct Failure failure = {PAR_STAGE_EXEC, error};
  struct stat status;
  if (stat(path, &status) == 0) {
    if (S_ISDIR(status.st_mode)) failure.error = EISDIR;
    if (error == ENOENT) failure.stage = PAR_STAGE_INTERPRETER;
  }
  return failure;
}

/* Like execvp, but a file without "#!" is an error instead of a shell script, and empty entries of PATH do
 * not mean the working directory. Returns only on failure. */
static struct Failure execute(char** argv) {
  if (strchr(argv[0], '/')) {
    execve(argv[0], argv, environ);
    return explain_exec(argv[0], errno);
  }
  const char* path = getenv("PATH");
  if (!path || !*path) return (struct Failure){PAR_STAGE_NO_PATH, ENOENT};
  struct Failure failure = {PAR_STAGE_LOOKUP, ENOENT};
  while (*path) {
    const size_t length = strcspn(path, ":");
    char candidate[PATH_MAX];
    const int written = snprintf(candidate, sizeof candidate, "%.*s/%s", (int)length, path, argv[0]);
    if (length > 0 && written > 0 && (size_t)written < sizeof candidate) {
      execve(candidate, argv, environ);
      const int error = errno;
      const struct Failure found = explain_exec(candidate, error);
      if (error != ENOENT && error != ENOTDIR && error != EACCES) return found;
      if (found.stage == PAR_STAGE_INTERPRETER) return found;
      /* Something of that name that may not be run: go on, but say so if nothing better follows. */
      if (error == EACCES && found.error != EISDIR) failure = found;
    }
    path += length;
    if (*path == ':') ++path;
  }
  return failure;
}

static _Noreturn void run_leader(pid_t supervisor, const char* directory, char** argv, int report) {
  struct Failure failure = {PAR_STAGE_DIRECTORY, 0};
  sigset_t none;
  sigemptyset(&none);
  setsid(); /* so that a program that signals its own group does not hit the supervisor */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor) _exit(127);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (chdir(directory) != 0) {
    failure.error = errno;
  } else {
    failure = execute(argv);
  }
  const ssize_t ignored = write(report, &failure, sizeof failure);
  (void)ignored;
  _exit(127);
}

/* ---- ending everything ---- */

/* For kernels without /proc/.../children: reads the parent of every process. */
static void kill_children_by_scan(void) {
  DIR* proc = opendir("/proc");
  if (!proc) return;
  for (struct dirent* entry; (entry = readdir(proc));) {
    char path[300];
    char text[512];
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) continue;
    text[length] = 0;
    const char* after_name = strrchr(text, ')'); /* ") S parent ...": the name before it may hold anything */
    if (after_name && strlen(after_name) > 4 && strtol(after_name + 4, NULL, 10) == getpid()) {
      kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
    }
  }
  closedir(proc);
}

/* SIGKILL to every child, those that were orphaned into our care included. Their own children become ours as
 * they die. */
static void kill_children(void) {
  const int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    kill_children_by_scan();
    return;
  }
  char text[4096];
  pid_t pid = 0;
  for (ssize_t length; (length = read(fd, text, sizeof text)) > 0;) {
    for (ssize_t i = 0; i < length; ++i) { /* a number may continue in the next piece */
      if (text[i] >= '0' && text[i] <= '9') {
        pid = pid * 10 + (text[i] - '0');
      } else if (pid > 0) {
        kill(pid, SIGKILL);
        pid = 0;
      }
    }
  }
  if (pid > 0) kill(pid, SIGKILL);
  close(fd);
}

struct Run {
  pid_t leader;
  int leader_ended;
  int status; /* of waitpid, once leader_ended */
  int cause;  /* PAR_ENDED_* */
  int has_children;
};

/* Reaps all that have ended; returns how many. */
static int reap(struct Run* run) {
  int count = 0;
  for (;;) {
    int status;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid <= 0) {
      run->has_children = pid == 0;
      return count;
    }
    ++count;
    if (pid == run->leader) {
      run->leader_ended = 1;
      run->status = status;
    }
  }
}

static void report_end(const struct Run* run) {
  struct par_supervisor_event event = {
      .what = PAR_EVENT_ENDED, .cause = run->cause, .survivors = run->has_children};
  if (!run->leader_ended) {
    event.signal = SIGKILL;
  } else if (WIFSIGNALED(run->status)) {
    event.signal = WTERMSIG(run->status);
  } else {
    event.exit_code = WEXITSTATUS(run->status);
  }
  send_event(&event);
}

/* Kills until nothing is left. One round is not enough: a process may fork while it is being killed, and the
 * children of the dead are seen only in the next round. What cannot be killed (another user's, or stuck in
 * the kernel) is reported after a while and then tried again, ever more seldom. */
static _Noreturn void finish(struct Run* run) {
  const int64_t report_at = now_ms() + PAR_SUPERVISOR_REPORT_MS;
  int reported = 0;
  int pause_ms = 1;
  for (;;) {
    kill_children();
    if (reap(run) > 0) pause_ms = 1;
    if (!run->has_children) break;
    if (!reported && now_ms() >= report_at) {
      report_end(run);
      reported = 1;
    }
    const struct timespec pause = {pause_ms / 1000, (long)(pause_ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
    if (pause_ms < 1000) pause_ms *= 2;
    if (!reported && pause_ms > 64) pause_ms = 64;
  }
  if (!reported) report_end(run);
  _exit(0);
}

static int64_t earlier(int64_t a, int64_t b) {
  return a < b ? a : b;
}

/* Watches the leader, the host and the clock until the leader has ended or everything must. */
static void watch(struct Run* run, int child_signals, int64_t timeout_at) {
  int64_t kill_at = INT64_MAX;
  struct pollfd polled[2] = {{.fd = PAR_SUPERVISOR_CONTROL_FD, .events = POLLIN},
                             {.fd = child_signals, .events = POLLIN}};
  while (!run->leader_ended) {
    const int64_t next = earlier(timeout_at, kill_at);
    const int64_t left = next == INT64_MAX ? -1 : next - now_ms();
    const int timeout = next == INT64_MAX ? -1 : (int)(left < 0 ? 0 : earlier(left, INT_MAX));
    if (poll(polled, 2, timeout) < 0 && errno != EINTR) return;
    if (polled[1].revents) {
      struct signalfd_siginfo info;
      const ssize_t ignored = read(child_signals, &info, sizeof info);
      (void)ignored;
      reap(run); /* the leader, or an orphan that came to us */
      if (run->leader_ended) return;
    }
    int terminate = PAR_ENDED_ITSELF;
    if (polled[0].revents) {
      char command = 0;
      const ssize_t length = recv(PAR_SUPERVISOR_CONTROL_FD, &command, 1, 0);
      if (length <= 0 || command == PAR_COMMAND_KILL) {
        if (run->cause == PAR_ENDED_ITSELF) run->cause = PAR_ENDED_KILL;
        return;
      }
      terminate = PAR_ENDED_CANCEL;
    }
    const int64_t now = now_ms();
    if (now >= kill_at) return;
    if (now >= timeout_at) {
      terminate = PAR_ENDED_TIMEOUT;
      timeout_at = INT64_MAX;
    }
    if (terminate != PAR_ENDED_ITSELF && run->cause == PAR_ENDED_ITSELF) {
      run->cause = terminate;
      kill(run->leader, SIGTERM);
      kill_at = now + PAR_SUPERVISOR_GRACE_MS;
    }
  }
}

static _Noreturn void fail(int32_t stage, int32_t error) {
  const struct par_supervisor_event event = {.what = PAR_EVENT_FAILED, .stage = stage, .error = error};
  send_event(&event);
  _exit(1);
}

int main(int argc, char** argv) {
  if (argc < 4 || fcntl(PAR_SUPERVISOR_CONTROL_FD, F_SETFD, FD_CLOEXEC) != 0) {
    fputs("par-supervisor is started by par-runner and is of no use by itself.\n", stderr);
    return 2;
  }
  const int64_t timeout_ms = strtoll(argv[1], NULL, 10);
  const int64_t timeout_at = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;

  /* Nothing but SIGKILL may end this process before its work is done. */
  sigset_t all, child;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);

  int report[2];
  const int child_signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  if (child_signals < 0 || pipe2(report, O_CLOEXEC) != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    fail(PAR_STAGE_SYSTEM, errno);
  }
  const pid_t self = getpid();
  struct Run run = {.leader = fork(), .has_children = 1};
  if (run.leader < 0) fail(PAR_STAGE_SYSTEM, errno);
  if (run.leader == 0) run_leader(self, argv[2], argv + 3, report[1]);

  /* The program's ends of the pipes must be its alone, or the host never sees their end. */
  close(report[1]);
  close(0);
  close(1);
  close(2);
  struct Failure failure;
  if (read(report[0], &failure, sizeof failure) == (ssize_t)sizeof failure) {
    waitpid(run.leader, NULL, 0);
    fail(failure.stage, failure.error);
  }
  close(report[0]);
  const struct par_supervisor_event started = {.what = PAR_EVENT_STARTED};
  send_event(&started);

  watch(&run, child_signals, timeout_at);
  finish(&run);
}
