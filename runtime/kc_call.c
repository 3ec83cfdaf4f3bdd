/* kc_call.c: the shortest way from NumPy arrays into a compiled model: the extension module kcompile.runtime._kc_call.
 *
 * A Call holds what calls of one bound model have in common. It takes arrays that kernels can read as they are, of
 * shapes that it has been told about (learn); for anything else it answers None, and Python finds out what is wrong or
 * makes arrays that fit. kcompile/runtime/portable_call.py is the same in Python, for installs without a C compiler.
 *
 *     call(x, ..)  ->  [y, ..]      call.one(x)  ->  y      call.steps(arrays, order, first, rows, count, seconds, into)
 */
#include "kc_call.h"

#include <stdlib.h>
#include <structmember.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#define KC_CALL_VERSION 1 /* of what Python relies on here: kcompile.runtime.native asks for it */
static const size_t HUGE_PAGE = (size_t)2 << 20; /* from here on whole pages, huge ones if the system has them */

/* ---- memory ---- */

static void *get_memory(size_t bytes) {
#if defined(__linux__)
  if (bytes >= HUGE_PAGE) {
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return NULL;
    madvise(pages, bytes, MADV_HUGEPAGE);
    return pages;
  }
#endif
  void *found = NULL;
  return posix_memalign(&found, KC_ALIGNMENT, bytes ? bytes : 1) ? NULL : found;
}

static void free_memory(void *memory, size_t bytes) {
#if defined(__linux__)
  if (bytes >= HUGE_PAGE) {
    if (memory) munmap(memory, bytes);
    return;
  }
#endif
  (void)bytes;
  free(memory);
}

int kc_grow(void **memory, size_t *bytes, size_t need) {
  if (need <= *bytes) return 0;
  free_memory(*memory, *bytes);
  *bytes = 0;
  *memory = get_memory(need);
  if (!*memory) {
    PyErr_NoMemory();
    return -1;
  }
  *bytes = need;
  return 0;
}

void kc_drop_known(known *k) {
  if (k && --k->uses == 0) PyMem_Free(k);
}

void kc_free_workspace(workspace *w) {
  if (!w) return;
  free_memory(w->arena, w->arena_bytes);
  free_memory(w->rows, w->rows_bytes);
  PyMem_Free(w);
}

static int64_t size_of_key(const int64_t *key, int64_t arrays) {
  int64_t at = 0;
  while (arrays--) at += 1 + key[at];
  return at;
}

/* Whether the arrays have the shapes of k; rows >= 0 stands for their first extent. */
static inline int same_shapes(const call *self, const known *k, PyObject *const *arrays, npy_intp rows) {
  const int64_t *key = k->shapes;
  for (int64_t i = 0; i < self->n_arguments; ++i) {
    PyArrayObject *array = (PyArrayObject *)arrays[i];
    const int64_t rank = *key++;
    if (rank != PyArray_NDIM(array)) return 0;
    const npy_intp *extents = PyArray_DIMS(array);
    for (int64_t axis = 0; axis < rank; ++axis)
      if (key[axis] != (axis == 0 && rows >= 0 ? rows : extents[axis])) return 0;
    key += rank;
  }
  return 1;
}

known *kc_find_known(call *self, PyObject *const *arrays, npy_intp rows) {
  if (self->last && same_shapes(self, self->last, arrays, rows)) return self->last;
  for (int64_t i = 0; i < self->n_known; ++i)
    if (same_shapes(self, self->all[i], arrays, rows)) return self->last = self->all[i];
  return NULL;
}

workspace *kc_take_workspace(call *self, const known *k) {
  workspace *w = self->idle;
  if (w) {
    self->idle = w->next;
  } else {
    w = PyMem_Calloc(1, sizeof *w + (size_t)(self->n_in + self->n_out) * sizeof(void *));
    if (!w) {
      PyErr_NoMemory();
      return NULL;
    }
    w->out = (void **)w->in + self->n_in;
    memcpy(w->in, self->pointers, (size_t)(self->n_in + self->n_out) * sizeof(void *));
  }
  if (kc_grow(&w->arena, &w->arena_bytes, (size_t)k->arena_bytes)) {
    kc_free_workspace(w);
    return NULL;
  }
  return w;
}

void kc_give_back(call *self, workspace *w) {
  w->next = self->idle;
  self->idle = w;
}

