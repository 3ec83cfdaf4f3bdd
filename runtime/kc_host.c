/* The host side of kc.h: one team of workers per process. See kc_host.h; kc_machine.c belongs to it. */
#define _GNU_SOURCE
#include "kc_host.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <limits.h>
#include <linux/futex.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#endif
#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

int32_t kc_host_version(void) { return KC_HOST_VERSION; }

/* ---- waiting: spin, then sleep ---- */

static atomic_llong spin_us = -1; /* -1 = not decided yet */

static int64_t spin_budget_ns(void) {
  int64_t budget = atomic_load_explicit(&spin_us, memory_order_relaxed);
  if (budget < 0) {
    budget = kc_host_number_from_environment("KCOMPILE_SPIN_US", 0, 1000);
    if (budget > 1000000) budget = 1000000;
    atomic_store_explicit(&spin_us, budget, memory_order_relaxed);
  }
  return budget * 1000;
}

void kc_host_set_spin_us(int64_t microseconds) {
  atomic_store(&spin_us, microseconds > 1000000 ? 1000000 : microseconds < 0 ? -1 : microseconds);
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Waits actively for at most `budget` ns until *word is no longer `seen`. 0 = the budget ran out first. */
static int spin_while(atomic_uint *word, uint32_t seen, int64_t budget) {
  for (int64_t start = 0;;) {
    for (int round = 0; round < 64; ++round) { /* the clock costs about 25 ns: look at it now and then */
      if (atomic_load_explicit(word, memory_order_acquire) != seen) return 1;
      if (budget) relax();
    }
    const int64_t now = now_ns();
    if (!start) start = now;
    if (now - start >= budget) return 0;
  }
}

#if defined(__linux__) && !defined(KC_HOST_PORTABLE_WAIT)
static void sleep_while(uint32_t *word, uint32_t seen) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}
static void wake_sleepers(uint32_t *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0); }
static void forget_sleepers(void) {}
#else
/* Without a futex: one lock for all words. The word was changed before wake_sleepers, which takes the lock, so a
 * sleeper either sees the new value or is already waiting when the broadcast comes. */
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_signal = PTHREAD_COND_INITIALIZER;
static void sleep_while(uint32_t *word, uint32_t seen) {
  pthread_mutex_lock(&sleep_lock);
  if (atomic_load((atomic_uint *)word) == seen) pthread_cond_wait(&sleep_signal, &sleep_lock);
  pthread_mutex_unlock(&sleep_lock);
}
static void wake_sleepers(uint32_t *word) {
  (void)word;
  pthread_mutex_lock(&sleep_lock);
  pthread_cond_broadcast(&sleep_signal);
  pthread_mutex_unlock(&sleep_lock);
}
static void forget_sleepers(void) {
  pthread_mutex_init(&sleep_lock, NULL);
  pthread_cond_init(&sleep_signal, NULL);
}
#endif

static atomic_llong slept_ns; /* by the members of this region, in barriers that ran out of patience */

void kc_host_park(void *pool, uint32_t *word, uint32_t seen) {
  (void)pool;
  const int64_t start = now_ns();
  sleep_while(word, seen);
  atomic_fetch_add_explicit(&slept_ns, now_ns() - start, memory_order_relaxed);
}

void kc_host_wake(void *pool, uint32_t *word) {
  (void)pool;
  wake_sleepers(word);
}

/* ---- the caller's floating-point mode goes with the work: a region computes the same on every worker ---- */

