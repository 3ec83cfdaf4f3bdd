/* kc.h: the binary interface between a compiled model and the program that runs it.
 *
 * A model is a freestanding object: it imports nothing, and its only exported symbol is kc_<name>_query. Everything it
 * needs from the outside (which CPU this is, threads, sleeping) arrives through kc_env; all memory is the caller's.
 * The same object is loaded by the JIT and written ahead of time, so this header is the only interface there is.
 *
 *     const kc_model *m = kc_digits_query(KC_ABI, &env);        // NULL: no interface version in common
 *     void *ctx = aligned_alloc(64, round_up(m->ctx_bytes));    // written once by bind, then read only
 *     m->bind(ctx, m->ctx_bytes, &env, NULL, 0);
 *     int64_t sizes[] = {32}, need;                             // sizes[0] is the batch
 *     m->arena_bytes(sizes, env.max_workers, &need);
 *     m->run(ctx, sizes, in, in_bytes, out, out_bytes, aligned_alloc(64, round_up(need)), need);
 */
#ifndef KC_H
#define KC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KC_ABI 1u        /* a new number means: incompatible. Otherwise structs grow at the end and carry their size */
#define KC_ALIGNMENT 64  /* of ctx, arena and separate weights; inputs and outputs need their element's alignment */

/* A plain 32-bit integer on the wire; the names are what it can be. */
typedef int32_t kc_status;
enum {
  KC_OK = 0,
  KC_EABI = 1,      /* no interface version in common, or a struct that is too small */
  KC_ECPU = 2,      /* this object has no code for this CPU */
  KC_EARG = 3,      /* a null pointer, or memory that overlaps where it may not */
  KC_ESHAPE = 4,    /* a size below 0 or too large, or a byte count that is not what the sizes ask for */
  KC_EARENA = 5,    /* the arena or ctx is too small */
  KC_EALIGN = 6,    /* a pointer is not aligned */
  KC_EWEIGHTS = 7,  /* separate weights are missing, or of the wrong byte count */
  KC_EINDEX = 8,    /* an index (embedding, gather) out of range */
  KC_EOVERFLOW = 9  /* a computed size does not fit in 64 bits */
};

/* Bits of kc_env.cpu[0]. A bit is set only when the processor has the features AND the operating system saves their
 * registers (XCR0). cpu[0] == 0 means "unknown": the model uses its baseline code. cpu[1..7] are 0 in this version. */
#define KC_CPU_DETECTED   (UINT64_C(1) << 0)
#define KC_X86_V2         (UINT64_C(1) << 1)   /* all of x86-64-v2: SSE4.2, POPCNT, ... */
#define KC_X86_V3         (UINT64_C(1) << 2)   /* all of x86-64-v3: AVX2, FMA, F16C, BMI2, ... */
#define KC_X86_V4         (UINT64_C(1) << 3)   /* all of x86-64-v4: AVX-512 F, BW, CD, DQ, VL */
#define KC_X86_VNNI       (UINT64_C(1) << 4)   /* AVX-512 VNNI; implies KC_X86_V4 */
#define KC_X86_BF16       (UINT64_C(1) << 5)   /* AVX-512 BF16; implies KC_X86_V4 */
#define KC_X86_FP16       (UINT64_C(1) << 6)   /* AVX-512 FP16; implies KC_X86_V4 */
#define KC_X86_AVX_VNNI   (UINT64_C(1) << 7)   /* VEX-coded VNNI; implies KC_X86_V3 */
#define KC_ARM_NEON       (UINT64_C(1) << 32)  /* on every AArch64 */
#define KC_ARM_DOTPROD    (UINT64_C(1) << 33)
#define KC_ARM_FP16       (UINT64_C(1) << 34)  /* half-precision vector arithmetic */
#define KC_ARM_I8MM       (UINT64_C(1) << 35)
#define KC_ARM_BF16       (UINT64_C(1) << 36)
#define KC_ARM_SVE        (UINT64_C(1) << 37)
#define KC_ARM_SVE2       (UINT64_C(1) << 38)

/* One worker's part of a parallel region: tid is 0 .. team-1, and 0 is the thread that called run(). */
typedef void (*kc_body)(void *arg, int32_t tid, int32_t team);

