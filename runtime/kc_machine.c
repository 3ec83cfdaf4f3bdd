/* What machine this is: the CPU's usable features, and how many threads this process should use. See kc_host.h. */
#define _GNU_SOURCE
#include "kc_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

/* ---- CPU ---- */

#if defined(__x86_64__)
static uint64_t enabled_register_state(void) {
  uint32_t low, high; /* in assembly, because the intrinsic does not compile for the baseline CPU */
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return ((uint64_t)high << 32) | low;
}

#define HAS(word, bits) (((word) & (bits)) == (bits))
#define BIT(n) (UINT32_C(1) << (n))

static uint64_t detect_cpu(void) {
  uint32_t a, b, c, d;
  uint64_t bits = KC_CPU_DETECTED;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return bits;
  const uint32_t leaf1_c = c;
  uint32_t leaf7_b = 0, leaf7_c = 0, leaf7_d = 0, leaf7_1_a = 0, extended_c = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
    leaf7_b = b, leaf7_c = c, leaf7_d = d;
    if (a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) leaf7_1_a = a;
  }
  if (__get_cpuid(0x80000001u, &a, &b, &c, &d)) extended_c = c;

  /* sse3, ssse3, cmpxchg16b, sse4.1, sse4.2, popcnt; lahf */
  if (!HAS(leaf1_c, BIT(0) | BIT(9) | BIT(13) | BIT(19) | BIT(20) | BIT(23)) || !HAS(extended_c, BIT(0))) return bits;
  bits |= KC_X86_V2;

  /* fma, movbe, xsave, osxsave, avx, f16c; bmi1, avx2, bmi2; lzcnt. Then: does the system save xmm and ymm? */
  if (!HAS(leaf1_c, BIT(12) | BIT(22) | BIT(26) | BIT(27) | BIT(28) | BIT(29)) ||
      !HAS(leaf7_b, BIT(3) | BIT(5) | BIT(8)) || !HAS(extended_c, BIT(5)))
    return bits;
  const uint64_t state = enabled_register_state(); /* legal: osxsave was seen */
  if (!HAS(state, 0x06u)) return bits;
  bits |= KC_X86_V3;
  if (HAS(leaf7_1_a, BIT(4))) bits |= KC_X86_AVX_VNNI;

  /* avx512 f, dq, cd, bw, vl; and does the system save the masks and all of zmm? */
  if (!HAS(leaf7_b, BIT(16) | BIT(17) | BIT(28) | BIT(30) | BIT(31)) || !HAS(state, 0xe6u)) return bits;
  bits |= KC_X86_V4;
  if (HAS(leaf7_c, BIT(11))) bits |= KC_X86_VNNI;
  if (HAS(leaf7_1_a, BIT(5))) bits |= KC_X86_BF16;
  if (HAS(leaf7_d, BIT(23))) bits |= KC_X86_FP16;
  return bits;
}
#elif defined(__aarch64__) && defined(__linux__)
/* Bits of AT_HWCAP and AT_HWCAP2 from the kernel's arm64 interface; spelled out, older headers lack some. */
static uint64_t detect_cpu(void) {
  const unsigned long first = getauxval(AT_HWCAP), second = getauxval(AT_HWCAP2);
  uint64_t bits = KC_CPU_DETECTED;
  if (first & (1ul << 1)) bits |= KC_ARM_NEON;
  if (first & (1ul << 10)) bits |= KC_ARM_FP16;
  if (first & (1ul << 20)) bits |= KC_ARM_DOTPROD;
  if (first & (1ul << 22)) bits |= KC_ARM_SVE;
  if (second & (1ul << 1)) bits |= KC_ARM_SVE2;
  if (second & (1ul << 13)) bits |= KC_ARM_I8MM;
  if (second & (1ul << 14)) bits |= KC_ARM_BF16;
  return bits;
}
#else
static uint64_t detect_cpu(void) { return 0; }
#endif

void kc_host_cpu(uint64_t cpu[8]) {
  memset(cpu, 0, 8 * sizeof cpu[0]);
  cpu[0] = detect_cpu();
}

/* ---- how many threads ---- */

/* Reads a whole small file as text. 0 = could not. */
static int read_text(const char *path, char *text, size_t capacity) {
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  const size_t length = fread(text, 1, capacity - 1, file);
  fclose(file);
  text[length] = '\0';
  return length > 0;
}