#if defined(__x86_64__)
typedef uint32_t fp_mode;
static fp_mode get_fp_mode(void) { return _mm_getcsr() & ~UINT32_C(0x3f); } /* without the sticky exception flags */
static void set_fp_mode(fp_mode mode) { _mm_setcsr(mode); }
#elif defined(__aarch64__)
typedef uint64_t fp_mode;
static fp_mode get_fp_mode(void) {
  fp_mode mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
static void set_fp_mode(fp_mode mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
typedef int fp_mode;
static fp_mode get_fp_mode(void) { return 0; }
static void set_fp_mode(fp_mode mode) { (void)mode; }
#endif

/* ---- the team ----
 * Each worker has a letter box. The caller writes the job once, then changes the box of each worker it wants; a worker
 * that is not wanted never looks at the job. A worker says it sleeps before it does, the caller changes the box before
 * it looks whether the worker sleeps, both sequentially consistent: no wake is lost. The same between the last worker
 * and the caller on `unfinished`. */

enum { WORKER_STACK = 4 << 20 }; /* kernels keep tiles on the stack; the default of some systems is 128 KiB */

typedef struct worker {
  _Alignas(128) atomic_uint box; /* 128: the prefetcher of x86 pulls lines in pairs */
  atomic_uint asleep;
  uint32_t box_at_start;
  int32_t tid;
  pthread_t thread;
} worker;

static struct {
  atomic_uint busy; /* 1 = somebody owns everything below */
  atomic_int started;
  atomic_int alive;
  atomic_int crowded; /* a region wider than the CPUs: spinning would keep the others from running */
  int32_t cpus;
  atomic_uint stop;
  kc_body body; /* the job: written before the boxes, read after them */
  void *arg;
  int32_t team;
  int64_t step_back;   /* ns for which regions ran alone after the last sign of a machine that others use */
  int64_t alone_until; /* on the clock of now_ns */
  fp_mode mode;
  _Alignas(128) atomic_uint unfinished;
  atomic_uint caller_asleep;
  worker workers[KC_HOST_MAX_WORKERS]; /* [0] stands for the caller and is not used */
} team;

static int64_t patience_ns(void) {
  return atomic_load_explicit(&team.crowded, memory_order_relaxed) ? 0 : spin_budget_ns();
}

static void *work(void *argument) {
  worker *self = argument;
  uint32_t seen = self->box_at_start;
#if defined(__linux__)
  prctl(PR_SET_NAME, "kc-worker", 0, 0, 0);
#endif
  for (;;) {
    if (!spin_while(&self->box, seen, patience_ns())) {
      atomic_store(&self->asleep, 1);
      while (atomic_load(&self->box) == seen) sleep_while((uint32_t *)&self->box, seen);
      atomic_store(&self->asleep, 0);
    }
    seen = atomic_load(&self->box);
    if (atomic_load_explicit(&team.stop, memory_order_acquire)) break;
    if (get_fp_mode() != team.mode) set_fp_mode(team.mode);
    team.body(team.arg, self->tid, team.team);
    if (atomic_fetch_sub(&team.unfinished, 1) == 1 && atomic_load(&team.caller_asleep))
      wake_sleepers((uint32_t *)&team.unfinished);
  }
  atomic_fetch_sub(&team.alive, 1);
  return NULL;
}

/* The child of a fork has none of its parent's threads: it begins again from nothing, also when another thread of the
 * parent was in the middle of a region. */
static void begin_again_in_child(void) {
  memset(&team, 0, sizeof team);
  forget_sleepers();
}

static void register_fork_handler(void) { pthread_atfork(NULL, NULL, begin_again_in_child); }

/* Starts workers until there are `wanted` threads with the caller, or the system refuses; returns how many there
 * are. */
static int32_t grow_team(int32_t wanted) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  int32_t started = atomic_load_explicit(&team.started, memory_order_relaxed);
  if (1 + started >= wanted) return wanted;
  pthread_once(&once, register_fork_handler);
  team.cpus = kc_host_usable_cpus();
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes)) return 1 + started;
  pthread_attr_setstacksize(&attributes, WORKER_STACK);
  sigset_t all, before; /* signals are for the program's own threads: a worker inherits a full mask */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (; 1 + started < wanted; ++started) {
    worker *fresh = &team.workers[1 + started];
    fresh->tid = 1 + started;
    fresh->box_at_start = atomic_load(&fresh->box);
    atomic_store(&fresh->asleep, 0);
    atomic_fetch_add(&team.alive, 1);
    if (pthread_create(&fresh->thread, &attributes, work, fresh)) {
      atomic_fetch_sub(&team.alive, 1);
      break;
    }
    atomic_store(&team.started, 1 + started);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return 1 + started;
}

static atomic_int yielding = 1;

void kc_host_set_yielding(int32_t on) {
  atomic_store_explicit(&yielding, on, memory_order_relaxed);
}

int64_t kc_host_next_step_back(int64_t before, int64_t lost) {
  if (!lost) return before / 2;
  const int64_t longest = 1000000000, longer = before > longest / 2 ? longest : 2 * before;
  return lost > longest ? longest : lost > longer ? lost : longer;
}

/* Whether the system has taken the CPU from this thread since the last time this was asked. */
static int was_preempted(void) {
#if defined(__linux__)
  static _Thread_local long before;
  struct rusage usage;
  if (getrusage(RUSAGE_THREAD, &usage)) return 0;
  const long since = usage.ru_nivcsw - before;
  before = usage.ru_nivcsw;
  return since > 0;
#else
  return 0;
#endif
}

/* A team is only as fast as its slowest member: where others use the CPUs, each barrier waits for a member that does not
 * run, and one thread alone is faster. The sign is a region that slept in barriers for more than half its time, and a
 * caller that was preempted; then regions run alone: once for no longer than it lost, which may be chance. */
