/* kc_run: runs one model of a compiled library, without Python.
 *
 *     kc_run LIBRARY MODEL [--sizes b=32,t=7] [--in FILE]... [--out FILE]... [--weights FILE] [--threads N] [--bench N]
 *
 * Files hold the raw bytes of one tensor each, in the order of the model's inputs and outputs. Sizes that are not given
 * are 1, inputs that are not given are zeros. Outputs without a file are summarised.
 * Exit code: 0 done, 1 failed, 2 wrong usage.
 * Build: cc -std=c11 -O2 -pthread -Iinclude kc_run.c kc_host.c kc_machine.c -ldl -o kc_run
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kc_host.h"

enum { MOST = 256 }; /* inputs, outputs or sizes that this program handles */

static const char USAGE[] =
    "usage: kc_run LIBRARY MODEL [--sizes b=32,t=7] [--in FILE]... [--out FILE]... [--weights FILE] [--threads N] "
    "[--bench N]\n";

static _Noreturn void die(int code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("kc_run: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  if (code == 2) fputs(USAGE, stderr);
  exit(code);
}

static int64_t whole_number(const char *text, const char *what) {
  char *end;
  const long long value = strtoll(text, &end, 10);
  if (!*text || *end || value < 0) die(2, "%s needs a whole number, received '%s'", what, text);
  return value;
}

static void *aligned_zeros(int64_t bytes) {
  const size_t rounded = ((size_t)bytes / KC_ALIGNMENT + 1) * KC_ALIGNMENT;
  void *memory = aligned_alloc(KC_ALIGNMENT, rounded);
  if (!memory) die(1, "no memory for %lld bytes", (long long)bytes);
  return memset(memory, 0, rounded);
}

static void read_exactly(const char *path, void *bytes, int64_t count, const char *what) {
  FILE *file = fopen(path, "rb");
  if (!file) die(1, "cannot open %s for %s", path, what);
  const size_t got = fread(bytes, 1, (size_t)count, file);
  if (got != (size_t)count || fgetc(file) != EOF)
    die(1, "%s needs exactly %lld bytes; %s has %s", what, (long long)count, path,
        got == (size_t)count ? "more" : "fewer");
  fclose(file);
}

static void write_all(const char *path, const void *bytes, int64_t count) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, (size_t)count, file) != (size_t)count || fclose(file)) die(1, "cannot write %s", path);
}

static void must(kc_status status, const char *step) {
  if (status) die(1, "%s: %s (status %d)", step, kc_host_status_text(status), status);
}

/* "32,7" in the model's order, or "t=7,b=32" by name. */
static void parse_sizes(const kc_model *model, char *text, int64_t *sizes) {
  uint32_t position = 0;
  for (char *rest = text, *item; (item = strsep(&rest, ","));) {
    char *value = strchr(item, '=');
    uint32_t k = position++;
    if (value) {
      *value++ = '\0';
      for (k = 0; k < model->n_sizes && strcmp(item, model->size_names[k]); ++k) {}
    }
    if (k >= model->n_sizes) die(2, "model '%s' has %u sizes; '%s' is none of them", model->name, model->n_sizes, item);
    sizes[k] = whole_number(value ? value : item, "--sizes");
  }
}

static int64_t tensor_bytes(const kc_tensor *tensor, const int64_t *sizes) {
  int64_t elements = 1, bits;
  for (int axis = 0; axis < tensor->ndim; ++axis) {
    const int64_t extent = tensor->shape[axis];
    if (extent == INT64_MIN) die(1, "the shape of '%s' is known to the model only", tensor->name);
    if (__builtin_mul_overflow(elements, extent < 0 ? sizes[-1 - extent] : extent, &elements)) elements = -1;
    if (elements < 0) break;
  }
  if (elements < 0 || __builtin_mul_overflow(elements, (int64_t)tensor->dtype_bits, &bits))
    die(1, "'%s' would be larger than memory", tensor->name);
  return bits / 8;
}

static double element(const kc_tensor *tensor, const void *data, int64_t i) {
  switch (tensor->dtype_code * 1000 + tensor->dtype_bits) {
    case 8: return ((const int8_t *)data)[i];
    case 32: return ((const int32_t *)data)[i];
    case 64: return (double)((const int64_t *)data)[i];
    case 1008: case 6008: return ((const uint8_t *)data)[i];
    case 1032: return ((const uint32_t *)data)[i];
    case 2032: return (double)((const float *)data)[i];
    case 2064: return ((const double *)data)[i];
    default: return 0;
  }
}

