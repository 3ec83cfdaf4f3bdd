/* Everything the team of kc_host.c promises, under load; built plain and with sanitizers by test_stress.py.
 * Prints the first broken promise and exits 1. Arguments: regions per caller. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kc_host.h"

#define EXPECT(condition)                                                     \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition);         \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

enum { MOST = 8 };

#ifdef REFUSE_THREADS
/* How many threads pthread_create may still make; negative = any number. The linker sends pthread_create here. */
static atomic_int creations_left = -1;
int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg) {
  if (atomic_load(&creations_left) == 0) return 11; /* EAGAIN */
  if (atomic_load(&creations_left) > 0) atomic_fetch_sub(&creations_left, 1);
  return __real_pthread_create(thread, attributes, start, arg);
}
#endif

typedef struct {
  atomic_int visits[MOST];
  atomic_int inside;
  atomic_uint arrived, turn, sleepers;
  int32_t team;   /* what the bodies saw */
  int nested;     /* 1: every body opens a region of its own */
  int rounds;     /* barriers inside the region */
  int plain;      /* written by the caller before, without atomics: the region must order it */
  int results[MOST];
} region;

static void barrier(region *r, int32_t team) {
  const uint32_t turn = atomic_load(&r->turn);
  if (atomic_fetch_add(&r->arrived, 1) + 1 == (unsigned)team) {
    atomic_store(&r->arrived, 0);
    atomic_store(&r->turn, turn + 1);
    if (atomic_load(&r->sleepers)) kc_host_wake(NULL, (uint32_t *)&r->turn);
    return;
  }
  for (int spins = 0; atomic_load(&r->turn) == turn; ++spins)
    if (spins > 100) {
      atomic_fetch_add(&r->sleepers, 1);
      kc_host_park(NULL, (uint32_t *)&r->turn, turn);
      atomic_fetch_sub(&r->sleepers, 1);
    }
}

static void nested_body(void *arg, int32_t tid, int32_t team) {
  EXPECT(tid == 0 && team == 1);
  ++*(int *)arg;
}

static void body(void *arg, int32_t tid, int32_t team) {
  region *r = arg;
  EXPECT(team >= 1 && team <= MOST && tid >= 0 && tid < team);
  EXPECT(atomic_fetch_add(&r->visits[tid], 1) == 0);
  EXPECT(r->plain == 4711);
  if (tid == 0) r->team = team;
  /* All at the same time: nobody passes the barrier before everybody has come. */
  atomic_fetch_add(&r->inside, 1);
  if (team > 1)
    for (int round = 0; round < r->rounds; ++round) barrier(r, team);
  if (r->rounds) EXPECT(atomic_load(&r->inside) == team);
  if (r->nested && team > 1) { /* a region on its caller alone holds nothing: one inside it may get the team */
    int ran = 0;
    EXPECT(kc_host_run_on_workers(NULL, 3, nested_body, &ran) == 1 && ran == 1);
  }
  r->results[tid] = 100 + tid;
}

static int32_t one_region(int32_t wanted, int rounds, int nested) {
  region r;
  memset(&r, 0, sizeof r);
  r.rounds = rounds, r.nested = nested, r.plain = 4711;
  const int32_t team = kc_host_run_on_workers(NULL, wanted, body, &r);
  EXPECT(team >= 1 && team <= (wanted < 1 ? 1 : wanted) && team == r.team);
  for (int32_t tid = 0; tid < MOST; ++tid) {
    EXPECT(atomic_load(&r.visits[tid]) == (tid < team));
    EXPECT(r.results[tid] == (tid < team ? 100 + tid : 0));
  }
  return team;
}

static int regions = 300;

static void *caller(void *seed_pointer) {
  unsigned seed = (unsigned)(uintptr_t)seed_pointer;
  for (int i = 0; i < regions; ++i)
    one_region((int32_t)(rand_r(&seed) % 6), (int)(rand_r(&seed) % 4), (int)(rand_r(&seed) % 2));
  return NULL;
}

static void check_callers(int count) {
  pthread_t threads[MOST];
  for (int i = 0; i < count; ++i) EXPECT(!pthread_create(&threads[i], NULL, caller, (void *)(uintptr_t)(i + 1)));
  for (int i = 0; i < count; ++i) pthread_join(threads[i], NULL);
}

