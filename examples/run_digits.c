/* Runs the model that digits_cnn.py has compiled: no Python, no libraries.
 *
 *     cc -O1 -Idigits.kc/include run_digits.c digits.kc/lib/<triple>/digits.o -o run_digits
 *     ./run_digits images.bin answers.bin        # f32 images of 28 x 28, ten f32 scores each
 */
#include "digits.h"
#include <stdio.h>
#include <stdlib.h>

static void *aligned(int64_t bytes) { return aligned_alloc(64, (size_t)(bytes + 63) / 64 * 64); }

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "usage: %s images.bin answers.bin\n", argv[0]), 2;
  kc_env env = {.size = sizeof env, .max_workers = 1}; /* one thread, the code that every CPU of this kind runs */
  const kc_model *model = kc_digits_query(KC_ABI, &env);
  FILE *file = fopen(argv[1], "rb");
  if (!model || !file) return fprintf(stderr, "cannot open %s\n", argv[1]), 1;
  fseek(file, 0, SEEK_END);
  int64_t in_bytes = ftell(file), sizes[] = {in_bytes / model->in[0].row_bytes}, out_bytes, need;
  rewind(file);
  void *ctx = aligned(model->ctx_bytes), *images = aligned(in_bytes);
  if (fread(images, 1, (size_t)in_bytes, file) != (size_t)in_bytes) return 1;
  fclose(file);
  out_bytes = sizes[0] * model->out[0].row_bytes;
  void *scores = aligned(out_bytes);
  kc_status status = model->bind(ctx, model->ctx_bytes, &env, NULL, 0);
  if (!status) status = model->arena_bytes(sizes, env.max_workers, &need);
  if (!status) status = model->run(ctx, sizes, (const void *const[]){images}, &in_bytes, (void *const[]){scores}, &out_bytes,
                                   aligned(need), need);
  if (status) return fprintf(stderr, "the model answered status %d\n", (int)status), 1;
  file = fopen(argv[2], "wb");
  return !file || fwrite(scores, 1, (size_t)out_bytes, file) != (size_t)out_bytes || fclose(file);
}
