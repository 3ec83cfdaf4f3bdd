/* Two compiled models in one program: each answers for the same rows, bit for bit as alone. */
#include "first.h"
#include "second.h"
#include <stdio.h>
#include <stdlib.h>

static void *aligned(int64_t bytes) { return aligned_alloc(64, (size_t)(bytes + 63) / 64 * 64); }

static int answer(const kc_model *model, const kc_env *env, const void *rows, int64_t in_bytes, FILE *out) {
  int64_t sizes[] = {in_bytes / model->in[0].row_bytes}, out_bytes = sizes[0] * model->out[0].row_bytes, need = 0;
  void *ctx = aligned(model->ctx_bytes), *scores = aligned(out_bytes);
  const void *in[] = {rows};
  void *outs[] = {scores};
  kc_status status = model->bind(ctx, model->ctx_bytes, env, NULL, 0);
  if (!status) status = model->arena_bytes(sizes, 1, &need);
  void *arena = aligned(need);
  if (!status) status = model->run(ctx, sizes, in, &in_bytes, outs, &out_bytes, arena, need);
  if (!status && fwrite(scores, 1, (size_t)out_bytes, out) != (size_t)out_bytes) status = -1;
  free(ctx), free(scores), free(arena);
  return status;
}

int main(int argc, char **argv) {
  kc_env env = {.size = sizeof env, .max_workers = 1};
  if (argc != 3 || kc_first_query(0, &env) != NULL) return 2;
  FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
  static float rows[9 * 100];
  int64_t bytes = (int64_t)fread(rows, 1, sizeof rows, in);
  int status = answer(kc_first_query(KC_ABI, &env), &env, rows, bytes, out);
  if (!status) status = answer(kc_second_query(KC_ABI, &env), &env, rows, bytes, out);
  fclose(in);
  return fclose(out) || status;
}