static void check_fp_mode(void *arg, int32_t tid, int32_t team) {
  (void)tid, (void)team;
#if defined(__x86_64__)
  EXPECT((_mm_getcsr() & ~0x3fu) == *(const unsigned *)arg);
#else
  (void)arg;
#endif
}

static void check_signals(void *arg, int32_t tid, int32_t team) {
  (void)arg, (void)team;
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  EXPECT(sigismember(&mask, SIGTERM) == (tid > 0));
}

static void close_inside(void *arg, int32_t tid, int32_t team) {
  (void)arg, (void)team;
  if (tid == 0) EXPECT(kc_host_close() == 1);
}

#if !defined(NO_FORK)
static void in_child(void (*what)(void)) {
  const pid_t child = fork();
  EXPECT(child >= 0);
  if (child == 0) {
    alarm(60); /* a hang ends the child with a signal */
    what();
    _exit(0);
  }
  int status;
  EXPECT(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void use_in_child(void) {
  EXPECT(kc_host_workers() == 0);
  EXPECT(one_region(3, 3, 1) == 3);
  EXPECT(kc_host_close() == 0);
}

static void *fork_again_and_again(void *unused) {
  (void)unused;
  for (int i = 0; i < 10; ++i) in_child(use_in_child);
  return NULL;
}
#endif

int main(int argc, char **argv) {
  kc_host_set_yielding(0); /* the team that was asked for, also on a busy machine */
  if (argc > 1) regions = atoi(argv[1]);
  EXPECT(kc_host_workers() == 0);
  EXPECT(kc_host_close() == 0);
#if !defined(NO_FORK)
  in_child(use_in_child); /* before the parent has workers */
#endif

#ifdef REFUSE_THREADS
  atomic_store(&creations_left, 0);
  EXPECT(one_region(4, 2, 0) == 1 && kc_host_workers() == 0);
  atomic_store(&creations_left, 2);
  EXPECT(one_region(6, 2, 0) == 3 && kc_host_workers() == 2);
  atomic_store(&creations_left, -1);
#endif
  EXPECT(one_region(4, 2, 0) == 4 && kc_host_workers() == 3);
  EXPECT(one_region(2, 2, 0) == 2 && kc_host_workers() == 3); /* a smaller team leaves the others alone */

  for (int spin = 0; spin < 2; ++spin) {
    kc_host_set_spin_us(spin ? 50 : 0); /* 0: every wait is a sleep and a wake */
    check_callers(1);
    check_callers(4);
  }

#if defined(__x86_64__)
  const unsigned normal = _mm_getcsr() & ~0x3fu;
  unsigned flushing = normal | 0x8040u, upward = (normal & ~0x6000u) | 0x4000u;
  for (int i = 0; i < 20; ++i) {
    unsigned *mode = i % 2 ? &flushing : &upward;
    _mm_setcsr(*mode);
    EXPECT(kc_host_run_on_workers(NULL, 3, check_fp_mode, mode) == 3);
  }
  _mm_setcsr(normal);
#else
  EXPECT(kc_host_run_on_workers(NULL, 3, check_fp_mode, NULL) == 3);
#endif
  EXPECT(kc_host_run_on_workers(NULL, 3, check_signals, NULL) == 3);
  EXPECT(kc_host_run_on_workers(NULL, 3, close_inside, NULL) == 3);

#if !defined(NO_FORK)
  in_child(use_in_child); /* while the workers are idle */
  pthread_t forker;      /* while another thread is in regions */
  EXPECT(!pthread_create(&forker, NULL, fork_again_and_again, NULL));
  caller((void *)99);
  pthread_join(forker, NULL);
#endif

  kc_host_set_spin_us(0);
  while (kc_host_parked() < kc_host_workers()) sched_yield();
  EXPECT(one_region(5, 2, 0) == 5); /* from the sleep */
  EXPECT(kc_host_close() == 0 && kc_host_workers() == 0);
  EXPECT(one_region(3, 1, 0) == 3); /* a new team */
  EXPECT(kc_host_close() == 0);
  puts("kept");
  return 0;
}