void kc_take_lock(call *self) {
  if (!self->lock || PyThread_acquire_lock(self->lock, NOWAIT_LOCK)) return;
  Py_BEGIN_ALLOW_THREADS
  PyThread_acquire_lock(self->lock, WAIT_LOCK);
  Py_END_ALLOW_THREADS
}

void kc_refuse(call *self, const known *k, kc_status status) {
  PyObject *sizes = PyTuple_New(k->n_sizes);
  if (!sizes) return;
  for (int64_t i = 0; i < k->n_sizes; ++i) {
    PyObject *size = PyLong_FromLongLong(k->sizes[i]);
    if (!size) {
      Py_DECREF(sizes);
      return;
    }
    PyTuple_SET_ITEM(sizes, i, size);
  }
  PyObject *answer = PyObject_CallFunction(self->refused, "iO", (int)status, sizes);
  Py_DECREF(sizes);
  Py_XDECREF(answer);
  if (answer) PyErr_Format(PyExc_SystemError, "the model answered status %d", (int)status);
}

/* Runs the model on arrays that fit; fills results with new arrays. -1 with an error set, 0, or 1: not known. */
static int run_on(call *self, PyObject *const *arrays, PyObject **results) {
  for (int64_t i = 0; i < self->n_arguments; ++i)
    if (!kc_fits(self, arrays[i], i)) return 1;
  known *k = kc_find_known(self, arrays, -1);
  if (!k) return 1;
  const int64_t *shape = k->results;
  for (int64_t i = 0; i < self->n_results; ++i) {
    const int64_t rank = *shape++;
    PyArray_Descr *dtype = self->dtypes[self->n_arguments + i];
    Py_INCREF(dtype);
    results[i] = PyArray_NewFromDescr(&PyArray_Type, dtype, (int)rank, (const npy_intp *)shape, NULL, NULL, 0, NULL);
    if (!results[i]) {
      while (i--) Py_DECREF(results[i]);
      return -1;
    }
    shape += rank;
  }
  kc_status status = -1;
  ++k->uses;
  kc_take_lock(self);
  workspace *w = kc_take_workspace(self, k);
  if (w) {
    for (int64_t i = 0; i < self->n_arguments; ++i) w->in[self->places[i]] = PyArray_DATA((PyArrayObject *)arrays[i]);
    for (int64_t i = 0; i < self->n_results; ++i)
      w->out[self->places[self->n_arguments + i]] = PyArray_DATA((PyArrayObject *)results[i]);
    if (k->release) {
      Py_BEGIN_ALLOW_THREADS
      status = kc_run_once(self, k, w);
      Py_END_ALLOW_THREADS
    } else {
      status = kc_run_once(self, k, w);
    }
    kc_give_back(self, w);
  }
  if (self->lock) PyThread_release_lock(self->lock);
  if (w && status) kc_refuse(self, k, status);
  kc_drop_known(k);
  if (!w || status) {
    for (int64_t i = 0; i < self->n_results; ++i) Py_DECREF(results[i]);
    return -1;
  }
  return 0;
}

static PyObject *call_vector(PyObject *object, PyObject *const *arguments, size_t flags, PyObject *names) {
  call *self = (call *)object;
  if (PyVectorcall_NARGS(flags) != self->n_arguments || (names && PyTuple_GET_SIZE(names))) Py_RETURN_NONE;
  PyObject *made = PyList_New(self->n_results);
  if (!made) return NULL;
  const int answer = run_on(self, arguments, PySequence_Fast_ITEMS(made));
  if (answer == 0) return made;
  for (int64_t i = 0; i < self->n_results; ++i) PyList_SET_ITEM(made, i, NULL); /* run_on has freed them */
  Py_DECREF(made);
  if (answer < 0) return NULL;
  Py_RETURN_NONE;
}

static PyObject *call_one(PyObject *object, PyObject *given) {
  call *self = (call *)object;
  PyObject *made;
  if (self->n_arguments != 1 || self->n_results != 1) Py_RETURN_NONE;
  const int answer = run_on(self, &given, &made);
  if (answer == 0) return made;
  if (answer < 0) return NULL;
  Py_RETURN_NONE;
}

/* ---- learning ---- */

static int64_t count_numbers(PyObject *sequences, int64_t expected) {
  if (!PyTuple_Check(sequences) || PyTuple_GET_SIZE(sequences) != expected) return -1;
  int64_t numbers = 0;
  for (int64_t i = 0; i < expected; ++i) {
    PyObject *one = PyTuple_GET_ITEM(sequences, i);
    if (!PyTuple_Check(one) || PyTuple_GET_SIZE(one) > NPY_MAXDIMS) return -1;
    numbers += 1 + PyTuple_GET_SIZE(one);
  }
  return numbers;
}

