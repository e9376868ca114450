/*
 * Lets User-Mode Linux of Debian 12 (6.1) and 13 (6.12) run where the processor's floating-point state is larger than it
 * knows. Preloaded into linux.uml, which calls ptrace(2) through the C library.
 *
 * UML keeps 2,696 bytes of a process's state (XSAVE's standard format, Intel SDM vol. 1, 13.4). With AMX the area has
 * 11,008 (CPUID leaf 0xD, sub-leaf 0), and PTRACE_SETREGSET of NT_X86_XSTATE takes the whole area or fails with EFAULT:
 * the guest's first process dies of it. Linux 6.13 mended that in UML itself.
 *
 * Here SETREGSET passes the whole: the caller's bytes, and zeroes behind. XSTATE_BV, which says which components the
 * bytes hold, is cut to those that lie within the caller's: the others get their initial state, which is right, as the
 * guest's programs never had another. GETREGSET reads the whole, and the caller gets what it has room for. All else goes
 * through unchanged, to whichever ptrace comes next.
 *
 * No header is included: tcc alone, without libc6-dev, builds it. On x86-64 a variadic function's integers are passed as
 * any function's (System V ABI, 3.5.7), so ptrace can be declared with the four that it always has.
 */

typedef unsigned long word; /* 64 bits */

struct vector { /* struct iovec */
    unsigned char *base;
    word length;
};

enum { GETREGSET = 0x4204, SETREGSET = 0x4205, NT_X86_XSTATE = 0x202 };
enum { LARGEST = 1 << 16, XSTATE_BV = 512, EXTENDED = 576, LEGACY_COMPONENTS = 3, COMPONENTS = 63 };

extern void *dlsym(void *handle, const char *name);
/* The C library's: this is done at each stop of a guest's program, and byte by byte took as long as all else. */
extern void *memcpy(void *to, const void *from, word length);
extern void *memset(void *to, int value, word length);
#define RTLD_NEXT ((void *)-1)

typedef long call(long request, long pid, void *address, void *data);

static void component(unsigned number, unsigned *offset, unsigned *size)
{
    unsigned a = 0xD, b, c = number, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    *size = a;
    *offset = b;
}

/* The components whose bytes lie within the first `length` of an area. */
static word held_by(word length)
{
    word held = length >= EXTENDED ? LEGACY_COMPONENTS : 0; /* x87 and SSE */
    unsigned number, offset, size;

    for (number = 2; number < COMPONENTS; number++) {
        component(number, &offset, &size);
        if (size && offset + (word)size <= length)
            held |= (word)1 << number;
    }
    return held;
}

long ptrace(long request, long pid, void *address, void *data)
{
    static call *next;
    static unsigned char area[LARGEST]; /* linux.uml traces from one thread alone */
    static word whole, held, held_length;
    struct vector *theirs = data, ours = {area, LARGEST};
    word given;

    if (!next)
        next = (call *)dlsym(RTLD_NEXT, "ptrace");
    if ((request != GETREGSET && request != SETREGSET) || (word)address != NT_X86_XSTATE)
        return next(request, pid, address, data);

    if (request == GETREGSET || !whole) {
        if (next(GETREGSET, pid, address, &ours) < 0)
            return -1;
        whole = ours.length; /* the same for every process */
    }
    given = theirs->length < whole ? theirs->length : whole;
    if (request == GETREGSET) {
        memcpy(theirs->base, area, given);
        theirs->length = given;
        return 0;
    }
    ours.length = whole;
    memcpy(area, theirs->base, given);
    memset(area + given, 0, whole - given);
    if (given < whole && given >= EXTENDED) {
        if (held_length != given) {
            held = held_by(given);
            held_length = given;
        }
        *(word *)(area + XSTATE_BV) &= held;
    }
    return next(SETREGSET, pid, address, &ours);
}
