/*
 * Whether a processor's vector registers survive what else happens: run several at once on one processor.
 * Usage: registers SEED LOOKS. Fills all registers of a kind with a pattern of its own, lets other processes run
 * (sched_yield) and signals come (a timer), and looks again: LOOKS times, and until SIGNALS have come. Prints the kind, or
 * the register that changed; status 1 then.
 */

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { REGISTERS = 32, BYTES = 64, SIGNALS = 10 };

static unsigned char before[REGISTERS][BYTES] __attribute__((aligned(64)));
static unsigned char after[REGISTERS][BYTES] __attribute__((aligned(64)));
static volatile sig_atomic_t signals;

static void count(int number) { (void)number; signals++; }

/* rbx counts the yields: the system call keeps it. */
#define YIELD "mov $20, %%ebx\n1: mov $24, %%eax\nsyscall\ndec %%ebx\njnz 1b\n"
#define EACH16(M, op, kind, at) \
    M(op, kind, at, 0) M(op, kind, at, 1) M(op, kind, at, 2) M(op, kind, at, 3) M(op, kind, at, 4) M(op, kind, at, 5) \
    M(op, kind, at, 6) M(op, kind, at, 7) M(op, kind, at, 8) M(op, kind, at, 9) M(op, kind, at, 10) M(op, kind, at, 11) \
    M(op, kind, at, 12) M(op, kind, at, 13) M(op, kind, at, 14) M(op, kind, at, 15)
#define UPPER16(M, op, kind, at) \
    M(op, kind, at, 16) M(op, kind, at, 17) M(op, kind, at, 18) M(op, kind, at, 19) M(op, kind, at, 20) \
    M(op, kind, at, 21) M(op, kind, at, 22) M(op, kind, at, 23) M(op, kind, at, 24) M(op, kind, at, 25) \
    M(op, kind, at, 26) M(op, kind, at, 27) M(op, kind, at, 28) M(op, kind, at, 29) M(op, kind, at, 30) \
    M(op, kind, at, 31)
#define LOAD(op, kind, at, n) #op " " #n "*64(" #at "), %%" #kind #n "\n"
#define STORE(op, kind, at, n) #op " %%" #kind #n ", " #n "*64(" #at ")\n"
#define RUN(text) __asm__ volatile(text : : "S"(before), "D"(after) : "rax", "rbx", "rcx", "r11", "memory")

static void sse(void) { RUN(EACH16(LOAD, movaps, xmm, %%rsi) YIELD EACH16(STORE, movaps, xmm, %%rdi)); }
static void avx(void) { RUN(EACH16(LOAD, vmovaps, ymm, %%rsi) YIELD EACH16(STORE, vmovaps, ymm, %%rdi) "vzeroupper\n"); }
static void avx512(void)
{
    RUN(EACH16(LOAD, vmovaps, zmm, %%rsi) UPPER16(LOAD, vmovaps, zmm, %%rsi) YIELD
        EACH16(STORE, vmovaps, zmm, %%rdi) UPPER16(STORE, vmovaps, zmm, %%rdi) "vzeroupper\n");
}

int main(int words, char **word)
{
    const struct { const char *name; void (*look)(void); int registers, bytes, there; } kinds[] = {
        {"SSE", sse, 16, 16, 1},
        {"AVX", avx, 16, 32, __builtin_cpu_supports("avx")},
        {"AVX-512", avx512, 32, 64, __builtin_cpu_supports("avx512f")},
    };
    struct itimerval often = {{0, 20000}, {0, 20000}};
    uint64_t random = words > 1 ? strtoull(word[1], NULL, 10) * 2654435761u + 1 : 1;
    long looks = words > 2 ? atol(word[2]) : 1;
    size_t kind;
    int number, seen;

    signal(SIGALRM, count);
    setitimer(ITIMER_REAL, &often, NULL);
    for (kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
        long looked = 0;

        if (!kinds[kind].there)
            continue;
        for (seen = signals + SIGNALS; looked < looks || signals < seen; looked++) {
            for (number = 0; number < REGISTERS * BYTES; number++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                before[number / BYTES][number % BYTES] = random >> 56;
            }
            kinds[kind].look();
            for (number = 0; number < kinds[kind].registers; number++)
                if (memcmp(before[number], after[number], kinds[kind].bytes)) {
                    printf("%s register %d changed after %ld looks\n", kinds[kind].name, number, looked);
                    return 1;
                }
        }
        printf("%s\n", kinds[kind].name);
    }
    return 0;
}