static int64_t *copy_numbers(int64_t *to, PyObject *numbers) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(numbers); ++i) *to++ = PyLong_AsLongLong(PyTuple_GET_ITEM(numbers, i));
  return to;
}

static int64_t *copy_shapes(int64_t *to, PyObject *shapes) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(shapes); ++i) {
    *to++ = PyTuple_GET_SIZE(PyTuple_GET_ITEM(shapes, i));
    to = copy_numbers(to, PyTuple_GET_ITEM(shapes, i));
  }
  return to;
}

static PyObject *call_forget(PyObject *object, PyObject *nothing) {
  call *self = (call *)object;
  (void)nothing;
  self->last = NULL;
  while (self->n_known) kc_drop_known(self->all[--self->n_known]);
  while (self->idle) {
    workspace *w = self->idle;
    self->idle = w->next;
    kc_free_workspace(w);
  }
  Py_RETURN_NONE;
}

static PyObject *call_learn(PyObject *object, PyObject *arguments) {
  call *self = (call *)object;
  PyObject *shapes, *sizes, *in_bytes, *out_bytes, *results;
  long long arena_bytes;
  int release;
  if (!PyArg_ParseTuple(arguments, "OO!O!O!OLp:learn", &shapes, &PyTuple_Type, &sizes, &PyTuple_Type, &in_bytes,
                        &PyTuple_Type, &out_bytes, &results, &arena_bytes, &release))
    return NULL;
  const int64_t shape_numbers = count_numbers(shapes, self->n_arguments);
  const int64_t result_numbers = count_numbers(results, self->n_results);
  if (shape_numbers < 0 || result_numbers < 0 || PyTuple_GET_SIZE(in_bytes) != self->n_in ||
      PyTuple_GET_SIZE(out_bytes) != self->n_out || arena_bytes < 0) {
    PyErr_SetString(PyExc_ValueError, "learn needs a shape for each array and a byte count for each port");
    return NULL;
  }
  const int64_t n_sizes = PyTuple_GET_SIZE(sizes);
  const int64_t numbers = shape_numbers + result_numbers + n_sizes + self->n_in + self->n_out;
  known *k = PyMem_Malloc(sizeof *k + (size_t)numbers * sizeof(int64_t));
  if (!k) return PyErr_NoMemory();
  *k = (known){.uses = 1, .arena_bytes = arena_bytes, .release = release, .n_sizes = n_sizes};
  k->shapes = k->numbers;
  k->results = copy_shapes(k->shapes, shapes);
  k->sizes = copy_shapes(k->results, results);
  k->in_bytes = copy_numbers(k->sizes, sizes);
  k->out_bytes = copy_numbers(k->in_bytes, in_bytes);
  copy_numbers(k->out_bytes, out_bytes);
  if (PyErr_Occurred()) { /* something was no number */
    kc_drop_known(k);
    return NULL;
  }
  const size_t key_bytes = (size_t)size_of_key(k->shapes, self->n_arguments) * sizeof(int64_t);
  for (int64_t i = 0; i < self->n_known; ++i) /* two threads may learn the same at once */
    if ((size_t)size_of_key(self->all[i]->shapes, self->n_arguments) * sizeof(int64_t) == key_bytes &&
        !memcmp(self->all[i]->shapes, k->shapes, key_bytes)) {
      kc_drop_known(k);
      Py_RETURN_NONE;
    }
  if (self->n_known == MOST_SHAPES) Py_DECREF(call_forget(object, NULL));
  self->all[self->n_known++] = k;
  Py_RETURN_NONE;
}

/* ---- life ---- */

static void call_dealloc(PyObject *object) {
  call *self = (call *)object;
  PyTypeObject *type = Py_TYPE(object);
  Py_DECREF(call_forget(object, NULL));
  if (self->dtypes)
    for (int64_t i = 0; i < self->n_arguments + self->n_results; ++i) Py_XDECREF(self->dtypes[i]);
  PyMem_Free(self->dtypes);
  PyMem_Free(self->places);
  PyMem_Free(self->pointers);
  if (self->lock) PyThread_free_lock(self->lock);
  Py_XDECREF(self->refused);
  Py_XDECREF(self->keep);
  type->tp_free(object);
  Py_DECREF(type);
}

