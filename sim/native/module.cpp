// The extension module: takes arrays from Python, looks at what they are, and hands them to the walks as views.
//
// What kind of array each is, and how many there are, is checked here; what is in them is ours to get right (a build with
// ROUNDSIM_CHECKED looks at every index). While a walk is under way other threads of Python may run.
#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstring>
#include <exception>

#include "fuzz/prints.hpp"
#include "fuzz/schedules.hpp"
#include "walk/ahead.hpp"
#include "walk/cycles.hpp"
#include "walk/reduced.hpp"

namespace {

using namespace roundsim;

template <class T>
constexpr const char* letters() {
    return T(-1) < T(0) ? "bhilqn" : "BHILQN";
}

// The arrays of one call; they are given back when it is over.
class Arrays {
public:
    Arrays() = default;
    Arrays(const Arrays&) = delete;
    Arrays& operator=(const Arrays&) = delete;
    ~Arrays() {
        while (held_ > 0) PyBuffer_Release(&buffers_[--held_]);
    }

    template <class T>
    bool take(PyObject* object, const char* name, Span<T>& view) {
        const Py_buffer* buffer = get<T>(object, name, 1);
        if (!buffer) return false;
        view = {static_cast<T*>(buffer->buf), int64_t(buffer->shape[0])};
        return true;
    }
    template <class T, int64_t Width>
    bool take(PyObject* object, const char* name, Table<T, Width>& view) {
        const Py_buffer* buffer = get<T>(object, name, 2);
        if (!buffer) return false;
        if (buffer->shape[1] != Width) {
            PyErr_Format(PyExc_ValueError, "%s: rows of %zd items; must be %lld", name, buffer->shape[1], (long long)Width);
            return false;
        }
        view = {static_cast<T*>(buffer->buf), int64_t(buffer->shape[0])};
        return true;
    }
    template <class T>
    bool take(PyObject* object, const char* name, Grid<T>& view) {
        const Py_buffer* buffer = get<T>(object, name, 2);
        if (!buffer) return false;
        view = {static_cast<T*>(buffer->buf), int64_t(buffer->shape[0]), int64_t(buffer->shape[1])};
        return true;
    }
    bool take(PyObject* object, const char* name, int64_t& number) {
        number = PyLong_AsLongLong(object);
        if (number != -1 || !PyErr_Occurred()) return true;
        PyErr_Format(PyExc_TypeError, "%s: not a whole number of 64 bits", name);
        return false;
    }
    template <class Layout>
    bool take(PyObject* object, const char*, Layout& layout) {
        if (!PyTuple_Check(object)) {
            PyErr_Format(PyExc_TypeError, "%s: not a tuple of arrays", Layout::name);
            return false;
        }
        Py_ssize_t next = 0;
        const Py_ssize_t given = PyTuple_Size(object);
        const bool good = layout.each([&](const char* name, auto& view) {
            if (next >= given) {
                PyErr_Format(PyExc_TypeError, "%s: only %zd arrays", Layout::name, given);
                return false;
            }
            return take(PyTuple_GetItem(object, next++), name, view);
        });
        if (good && next < given) PyErr_Format(PyExc_TypeError, "%s: %zd arrays too many", Layout::name, given - next);
        return good && next == given;
    }

private:
    static constexpr int MOST = 160;
    Py_buffer buffers_[MOST];
    int held_ = 0;

