/* kc_call_steps.c: many batches in one call: Call.steps of kc_call.c. */
#define NO_IMPORT_ARRAY
#include "kc_call.h"

#include <time.h>

static double seconds_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

typedef struct {
  char *data;
  size_t row_bytes;
} column;

static column column_of(PyArrayObject *array) {
  size_t row_bytes = (size_t)PyArray_ITEMSIZE(array);
  for (int axis = 1; axis < PyArray_NDIM(array); ++axis) row_bytes *= (size_t)PyArray_DIM(array, axis);
  return (column){PyArray_DATA(array), row_bytes};
}

/* Copies the rows that order names; 0, or -1 where a number is out of range. */
static int gather(char *to, column from, const npy_int64 *order, int64_t count, int64_t available) {
  const size_t bytes = from.row_bytes;
  for (int64_t i = 0; i < count; ++i) {
    const npy_int64 row = order[i];
    if (row < 0 || row >= available) return -1;
    memcpy(to + (size_t)i * bytes, from.data + (size_t)row * bytes, bytes);
  }
  return 0;
}

enum { MOST_COLUMNS = 64 };

PyObject *kc_call_steps(PyObject *object, PyObject *arguments) {
  call *self = (call *)object;
  PyObject *arrays, *order_object, *into;
  long long first, rows, count;
  double limit;
  if (!PyArg_ParseTuple(arguments, "O!OLLLdO!:steps", &PyTuple_Type, &arrays, &order_object, &first, &rows, &count,
                        &limit, &PyTuple_Type, &into))
    return NULL;
  const int64_t n = self->n_arguments, m = self->n_results;
  if (PyTuple_GET_SIZE(arrays) != n || PyTuple_GET_SIZE(into) != m || n == 0 || n + m > MOST_COLUMNS) Py_RETURN_NONE;
  if (first < 0 || rows < 1 || count < 0 || count > (INT64_MAX - first) / rows) {
    PyErr_SetString(PyExc_ValueError, "steps needs first >= 0, rows >= 1 and count >= 0");
    return NULL;
  }
  const int64_t end = first + rows * count;
  PyObject *const *given = ((PyTupleObject *)arrays)->ob_item;
  int64_t available = end;
  const npy_int64 *order = NULL;
  if (order_object != Py_None) {
    PyArrayObject *numbers = (PyArrayObject *)order_object;
    if (!PyArray_Check(order_object) || PyArray_TYPE(numbers) != NPY_INT64 || PyArray_NDIM(numbers) != 1 ||
        (PyArray_FLAGS(numbers) & PLAIN) != PLAIN || PyArray_DIM(numbers, 0) < end)
      Py_RETURN_NONE;
    order = PyArray_DATA(numbers);
    available = INT64_MAX;
  }
  column columns[MOST_COLUMNS];
  size_t gathered = 0;
  for (int64_t i = 0; i < n; ++i) {
    PyArrayObject *array = (PyArrayObject *)given[i];
    if (!kc_fits(self, given[i], i) || PyArray_NDIM(array) < 1) Py_RETURN_NONE;
    if (order ? PyArray_DIM(array, 0) > available : PyArray_DIM(array, 0) < end) Py_RETURN_NONE;
    if (order && PyArray_DIM(array, 0) < available) available = PyArray_DIM(array, 0);
    columns[i] = column_of(array);
    gathered += (columns[i].row_bytes * (size_t)rows + 63) & ~(size_t)63;
  }
  known *k = kc_find_known(self, given, rows);
  if (!k) Py_RETURN_NONE;
  const int64_t *shape = k->results;
  for (int64_t i = 0; i < m; ++i) {
    PyArrayObject *array = (PyArrayObject *)PyTuple_GET_ITEM(into, i);
    const int64_t rank = *shape++;
    if (!PyArray_Check((PyObject *)array) || (PyArray_FLAGS(array) & NPY_ARRAY_CARRAY) != NPY_ARRAY_CARRAY ||
        !PyArray_EquivTypes(PyArray_DESCR(array), self->dtypes[n + i]) || PyArray_NDIM(array) != rank || rank < 1 ||
        shape[0] != rows || PyArray_DIM(array, 0) < end)
      Py_RETURN_NONE;
    for (int64_t axis = 1; axis < rank; ++axis)
      if (PyArray_DIM(array, axis) != shape[axis]) Py_RETURN_NONE;
    columns[n + i] = column_of(array);
    shape += rank;
  }
  ++k->uses;
  kc_take_lock(self);
  workspace *w = kc_take_workspace(self, k);
  if (w && order && kc_grow((void **)&w->rows, &w->rows_bytes, gathered)) {
    kc_free_workspace(w);
    w = NULL;
  }
  int64_t done = 0;
  kc_status status = KC_OK;
  int outside = 0;
  if (w) {
    Py_BEGIN_ALLOW_THREADS
    const double stop = limit > 0 ? seconds_now() + limit : 0;
    while (done < count) {
      const int64_t row = first + done * rows;
      char *to = w->rows;
      for (int64_t i = 0; i < n && !outside; ++i) {
        const column from = columns[i];
        if (order) {
          outside = gather(to, from, order + row, rows, available);
          w->in[self->places[i]] = to;
          to += (from.row_bytes * (size_t)rows + 63) & ~(size_t)63;
        } else {
          w->in[self->places[i]] = from.data + (size_t)row * from.row_bytes;
        }
      }
      if (outside) break;
      for (int64_t i = n; i < n + m; ++i)
        w->out[self->places[i]] = columns[i].data + (size_t)row * columns[i].row_bytes;
      status = kc_run_once(self, k, w);
      if (status) break;
      ++done;
      if (limit > 0 && seconds_now() >= stop) break;
    }
    Py_END_ALLOW_THREADS
    kc_give_back(self, w);
  }
  if (self->lock) PyThread_release_lock(self->lock);
  if (outside) PyErr_SetString(PyExc_IndexError, "a row number of order is out of range");
  if (status) kc_refuse(self, k, status);
  kc_drop_known(k);
  if (!w || outside || status) return NULL;
  return PyLong_FromLongLong(done);
}
