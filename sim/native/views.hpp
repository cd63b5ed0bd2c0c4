// Views of arrays that Python holds. Built with ROUNDSIM_CHECKED, every index is looked at before it is used.
#pragma once

#include <cstdint>

#ifdef ROUNDSIM_CHECKED
#include <stdexcept>
#endif

namespace roundsim {

inline void check(int64_t index, int64_t size) {
#ifdef ROUNDSIM_CHECKED
    if (index < 0 || index >= size) throw std::out_of_range("an index outside of its array");
#else
    (void)index;
    (void)size;
#endif
}

// An array of one dimension.
template <class T>
struct Span {
    T* data = nullptr;
    int64_t size = 0;

    T& operator[](int64_t index) const {
        check(index, size);
        return data[index];
    }
};

// An array of two dimensions, of rows of a width that is known here.
template <class T, int64_t Width>
struct Table {
    static constexpr int64_t width = Width;
    T* data = nullptr;
    int64_t size = 0;  // rows

    T& operator()(int64_t row, int64_t column) const {
        check(row, size);
        check(column, Width);
        return data[row * Width + column];
    }
};

// The same of a width that Python chooses.
template <class T>
struct Grid {
    T* data = nullptr;
    int64_t size = 0;  // rows
    int64_t width = 0;

    T& operator()(int64_t row, int64_t column) const {
        check(row, size);
        check(column, width);
        return data[row * width + column];
    }
};

// A copy of a few numbers: nothing that is written through a view can change them, so the compiler may keep them.
template <class T, int64_t Size>
struct Numbers {
    T at[Size];

    explicit Numbers(const Span<T>& span) {
        for (int64_t i = 0; i < Size; i++) at[i] = span[i];
    }
    void put_back(const Span<T>& span) const {
        for (int64_t i = 0; i < Size; i++) span[i] = at[i];
    }
    T& operator[](int64_t i) { return at[i]; }
    T operator[](int64_t i) const { return at[i]; }
};

// Asks for an item to be brought to the processor's cache, and does not wait for it.
inline void prefetch(const void* item) {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(item);
#else
    (void)item;
#endif
}

}  // namespace roundsim