static void look_back(int64_t start) {
  const int64_t slept = atomic_exchange_explicit(&slept_ns, 0, memory_order_relaxed);
  if (!slept && !team.step_back) return;
  const int64_t now = now_ns();
  const int strained = slept > (now - start) / 2 && was_preempted();
  team.step_back = kc_host_next_step_back(team.step_back, strained ? slept : 0);
  if (strained && atomic_load_explicit(&yielding, memory_order_relaxed)) team.alone_until = now + team.step_back;
}

static void post(worker *to) {
  atomic_fetch_add(&to->box, 1);
  if (atomic_load(&to->asleep)) wake_sleepers((uint32_t *)&to->box);
}

int32_t kc_host_run_on_workers(void *pool, int32_t wanted, kc_body body, void *arg) {
  (void)pool;
  unsigned idle = 0;
  if (wanted > KC_HOST_MAX_WORKERS) wanted = KC_HOST_MAX_WORKERS;
  if (wanted <= 1 || !atomic_compare_exchange_strong(&team.busy, &idle, 1)) {
    body(arg, 0, 1);
    return 1;
  }
  const int64_t start = now_ns();
  const int32_t size = start < team.alone_until ? 1 : grow_team(wanted);
  if (size == 1) {
    atomic_store(&team.busy, 0);
    body(arg, 0, 1);
    return 1;
  }
  team.body = body;
  team.arg = arg;
  team.team = size;
  team.mode = get_fp_mode();
  atomic_store_explicit(&team.crowded, size > team.cpus, memory_order_relaxed);
  atomic_store_explicit(&team.unfinished, (unsigned)(size - 1), memory_order_relaxed);
  for (int32_t tid = 1; tid < size; ++tid) post(&team.workers[tid]);
  body(arg, 0, size);
  for (uint32_t left; (left = atomic_load(&team.unfinished));) {
    if (spin_while(&team.unfinished, left, patience_ns())) continue;
    atomic_store(&team.caller_asleep, 1);
    if (atomic_load(&team.unfinished) == left) sleep_while((uint32_t *)&team.unfinished, left);
    atomic_store(&team.caller_asleep, 0);
  }
  look_back(start);
  atomic_store(&team.busy, 0);
  return size;
}

int32_t kc_host_workers(void) { return atomic_load(&team.started); }

int32_t kc_host_parked(void) {
  int32_t parked = 0;
  for (int32_t tid = 1; tid <= kc_host_workers(); ++tid) parked += (int32_t)atomic_load(&team.workers[tid].asleep);
  return parked;
}

int32_t kc_host_close(void) {
  unsigned idle = 0;
  if (!atomic_compare_exchange_strong(&team.busy, &idle, 1)) return 1;
  const int32_t started = atomic_load(&team.started);
  atomic_store(&team.stop, 1);
  for (int32_t tid = 1; tid <= started; ++tid) post(&team.workers[tid]);
  const int64_t deadline = now_ns() + 1000000000;
  while (atomic_load(&team.alive) > 0 && now_ns() < deadline) nanosleep(&(struct timespec){0, 100000}, NULL);
  const int late = atomic_load(&team.alive) > 0;
  for (int32_t tid = 1; tid <= started; ++tid) {
    if (late)
      pthread_detach(team.workers[tid].thread);
    else
      pthread_join(team.workers[tid].thread, NULL); /* at its last instruction: alive is 0 */
  }
  if (late) return 2; /* the team stays busy for ever: its boxes may still be read, so regions run on their callers */
  atomic_store(&team.started, 0);
  atomic_store(&team.stop, 0);
  atomic_store(&team.busy, 0);
  return 0;
}

/* ---- the rest ---- */

int32_t kc_host_env(kc_env *out, int32_t max_workers) {
  memset(out, 0, sizeof *out);
  out->size = sizeof *out;
  kc_host_cpu(out->cpu);
  if (max_workers <= 0) max_workers = kc_host_thread_count();
  out->max_workers = max_workers > KC_HOST_MAX_WORKERS ? KC_HOST_MAX_WORKERS : max_workers;
  out->run_on_workers = kc_host_run_on_workers;
  out->park = kc_host_park;
  out->wake = kc_host_wake;
  return out->max_workers;
}

const char *kc_host_status_text(kc_status status) {
  static const char *const texts[] = {
      "ok",
      "no interface version in common",
      "the object has no code for this CPU",
      "a null pointer, or memory that overlaps where it may not",
      "a size or a byte count that does not fit the model",
      "the arena or the context is too small",
      "a pointer is not aligned",
      "the weights are missing or of the wrong size",
      "an index is out of range",
      "a size does not fit in 64 bits",
  };
  const size_t count = sizeof texts / sizeof texts[0];
  return status >= 0 && (size_t)status < count ? texts[status] : "unknown status";
}
