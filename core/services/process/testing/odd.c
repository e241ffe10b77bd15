/* A program that behaves as its first argument says; for the tests of the process service. */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Prints what a program inherits: descriptors, blocked and ignored signals, session. */
static int inherited(void) {
  DIR* directory = opendir("/proc/self/fd");
  int count = 0;
  for (struct dirent* entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
  closedir(directory);
  printf("descriptors %d\n", count - 1); /* without the directory's own */
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  int blocked = 0, ignored = 0;
  for (int signal_number = 1; signal_number < 32; ++signal_number) {
    struct sigaction action;
    blocked += sigismember(&mask, signal_number);
    if (sigaction(signal_number, NULL, &action) == 0) ignored += action.sa_handler == SIG_IGN;
  }
  printf("blocked %d\nignored %d\nleads session %d\n", blocked, ignored, getsid(0) == getpid());
  return 0;
}

/* Two forks and a session of its own, and all output left open: what "daemonising" means. */
static int daemonise(void) {
  int ready[2];
  char byte = 0;
  if (pipe(ready) != 0) return 1;
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      printf("daemon %d\n", (int)getpid());
      fflush(stdout);
      if (write(ready[1], &byte, 1) == 1) pause();
    }
    _exit(0);
  }
  wait(NULL);
  return read(ready[0], &byte, 1) == 1 ? 0 : 1;
}

/* A chain of processes, each of which starts the next one and leaves: hard to catch. Bounded by time. */
static int respawn(void) {
  const time_t until = time(NULL) + 20;
  printf("respawning\n");
  fflush(stdout);
  if (fork() == 0) {
    setsid();
    while (time(NULL) < until) {
      if (fork() != 0) _exit(0);
      const struct timespec pause = {0, 200000};
      nanosleep(&pause, NULL);
    }
    _exit(0);
  }
  pause();
  return 0;
}

static int ignore_term(void) {
  signal(SIGTERM, SIG_IGN);
  printf("ready\n");
  fflush(stdout);
  while (pause() < 0) {
  }
  return 0;
}

static void on_term(int signal_number) {
  (void)signal_number;
  _exit(7);
}

static int exit_on_term(void) {
  signal(SIGTERM, on_term);
  printf("ready\n");
  fflush(stdout);
  while (pause() < 0) {
  }
  return 0;
}

/* Writes lines to both streams in turn. */
static int flood(long bytes) {
  char line[1000];
  memset(line, 'x', sizeof line);
  for (long written = 0; written < bytes; written += (long)sizeof line) {
    if (write(1, line, sizeof line) < 0 || write(2, line, sizeof line) < 0) return 1;
  }
  return 0;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "inherited") == 0) return inherited();
  if (strcmp(what, "daemon") == 0) return daemonise();
  if (strcmp(what, "respawn") == 0) return respawn();
  if (strcmp(what, "ignore-term") == 0) return ignore_term();
  if (strcmp(what, "exit-on-term") == 0) return exit_on_term();
  if (strcmp(what, "flood") == 0 && argc > 2) return flood(strtol(argv[2], NULL, 10));
  return 99;
}