/* What a host gives to a model. It must stay alive and unchanged as long as a ctx that was bound with it is in use. */
typedef struct kc_env {
  uint32_t size;        /* sizeof(kc_env) of the host */
  uint32_t flags;       /* 0 */
  uint64_t cpu[8];      /* bits above; all 0 = unknown, baseline code */
  int32_t max_workers;  /* >= 1; with 1 the three functions below are never called and may be NULL */
  int32_t reserved;     /* 0 */
  /* Calls body(arg, 0 .. n-1, n) on n threads AT THE SAME TIME (so that body may contain barriers), waits for all of
   * them and returns n, 1 <= n <= team. The caller is tid 0. When the host has no free thread n is 1, and body has run
   * on the caller alone. A model calls it at most once per run(). Writes before the call are visible to every body,
   * writes of every body are visible after it. */
  int32_t (*run_on_workers)(void *pool, int32_t team, kc_body body, void *arg);
  /* For barriers whose spinning took too long. park sleeps while *word == seen, and may return early: test again.
   * wake wakes all that sleep on word, after *word has been changed. Either both are given or none; without them a
   * barrier keeps spinning. */
  void (*park)(void *pool, uint32_t *word, uint32_t seen);
  void (*wake)(void *pool, uint32_t *word);
  void *pool;           /* handed back to the three functions */
} kc_env;

/* One input or output. */
typedef struct kc_tensor {
  const char *name;
  uint8_t dtype_code, dtype_bits;  /* as in DLPack: 0 int, 1 uint, 2 float, 4 bfloat, 5 complex, 6 bool */
  uint16_t ndim;
  uint32_t reserved;               /* 0 */
  const int64_t *shape;            /* ndim numbers: >= 0 a fixed extent, -1-k the value of sizes[k], so -1 is the batch;
                                    * INT64_MIN = an extent that only the model can compute from the sizes */
  int64_t row_bytes;               /* bytes per unit of the product of the symbolic extents; 0 where there is none:
                                    * run() checks the exact count anyway */
} kc_tensor;

/* A model: constant, in the object's read-only data, alive as long as the object is loaded. */
typedef struct kc_model {
  uint32_t abi, size;                         /* KC_ABI and sizeof(kc_model) when it was compiled */
  const char *name, *metadata_json, *uid_hex; /* UTF-8; uid names the content */
  uint32_t n_in, n_out;
  const kc_tensor *in, *out;
  uint32_t n_sizes, reserved;                 /* how many symbolic sizes; often 1, the batch */
  const char *const *size_names;
  int64_t max_batch;                          /* largest accepted sizes[0]; 0 = no limit of its own */
  int64_t weights_bytes;                      /* 0 = the weights are inside the object */
  /* *out = bytes of arena that run() needs for these sizes on up to `workers` workers. */
  kc_status (*arena_bytes)(const int64_t *sizes, int32_t workers, int64_t *out);
  /* Fills ctx (ctx_bytes, aligned). Afterwards ctx is never written again. weights: weights_bytes bytes, or NULL and 0
   * when they are inside; they must stay alive as long as ctx. */
  kc_status (*bind)(void *ctx, int64_t ctx_bytes, const kc_env *env, const void *weights, int64_t weights_bytes);
  /* Reads in[i] (in_bytes[i] bytes), writes out[i]. out may not overlap in, the arena or another out; only an output
   * that updates an input in place (training state; the metadata names the pair) gets that input's pointer. Any number
   * of threads may run on one ctx, each with its own arena, whose content need not be kept between calls. Never
   * allocates, never blocks with one worker. A batch of 0 is fine and writes nothing. */
  kc_status (*run)(const void *ctx, const int64_t *sizes, const void *const *in, const int64_t *in_bytes,
                   void *const *out, const int64_t *out_bytes, void *arena, int64_t arena_bytes);
  int64_t ctx_bytes;
} kc_model;

/* The one exported symbol, kc_<name>_query. max_abi: the newest version that the caller knows. env may be NULL. */
typedef const kc_model *(*kc_query)(uint32_t max_abi, const kc_env *env);

#ifdef __cplusplus
}
#endif

#endif /* KC_H */
