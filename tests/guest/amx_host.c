/*
 * For tests: ptrace(2) as it is on a host with AMX, whose floating-point area has 11,008 bytes (CPUID leaf 0xD). Preloaded.
 *
 * PTRACE_GETREGSET of NT_X86_XSTATE tells of the whole area; PTRACE_SETREGSET takes the whole or fails with EFAULT
 * (Linux, arch/x86/kernel/fpu/regset.c, xstateregs_set). What this processor has of it is kept, the rest reads as zero.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>

enum { AREA = 11008, GETREGSET = 0x4204, SETREGSET = 0x4205 };

typedef long call(long request, long pid, void *address, void *data);

long ptrace(long request, long pid, void *address, void *data)
{
    static call *next;
    static unsigned char area[AREA];
    static size_t here; /* how much of it this processor really has */
    struct iovec *theirs = data, ours = {area, AREA};

    if (!next)
        next = (call *)dlsym(RTLD_NEXT, "ptrace");
    if ((unsigned long)address != NT_X86_XSTATE || (request != GETREGSET && request != SETREGSET))
        return next(request, pid, address, data);
    if (request == GETREGSET || !here) {
        if (next(GETREGSET, pid, address, &ours) < 0)
            return -1;
        here = ours.iov_len;
    }
    if (request == GETREGSET) {
        memset(area + here, 0, AREA - here);
        if (theirs->iov_len > AREA)
            theirs->iov_len = AREA;
        memcpy(theirs->iov_base, area, theirs->iov_len);
        return 0;
    }
    if (theirs->iov_len < AREA) {
        errno = EFAULT;
        return -1;
    }
    ours = (struct iovec){theirs->iov_base, here};
    return next(SETREGSET, pid, address, &ours);
}