    template <class T>
    const Py_buffer* get(PyObject* object, const char* name, int dimensions) {
        if (held_ == MOST) {
            PyErr_SetString(PyExc_TypeError, "too many arrays");
            return nullptr;
        }
        Py_buffer& buffer = buffers_[held_];
        if (PyObject_GetBuffer(object, &buffer, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE | PyBUF_FORMAT) < 0) {
            PyErr_Clear();
            PyErr_Format(PyExc_TypeError, "%s: not a contiguous array that can be written", name);
            return nullptr;
        }
        held_++;
        const char* format = buffer.format ? buffer.format : "B";
        if (buffer.ndim != dimensions || buffer.itemsize != Py_ssize_t(sizeof(T)) || std::strlen(format) != 1 ||
            !std::strchr(letters<T>(), *format)) {
            PyErr_Format(
                PyExc_TypeError, "%s: an array of %d dimensions of '%s' with %zd bytes each; must be %d of %s with %zd", name,
                buffer.ndim, format, buffer.itemsize, dimensions, T(-1) < T(0) ? "int" : "uint", Py_ssize_t(sizeof(T))
            );
            return nullptr;
        }
        return &buffer;
    }
};

template <class... Views>
bool take_all(Arrays& arrays, PyObject* arguments, Views&... views) {
    const Py_ssize_t given = PyTuple_Size(arguments);
    if (given != Py_ssize_t(sizeof...(Views))) {
        PyErr_Format(PyExc_TypeError, "%zd arguments; must be %zd", given, Py_ssize_t(sizeof...(Views)));
        return false;
    }
    Py_ssize_t next = 0;
    return ((arrays.take(PyTuple_GetItem(arguments, next), "argument", views) && (next++, true)) && ...);
}

bool is_table(int64_t size) {
    if (size > 0 && !(size & (size - 1))) return true;
    PyErr_Format(PyExc_ValueError, "a table of %lld places; must be a power of two", (long long)size);
    return false;
}

// What a walk says, as a number of Python; errors of a checked build become exceptions there.
template <class Walk>
PyObject* without_lock(Walk&& walk) {
    int64_t said = 0;
    const char* wrong = nullptr;
    PyThreadState* thread = PyEval_SaveThread();
    try {
        said = walk();
    } catch (const std::exception&) {
        wrong = "an index outside of its array";
    }
    PyEval_RestoreThread(thread);
    if (!wrong) return PyLong_FromLongLong(said);
    PyErr_SetString(PyExc_IndexError, wrong);
    return nullptr;
}

bool fits(const walk::Rows& rows) { return is_table(rows.row_keys.size) && is_table(rows.pair_keys.size); }

PyObject* expand(PyObject*, PyObject* arguments) {
    Arrays arrays;
    walk::Rows rows;
    walk::Store store;
    Span<int64_t> settings, registers;
    walk::Buffers buffers;
    int64_t batch;
    if (!take_all(arrays, arguments, rows, store, settings, registers, buffers, batch)) return nullptr;
    if (!fits(rows) || !is_table(store.slots.size)) return nullptr;
    return without_lock([&] { return walk::expand(rows, store, settings, registers, buffers, batch); });
}

PyObject* ahead(PyObject*, PyObject* arguments) {
    Arrays arrays;
    walk::Rows rows;
    walk::Store store;
    Span<int64_t> settings, registers;
    walk::Buffers buffers;
    Span<int32_t> found;
    Span<uint64_t> asked;
    int64_t most;
    if (!take_all(arrays, arguments, rows, store, settings, registers, buffers, found, asked, most)) return nullptr;
    if (!fits(rows) || !is_table(store.slots.size) || !is_table(asked.size)) return nullptr;
    return without_lock([&] { return walk::ahead(rows, store, settings, registers, buffers, found, asked, most); });
}

PyObject* expand_reduced(PyObject*, PyObject* arguments) {
    Arrays arrays;
    walk::Rows rows;
    walk::Turns turns;
    walk::Store store;
    Span<int64_t> settings, registers;
    walk::Buffers buffers;
    walk::Spare spare;
    int64_t batch;
    if (!take_all(arrays, arguments, rows, turns, store, settings, registers, buffers, spare, batch)) return nullptr;
    if (!fits(rows) || !is_table(store.slots.size)) return nullptr;
    return without_lock([&] {
        return walk::expand_reduced(rows, turns, store, settings, registers, buffers, spare, batch);
    });
}

PyObject* put_all(PyObject*, PyObject* arguments) {
    Arrays arrays;
    Span<uint64_t> keys, more_keys;
    Span<int32_t> values, more_values;
    if (!take_all(arrays, arguments, keys, values, more_keys, more_values) || !is_table(keys.size)) return nullptr;
    return without_lock([&] { return walk::put_all(keys, values, more_keys, more_values), 0; });
}

PyObject* widen(PyObject*, PyObject* arguments) {
    Arrays arrays;
    Span<uint64_t> slots, more;
    Span<int32_t> ids, more_ids;
    if (!take_all(arrays, arguments, slots, ids, more, more_ids) || !is_table(more.size)) return nullptr;
    return without_lock([&] { return walk::widen(slots, ids, more, more_ids), 0; });
}

PyObject* admit(PyObject*, PyObject* arguments) {
    Arrays arrays;
    Span<uint64_t> slots;
    Span<int32_t> ids, cells, order;
    int64_t number, first;
    if (!take_all(arrays, arguments, slots, ids, number, cells, first, order) || !is_table(slots.size)) return nullptr;
    return without_lock([&] { return walk::admit(slots, ids, number, cells, first, cells.size, order), 0; });
}

PyObject* depths(PyObject*, PyObject* arguments) {
    Arrays arrays;
    Span<int32_t> parent;
    Span<int64_t> depth;
    if (!take_all(arrays, arguments, parent, depth)) return nullptr;
    return without_lock([&] { return cycles::depths(parent, depth, depth.size), 0; });
}

PyObject* reach(PyObject*, PyObject* arguments) {
    Arrays arrays;
    cycles::Reach over;
    if (!take_all(arrays, arguments, over)) return nullptr;
    return without_lock([&] { return cycles::reach(over); });
}

PyObject* components(PyObject*, PyObject* arguments) {
    Arrays arrays;
    cycles::Components over;
    int64_t met, steps;
    if (!take_all(arrays, arguments, over, met, steps)) return nullptr;
    return without_lock([&] { return int64_t(cycles::components(over, met, steps)); });
}

PyObject* run(PyObject*, PyObject* arguments) {
    Arrays arrays;
    walk::Rows rows;
    fuzz::Facts facts;
    fuzz::Known known;
    Span<int64_t> settings, registers;
    Span<uint64_t> random;
    fuzz::Desk desk;
    fuzz::Buffers buffers;
    Table<int32_t, 2> path;
    if (!take_all(arrays, arguments, rows, facts, known, settings, registers, random, desk, buffers, path)) return nullptr;
    if (!fits(rows) || !is_table(known.slots.size)) return nullptr;
    return without_lock([&] {
        return fuzz::run(rows, facts, known, settings, registers, random, desk, buffers, path);
    });
}

PyObject* fingerprints(PyObject*, PyObject* arguments) {
    Arrays arrays;
    Span<uint64_t> locals, envelopes, prints;
    Span<int32_t> order, cells;
    Span<int64_t> offsets;
    int64_t width, first;
    if (!take_all(arrays, arguments, locals, envelopes, order, cells, offsets, width, first, prints)) return nullptr;
    return without_lock([&] {
        return fuzz::fingerprints(locals, envelopes, order, cells, offsets, width, first, prints), 0;
    });
}

PyMethodDef functions[] = {
    {"expand", expand, METH_VARARGS, "expand(rows, store, settings, registers, buffers, batch): see walk/walk.hpp"},
    {"ahead", ahead, METH_VARARGS,
     "ahead(rows, store, settings, registers, buffers, found, asked, most): see walk/ahead.hpp"},
    {"expand_reduced", expand_reduced, METH_VARARGS, "The same with `turns` and `spare`: see walk/reduced.hpp"},
    {"put_all", put_all, METH_VARARGS, "put_all(keys, values, more_keys, more_values): see walk/lookup.hpp"},
    {"widen", widen, METH_VARARGS, "widen(slots, ids, more_slots, more_ids): see walk/marks.hpp"},
    {"admit", admit, METH_VARARGS, "admit(slots, ids, number, cells, first, order): see walk/marks.hpp"},
    {"depths", depths, METH_VARARGS, "depths(parent, depth): see walk/cycles.hpp"},
    {"reach", reach, METH_VARARGS, "reach(arrays): see walk/cycles.hpp"},
    {"components", components, METH_VARARGS, "components(arrays, met, steps): see walk/cycles.hpp"},
    {"run", run, METH_VARARGS, "run(rows, facts, known, settings, registers, random, desk, buffers, path): see "
                               "fuzz/schedules.hpp"},
    {"fingerprints", fingerprints, METH_VARARGS,
     "fingerprints(locals, envelopes, order, cells, offsets, width, first, prints): see fuzz/prints.hpp"},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_walks", "Walks over the graph of a system, as machine code.", -1, functions,
    nullptr, nullptr, nullptr, nullptr,
};

}  // namespace

// Of which sources it was made.
#ifndef ROUNDSIM_SOURCES
#define ROUNDSIM_SOURCES 0ULL
#endif

PyMODINIT_FUNC PyInit__walks() {
    PyObject* module = PyModule_Create(&definition);
    PyObject* sources = PyLong_FromUnsignedLongLong(ROUNDSIM_SOURCES);
    if (!module || !sources || PyModule_AddObjectRef(module, "_sources", sources) < 0) Py_CLEAR(module);
    Py_XDECREF(sources);
    return module;
}
