/* kc_call.h: what the two halves of the extension module _kc_call share: kc_call.c and kc_call_steps.c. */
#ifndef KC_CALL_H
#define KC_CALL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL kc_call_numpy
#include <numpy/arrayobject.h>

#include <stddef.h>
#include <string.h>

#include "kc.h"

enum {
  MOST_SHAPES = 256, /* what calls with more different shapes have taught is forgotten, not kept for ever */
  PLAIN = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED, /* what kernels can read as it is */
};

typedef kc_status (*run_function)(const void *ctx, const int64_t *sizes, const void *const *in,
                                  const int64_t *in_bytes, void *const *out, const int64_t *out_bytes, void *arena,
                                  int64_t arena_bytes);

/* ---- what is known about calls with arrays of certain shapes ---- */

typedef struct {
  int64_t uses; /* changed with the GIL held; the last user frees it */
  int64_t arena_bytes;
  int release; /* long enough to let other Python threads run meanwhile */
  int64_t *shapes;  /* of the caller's arrays: rank, extents, rank, extents .. */
  int64_t *results; /* of the new arrays, in the same way */
  int64_t *sizes, *in_bytes, *out_bytes;
  int64_t n_sizes;
  int64_t numbers[]; /* where all of these are */
} known;

/* What one thread at a time works with. */
typedef struct workspace {
  struct workspace *next;
  void *arena;
  size_t arena_bytes;
  char *rows; /* gathered rows of the caller's arrays */
  size_t rows_bytes;
  void **out;
  const void *in[]; /* n_in pointers, then n_out */
} workspace;

/* ---- the type ---- */

typedef struct {
  PyObject_HEAD
  vectorcallfunc vectorcall;
  run_function run;
  const void *context;
  int64_t n_in, n_out, n_arguments, n_results;
  void **pointers;                  /* of the variables; NULL where the caller's arrays go: n_in, then n_out */
  int64_t *places;                  /* of the arguments among the inputs, then of the results among the outputs */
  PyArray_Descr **dtypes;           /* of the arguments, then of the results */
  known *last, *all[MOST_SHAPES];
  int64_t n_known;
  workspace *idle;
  PyThread_type_lock lock;          /* variables are updated in place: two calls at once would mix their states */
  PyObject *refused;                /* refused(status, sizes) raises the error of a status */
  PyObject *keep;                   /* what must live as long as the pointers above are used */
} call;

/* Whether an array is what kernels can read for argument i. */
static inline int kc_fits(const call *self, PyObject *given, int64_t i) {
  if (!PyArray_CheckExact(given) && !PyArray_Check(given)) return 0;
  PyArrayObject *array = (PyArrayObject *)given;
  if ((PyArray_FLAGS(array) & PLAIN) != PLAIN) return 0;
  return PyArray_DESCR(array) == self->dtypes[i] || PyArray_EquivTypes(PyArray_DESCR(array), self->dtypes[i]);
}

static inline kc_status kc_run_once(const call *self, const known *k, const workspace *w) {
  return self->run(self->context, k->sizes, w->in, k->in_bytes, w->out, k->out_bytes, w->arena, k->arena_bytes);
}

/* What is known about arrays of these shapes, or NULL; rows >= 0 stands for the first extent of each. */
known *kc_find_known(call *self, PyObject *const *arrays, npy_intp rows);
void kc_drop_known(known *k);

/* To be given back, and both under kc_take_lock. NULL with MemoryError set. */
workspace *kc_take_workspace(call *self, const known *k);
void kc_give_back(call *self, workspace *w);
void kc_free_workspace(workspace *w);
void kc_take_lock(call *self);

/* Makes aligned memory of at least `need` bytes of *memory; -1 with MemoryError set. Its content is lost. */
int kc_grow(void **memory, size_t *bytes, size_t need);

/* Raises the error of a status. */
void kc_refuse(call *self, const known *k, kc_status status);

PyObject *kc_call_steps(PyObject *object, PyObject *arguments);

#endif /* KC_CALL_H */
