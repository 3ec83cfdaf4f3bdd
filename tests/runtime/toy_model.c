/* A model written by hand against kc.h, freestanding like a compiled one: y[i][j] = 2 x[i][j] + rowsum(x)[i + 1 mod b],
 * total = sum(x). The second row's sum makes a barrier between the two halves necessary. */
#include "kc.h"

typedef struct { const kc_env *env; } context;
typedef struct { uint32_t arrived, turn, sleepers; } barrier;
typedef struct {
  const kc_env *env;
  const float *x;
  float *y, *sums;
  double *total;
  int64_t b, t;
  barrier *gate;
} job;

static void wait_for_all(const kc_env *env, barrier *gate, int32_t team) {
  const uint32_t turn = __atomic_load_n(&gate->turn, __ATOMIC_ACQUIRE);
  if (__atomic_add_fetch(&gate->arrived, 1, __ATOMIC_ACQ_REL) == (uint32_t)team) {
    gate->arrived = 0;
    __atomic_store_n(&gate->turn, turn + 1, __ATOMIC_SEQ_CST);
    if (env->wake && __atomic_load_n(&gate->sleepers, __ATOMIC_SEQ_CST)) env->wake(env->pool, &gate->turn);
    return;
  }
  for (int spins = 0; __atomic_load_n(&gate->turn, __ATOMIC_ACQUIRE) == turn; ++spins) {
    if (!env->park || spins < 200) continue;
    __atomic_add_fetch(&gate->sleepers, 1, __ATOMIC_SEQ_CST);
    env->park(env->pool, &gate->turn, turn);
    __atomic_sub_fetch(&gate->sleepers, 1, __ATOMIC_SEQ_CST);
  }
}

static void work(void *arg, int32_t tid, int32_t team) {
  const job *j = arg;
  const int64_t chunk = (j->b + team - 1) / team, from = tid * chunk;
  const int64_t to = from + chunk < j->b ? from + chunk : j->b;
  for (int64_t i = from; i < to; ++i) {
    float sum = 0;
    for (int64_t k = 0; k < j->t; ++k) sum += j->x[i * j->t + k];
    j->sums[i] = sum;
  }
  if (team > 1) wait_for_all(j->env, j->gate, team);
  for (int64_t i = from; i < to; ++i)
    for (int64_t k = 0; k < j->t; ++k) j->y[i * j->t + k] = 2 * j->x[i * j->t + k] + j->sums[(i + 1) % j->b];
  if (tid == 0) {
    double total = 0;
    for (int64_t i = 0; i < j->b; ++i) total += (double)j->sums[i];
    *j->total = total;
  }
}

static kc_status arena_bytes(const int64_t *sizes, int32_t workers, int64_t *out) {
  (void)workers;
  if (sizes[0] < 0 || sizes[1] < 0) return KC_ESHAPE;
  int64_t bytes;
  if (__builtin_mul_overflow(sizes[0], (int64_t)sizeof(float), &bytes) || bytes > INT64_MAX - 64) return KC_EOVERFLOW;
  *out = 64 + bytes;
  return KC_OK;
}

static kc_status bind(void *ctx, int64_t ctx_bytes, const kc_env *env, const void *weights, int64_t weights_bytes) {
  if (!ctx || !env) return KC_EARG;
  if ((uintptr_t)ctx % KC_ALIGNMENT) return KC_EALIGN;
  if (ctx_bytes < (int64_t)sizeof(context)) return KC_EARENA;
  if (weights || weights_bytes) return KC_EWEIGHTS;
  ((context *)ctx)->env = env;
  return KC_OK;
}

static kc_status run(const void *ctx, const int64_t *sizes, const void *const *in, const int64_t *in_bytes,
                     void *const *out, const int64_t *out_bytes, void *arena, int64_t given) {
  int64_t need, elements;
  const kc_status status = arena_bytes(sizes, 1, &need);
  if (status) return status;
  if (__builtin_mul_overflow(sizes[0], sizes[1], &elements) || elements > INT64_MAX / 4) return KC_EOVERFLOW;
  if (in_bytes[0] != elements * 4 || out_bytes[0] != elements * 4 || out_bytes[1] != 8) return KC_ESHAPE;
  if (given < need) return KC_EARENA;
  if ((uintptr_t)arena % KC_ALIGNMENT || (uintptr_t)in[0] % 4 || (uintptr_t)out[0] % 4) return KC_EALIGN;
  barrier *gate = arena;
  gate->arrived = gate->turn = gate->sleepers = 0;
  const kc_env *env = ((const context *)ctx)->env;
  job j = {env, in[0], out[0], (float *)((char *)arena + 64), out[1], sizes[0], sizes[1], gate};
  if (env->max_workers > 1)
    env->run_on_workers(env->pool, env->max_workers, work, &j);
  else
    work(&j, 0, 1);
  return KC_OK;
}

static const int64_t matrix[] = {-1, -2};
static const char *const size_names[] = {"b", "t"};
static const kc_tensor inputs[] = {{"x", 2, 32, 2, 0, matrix, 4}};
static const kc_tensor outputs[] = {{"y", 2, 32, 2, 0, matrix, 4}, {"total", 2, 64, 0, 0, matrix, 8}};
static const kc_model model = {KC_ABI, sizeof(kc_model), "toy",       "{\"made_by\": \"hand\"}", "00ff",
                               1,      2,                inputs,      outputs,                   2,
                               0,      size_names,       0,           0,                         arena_bytes,
                               bind,   run,              sizeof(context)};

__attribute__((visibility("default"))) const kc_model *kc_toy_query(uint32_t max_abi, const kc_env *env) {
  (void)env;
  return max_abi >= KC_ABI ? &model : 0;
}