static void describe(const char *kind, const kc_tensor *tensor, const int64_t *sizes, const void *data, int64_t bytes) {
  static const char *const families[] = {"int", "uint", "float", "?", "bfloat", "complex", "bool"};
  printf("%s %s: %s%d [", kind, tensor->name, tensor->dtype_code < 7 ? families[tensor->dtype_code] : "?",
         tensor->dtype_bits);
  for (int axis = 0; axis < tensor->ndim; ++axis) {
    const int64_t extent = tensor->shape[axis];
    printf("%s%lld", axis ? ", " : "", (long long)(extent < 0 ? sizes[-1 - extent] : extent));
  }
  printf("], %lld bytes", (long long)bytes);
  const int64_t elements = bytes * 8 / tensor->dtype_bits;
  for (int64_t i = 0; data && i < elements && i < 10; ++i) printf("%s %.6g", i ? "" : ":", element(tensor, data, i));
  puts(data && elements > 10 ? " ..." : "");
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

int main(int argc, char **argv) {
  const char *in_files[MOST] = {0}, *out_files[MOST] = {0}, *weights_file = NULL;
  char *sizes_text = NULL;
  uint32_t n_in_files = 0, n_out_files = 0;
  int64_t threads = 0, bench = 0;
  if (argc < 3) die(2, "a library and a model name are needed");
  for (int i = 3; i < argc; i += 2) {
    const char *option = argv[i];
    if (i + 1 >= argc) die(2, "%s needs a value", option);
    char *value = argv[i + 1];
    if (!strcmp(option, "--sizes")) sizes_text = value;
    else if (!strcmp(option, "--in") && n_in_files < MOST) in_files[n_in_files++] = value;
    else if (!strcmp(option, "--out") && n_out_files < MOST) out_files[n_out_files++] = value;
    else if (!strcmp(option, "--weights")) weights_file = value;
    else if (!strcmp(option, "--threads")) threads = whole_number(value, option);
    else if (!strcmp(option, "--bench")) bench = whole_number(value, option);
    else die(2, "unknown option %s", option);
  }

  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!library) die(1, "%s", dlerror());
  char symbol[512];
  snprintf(symbol, sizeof symbol, "kc_%s_query", argv[2]);
  kc_query query;
  *(void **)&query = dlsym(library, symbol);
  if (!query) die(1, "%s has no symbol %s: is the model name right?", argv[1], symbol);

  kc_env env;
  kc_host_env(&env, threads > KC_HOST_MAX_WORKERS ? KC_HOST_MAX_WORKERS : (int32_t)threads);
  const kc_model *model = query(KC_ABI, &env);
  if (!model) must(KC_EABI, "query");
  if (model->n_in > MOST || model->n_out > MOST || model->n_sizes > MOST)
    die(1, "more than %d inputs, outputs or sizes", MOST);
  if (n_in_files > model->n_in || n_out_files > model->n_out)
    die(2, "model '%s' has %u inputs and %u outputs", model->name, model->n_in, model->n_out);

  int64_t sizes[MOST], in_bytes[MOST], out_bytes[MOST], arena_bytes;
  void *in[MOST], *out[MOST];
  for (int k = 0; k < MOST; ++k) sizes[k] = 1;
  if (sizes_text) parse_sizes(model, sizes_text, sizes);
  must(model->arena_bytes(sizes, env.max_workers, &arena_bytes), "arena_bytes");
  void *arena = aligned_zeros(arena_bytes), *weights = NULL, *ctx = aligned_zeros(model->ctx_bytes);
  if (model->weights_bytes) {
    if (!weights_file) die(2, "model '%s' keeps its weights in a file: --weights FILE", model->name);
    weights = aligned_zeros(model->weights_bytes);
    read_exactly(weights_file, weights, model->weights_bytes, "the weights");
  }
  must(model->bind(ctx, model->ctx_bytes, &env, weights, model->weights_bytes), "bind");
  for (uint32_t i = 0; i < model->n_in; ++i) {
    in[i] = aligned_zeros(in_bytes[i] = tensor_bytes(&model->in[i], sizes));
    if (in_files[i]) read_exactly(in_files[i], in[i], in_bytes[i], model->in[i].name);
    describe("input", &model->in[i], sizes, NULL, in_bytes[i]);
  }
  for (uint32_t i = 0; i < model->n_out; ++i)
    out[i] = aligned_zeros(out_bytes[i] = tensor_bytes(&model->out[i], sizes));

#define RUN() model->run(ctx, sizes, (const void *const *)in, in_bytes, out, out_bytes, arena, arena_bytes)
  must(RUN(), "run");
  for (uint32_t i = 0; i < model->n_out; ++i) {
    if (out_files[i]) write_all(out_files[i], out[i], out_bytes[i]);
    describe("output", &model->out[i], sizes, out_files[i] ? NULL : out[i], out_bytes[i]);
  }
  if (bench) {
    double *times = aligned_zeros(bench * (int64_t)sizeof *times);
    for (int64_t i = 0; i < bench; ++i) {
      const double start = now_us();
      must(RUN(), "run");
      times[i] = now_us() - start;
    }
    qsort(times, (size_t)bench, sizeof *times, by_value);
    printf("%lld runs on up to %d threads: least %.2f us, median %.2f us\n", (long long)bench, env.max_workers,
           times[0], times[bench / 2]);
    free(times);
  }

  for (uint32_t i = 0; i < model->n_in; ++i) free(in[i]);
  for (uint32_t i = 0; i < model->n_out; ++i) free(out[i]);
  free(arena), free(weights), free(ctx);
  kc_host_close();
  dlclose(library);
  return 0;
}