/* Ports: an address for a variable, a dtype for an array of the caller. */
static int read_ports(call *self, PyObject *ports, void **pointers, int64_t *at) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ports); ++i) {
    PyObject *port = PyTuple_GET_ITEM(ports, i);
    if (PyArray_DescrCheck(port)) {
      Py_INCREF(port);
      self->dtypes[*at] = (PyArray_Descr *)port;
      self->places[(*at)++] = i;
      pointers[i] = NULL;
    } else {
      pointers[i] = PyLong_AsVoidPtr(port);
      if (!pointers[i] && PyErr_Occurred()) return -1;
    }
  }
  return 0;
}

static PyObject *call_new(PyTypeObject *type, PyObject *arguments, PyObject *names) {
  PyObject *run, *context, *inputs, *outputs, *refused, *keep;
  int alone;
  if (names && PyDict_GET_SIZE(names)) {
    PyErr_SetString(PyExc_TypeError, "Call takes no named arguments");
    return NULL;
  }
  if (!PyArg_ParseTuple(arguments, "O!O!O!O!pOO:Call", &PyLong_Type, &run, &PyLong_Type, &context, &PyTuple_Type,
                        &inputs, &PyTuple_Type, &outputs, &alone, &refused, &keep))
    return NULL;
  call *self = (call *)type->tp_alloc(type, 0);
  if (!self) return NULL;
  self->vectorcall = call_vector;
  self->run = (run_function)PyLong_AsVoidPtr(run);
  self->context = PyLong_AsVoidPtr(context);
  self->n_in = PyTuple_GET_SIZE(inputs);
  self->n_out = PyTuple_GET_SIZE(outputs);
  const size_t ports = (size_t)(self->n_in + self->n_out) + 1;
  self->pointers = PyMem_Calloc(ports, sizeof *self->pointers);
  self->places = PyMem_Calloc(ports, sizeof *self->places);
  self->dtypes = PyMem_Calloc(ports, sizeof *self->dtypes);
  Py_INCREF(refused);
  self->refused = refused;
  Py_INCREF(keep);
  self->keep = keep;
  int64_t read = 0;
  if (!self->pointers || !self->places || !self->dtypes || (alone && !(self->lock = PyThread_allocate_lock()))) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  int failed = PyErr_Occurred() || read_ports(self, inputs, self->pointers, &read);
  self->n_arguments = read;
  failed = failed || read_ports(self, outputs, self->pointers + self->n_in, &read);
  self->n_results = read - self->n_arguments;
  if (failed) {
    Py_DECREF(self);
    return NULL;
  }
  return (PyObject *)self;
}

static PyMethodDef call_methods[] = {
    {"one", call_one, METH_O, "one(x): the one result for the one argument, or None"},
    {"steps", kc_call_steps, METH_VARARGS,
     "steps(arrays, order, first, rows, count, seconds, into): run on `count` batches of `rows` rows from row `first`\n"
     "on, of the arrays, or of their rows in `order`; results are written to the same rows of `into`. Stops after\n"
     "`seconds` (0: no limit). Gives the number of batches done, or None where the arrays do not fit."},
    {"learn", call_learn, METH_VARARGS, "learn(shapes, sizes, in_bytes, out_bytes, results, arena_bytes, release)"},
    {"forget", call_forget, METH_NOARGS, "forget(): drop what was learned, and idle memory"},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef call_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(call, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot call_slots[] = {
    {Py_tp_doc, "Call(run, context, inputs, outputs, alone, refused, keep): calls of one bound model; see kc_call.c"},
    {Py_tp_new, call_new},
    {Py_tp_dealloc, call_dealloc},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_methods, call_methods},
    {Py_tp_members, call_members},
    {0, NULL},
};

static PyType_Spec call_spec = {
    .name = "kcompile.runtime._kc_call.Call",
    .basicsize = sizeof(call),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = call_slots,
};

static int fill_module(PyObject *module) {
  if (PyArray_ImportNumPyAPI() < 0) return -1;
  PyObject *type = PyType_FromSpec(&call_spec);
  if (!type) return -1;
  const int failed = PyModule_AddObjectRef(module, "Call", type);
  Py_DECREF(type);
  return failed ? -1 : PyModule_AddIntConstant(module, "VERSION", KC_CALL_VERSION);
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, fill_module}, {0, NULL}};

static struct PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_kc_call",
    .m_doc = "Calls of compiled models on NumPy arrays.",
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__kc_call(void) { return PyModuleDef_Init(&module_definition); }