static int32_t rounded_up_cpus(long long quota, long long period) {
  if (quota <= 0 || period <= 0) return 0;
  const long long cpus = quota / period + (quota % period != 0);
  return cpus > KC_HOST_MAX_WORKERS ? KC_HOST_MAX_WORKERS : (int32_t)cpus;
}

/* The limit of one cgroup directory, in either version's files. */
static int32_t limit_of_directory(const char *directory) {
  char path[4096 + 32], text[128];
  long long quota, period;
  snprintf(path, sizeof path, "%s/cpu.max", directory);
  if (read_text(path, text, sizeof text)) /* "max 100000" is no limit */
    return sscanf(text, "%lld %lld", &quota, &period) == 2 ? rounded_up_cpus(quota, period) : 0;
  snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", directory);
  if (!read_text(path, text, sizeof text) || sscanf(text, "%lld", &quota) != 1) return 0;
  snprintf(path, sizeof path, "%s/cpu.cfs_period_us", directory);
  if (!read_text(path, text, sizeof text) || sscanf(text, "%lld", &period) != 1) return 0;
  return rounded_up_cpus(quota, period);
}

static int32_t tighter(int32_t one, int32_t other) { return one == 0 || (other != 0 && other < one) ? other : one; }

int32_t kc_host_cgroup_cpus(const char *proc_cgroup, const char *mount) {
  char text[8192], directory[4096];
  int32_t limit = 0;
  if (!read_text(proc_cgroup, text, sizeof text)) return 0;
  for (char *rest = text, *line; (line = strsep(&rest, "\n"));) { /* hierarchy:controllers:path */
    (void)strsep(&line, ":");
    const char *controllers = line ? strsep(&line, ":") : NULL;
    if (!line || line[0] != '/' || strstr(line, "/..")) continue;
    const char *subtree = "";
    if (controllers[0] != '\0') { /* version 1: one tree for each set of controllers */
      char list[256];
      snprintf(list, sizeof list, ",%s,", controllers);
      if (!strstr(list, ",cpu,")) continue;
      subtree = "/cpu";
    }
    if (snprintf(directory, sizeof directory, "%s%s%s", mount, subtree, line) >= (int)sizeof directory) continue;
    const size_t root = strlen(mount) + strlen(subtree);
    for (;;) { /* a limit anywhere above binds too; inside a container the upper part of the path may not be visible */
      limit = tighter(limit, limit_of_directory(directory));
      char *slash = strrchr(directory + root, '/');
      if (!slash) break;
      *slash = '\0';
    }
  }
  return limit;
}

static int32_t allowed_cpus(void) {
#if defined(__linux__)
  for (size_t capacity = 1024; capacity <= 65536; capacity *= 2) { /* the kernel refuses a set smaller than its own */
    cpu_set_t *set = CPU_ALLOC(capacity);
    if (!set) break;
    const int failed = sched_getaffinity(0, CPU_ALLOC_SIZE(capacity), set);
    const int32_t count = failed ? 0 : CPU_COUNT_S(CPU_ALLOC_SIZE(capacity), set);
    CPU_FREE(set);
    if (!failed) return count;
  }
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online < 1 ? 1 : (int32_t)online;
}

int64_t kc_host_number_from_environment(const char *name, int64_t lowest, int64_t fallback) {
  const char *text = getenv(name);
  if (!text || !*text) return fallback;
  char *end;
  const long long value = strtoll(text, &end, 10);
  return *end || value < lowest ? fallback : value;
}

static int32_t within_limits(int64_t count) {
  return count < 1 ? 1 : count > KC_HOST_MAX_WORKERS ? KC_HOST_MAX_WORKERS : (int32_t)count;
}

int32_t kc_host_usable_cpus(void) {
  return within_limits(tighter(kc_host_cgroup_cpus("/proc/self/cgroup", "/sys/fs/cgroup"), allowed_cpus()));
}

int32_t kc_host_thread_count(void) {
  const int64_t wanted = kc_host_number_from_environment("KCOMPILE_THREADS", 1, 0);
  if (wanted) return within_limits(wanted);
  return kc_host_usable_cpus();
}
