/* kc_host.h: the host side of kc.h for programs that want it ready-made: CPU detection, and a team of worker threads.
 *
 *     kc_env env;
 *     kc_host_env(&env, 0);                  // 0 = as many workers as this process may use
 *
 * One team per process, shared by all models. No thread exists before the first region that wants one.
 * After fork() the child starts its own team when it needs one. A region that finds the team busy (another thread's
 * region, or a region inside a region) runs on its caller alone. C11, libc and pthreads:
 *     cc -std=c11 -O2 -pthread -Iinclude program.c kc_host.c kc_machine.c
 */
#ifndef KC_HOST_H
#define KC_HOST_H

#include <stddef.h>

#include "kc.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define KC_HOST_API __attribute__((visibility("default")))
#else
#define KC_HOST_API
#endif

#define KC_HOST_VERSION 1       /* of this file's functions: a library that answers another number is not used */
#define KC_HOST_MAX_WORKERS 256 /* larger teams are cut down to this */

KC_HOST_API int32_t kc_host_version(void);

/* Fills *out for this process and returns out->max_workers; max_workers <= 0 means kc_host_thread_count(). Starts no
 * thread. */
KC_HOST_API int32_t kc_host_env(kc_env *out, int32_t max_workers);

/* Fills cpu[8] as kc_env.cpu. */
KC_HOST_API void kc_host_cpu(uint64_t cpu[8]);

/* How many threads this process should use: KCOMPILE_THREADS where it is a number >= 1, else the least of the CPUs that
 * it may run on and its cgroup's CPU quota (rounded up), at least 1. */
KC_HOST_API int32_t kc_host_thread_count(void);

/* The same without KCOMPILE_THREADS. */
KC_HOST_API int32_t kc_host_usable_cpus(void);

/* The number in an environment variable; fallback where it is unset, empty, not a whole number, or below lowest. */
KC_HOST_API int64_t kc_host_number_from_environment(const char *name, int64_t lowest, int64_t fallback);

/* The CPU quota of the cgroups listed in the file proc_cgroup (normally /proc/self/cgroup), whose tree is mounted at
 * mount (normally /sys/fs/cgroup), rounded up; 0 = no quota. The tightest limit on the way to the root counts. */
KC_HOST_API int32_t kc_host_cgroup_cpus(const char *proc_cgroup, const char *mount);

/* kc_env.run_on_workers, park and wake; kc_env.pool is not used and may be anything. */
KC_HOST_API int32_t kc_host_run_on_workers(void *pool, int32_t team, kc_body body, void *arg);
KC_HOST_API void kc_host_park(void *pool, uint32_t *word, uint32_t seen);
KC_HOST_API void kc_host_wake(void *pool, uint32_t *word);

/* How long an idle worker, or a caller whose workers are not done, spins before it sleeps. Default: KCOMPILE_SPIN_US,
 * else 1000. 0 = sleep at once. Negative = back to the default. */
KC_HOST_API void kc_host_set_spin_us(int64_t microseconds);

/* Worker threads that exist now, and how many of them sleep. */
KC_HOST_API int32_t kc_host_workers(void);
KC_HOST_API int32_t kc_host_parked(void);

/* Whether regions run alone for a while after one that slept in barriers for more than half its time while its caller
 * was preempted: on (1) at first. Where others use the CPUs a team waits at each barrier for a member that does not run. */
KC_HOST_API void kc_host_set_yielding(int32_t on);

/* For how many ns regions run alone after a region that lost `lost` ns in this way, given how many it was before: as
 * long as the loss, at least twice as long as before, at most a second. lost = 0: half of what it was before. */
KC_HOST_API int64_t kc_host_next_step_back(int64_t before, int64_t lost);

/* Ends the workers, waiting at most about a second. 0 = done, or nothing to do; 1 = the team is busy, nothing happened;
 * 2 = some thread did not end in time and was left to end by itself. A later region starts a new team. Call it before
 * unloading a library that contains this file. */
KC_HOST_API int32_t kc_host_close(void);

/* One English line for a status; never NULL. */
KC_HOST_API const char *kc_host_status_text(kc_status status);

#ifdef __cplusplus
}
#endif

#endif /* KC_HOST_H */
