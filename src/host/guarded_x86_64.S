/* SPDX-License-Identifier: MIT */
/*
 * The guarded routines of x86-64.
 *
 * guarded_run(rdi = to, rsi = from, rdx = n) copies forward and returns in rax the bytes that are
 * certainly stored and in rdx 0, or, after a fault, the fault word that the signal handler left
 * there.  At any instruction rdi is the end of what has been stored, less what the current block
 * has stored already; guarded.c finishes the last block byte by byte.
 *
 * Each routine's range stands in guarded_table beside its recovery point, as offsets from the
 * table, so that nothing needs relocation.
 */
#if defined(__x86_64__)

    .text

/* size_t run(to, from, n): r8 keeps the start, r9 the end of the destination */
    .globl guarded_run
    .hidden guarded_run
    .type guarded_run, @function
    .p2align 4
guarded_run:
    mov %rdi, %r8
guarded_run_begin:
    cmp $16, %rdx
    jae 2f
    /* 0 to 15 bytes: two overlapping accesses of one width */
    cmp $8, %rdx
    jae 1f
    cmp $4, %rdx
    jae 3f
    test %rdx, %rdx
    jz 5f
4:  movzbl (%rsi), %eax
    mov %al, (%rdi)
    inc %rsi
    inc %rdi
    dec %rdx
    jnz 4b
    jmp 5f
1:  mov (%rsi), %rax
    mov -8(%rsi,%rdx), %rcx
    mov %rax, (%rdi)
    mov %rcx, -8(%rdi,%rdx)
    add %rdx, %rdi
    jmp 5f
3:  mov (%rsi), %eax
    mov -4(%rsi,%rdx), %ecx
    mov %eax, (%rdi)
    mov %ecx, -4(%rdi,%rdx)
    add %rdx, %rdi
    jmp 5f
2:  lea -64(%rdx), %rcx
    cmp $64, %rdx
    jb 7f
    .p2align 5
6:  movups (%rsi), %xmm0
    movups 16(%rsi), %xmm1
    movups 32(%rsi), %xmm2
    movups 48(%rsi), %xmm3
    movups %xmm0, (%rdi)
    movups %xmm1, 16(%rdi)
    movups %xmm2, 32(%rdi)
    movups %xmm3, 48(%rdi)
    add $64, %rsi
    add $64, %rdi
    sub $64, %rcx
    jae 6b
    lea 64(%rcx), %rdx
7:  cmp $16, %rdx
    jb 8f
    movups (%rsi), %xmm0
    movups %xmm0, (%rdi)
    add $16, %rsi
    add $16, %rdi
    sub $16, %rdx
    jmp 7b
8:  test %rdx, %rdx
    jz 5f
    /* the last 1 to 15 bytes: one access that overlaps what is copied already */
    movups -16(%rsi,%rdx), %xmm0
    movups %xmm0, -16(%rdi,%rdx)
    add %rdx, %rdi
5:
guarded_run_end:
    xor %edx, %edx
guarded_run_recover:
    mov %rdi, %rax
    sub %r8, %rax
    ret
    .size guarded_run, . - guarded_run

/* The same with 32-byte registers, for processors that have them. */
    .globl guarded_run_wide
    .hidden guarded_run_wide
    .type guarded_run_wide, @function
    .p2align 4
guarded_run_wide:
    mov %rdi, %r8
guarded_wide_begin:
    lea -128(%rdx), %rcx
    .p2align 5
1:  vmovdqu (%rsi), %ymm0
    vmovdqu 32(%rsi), %ymm1
    vmovdqu 64(%rsi), %ymm2
    vmovdqu 96(%rsi), %ymm3
    vmovdqu %ymm0, (%rdi)
    vmovdqu %ymm1, 32(%rdi)
    vmovdqu %ymm2, 64(%rdi)
    vmovdqu %ymm3, 96(%rdi)
    sub $-128, %rsi
    sub $-128, %rdi
    sub $128, %rcx
    jae 1b
    lea 128(%rcx), %rdx
    vzeroupper
guarded_wide_end:
    xor %edx, %edx
guarded_wide_recover:
    vzeroupper
    mov %rdi, %rax
    sub %r8, %rax
    ret
    .size guarded_run_wide, . - guarded_run_wide

/* Past the caches: rdi aligned to 16, rdx a multiple of 64 and not 0. */
    .globl guarded_run_stream
    .hidden guarded_run_stream
    .type guarded_run_stream, @function
    .p2align 4
guarded_run_stream:
    mov %rdi, %r8
guarded_stream_begin:
    .p2align 5
1:  prefetchnta 512(%rsi)
    movups (%rsi), %xmm0
    movups 16(%rsi), %xmm1
    movups 32(%rsi), %xmm2
    movups 48(%rsi), %xmm3
    movntdq %xmm0, (%rdi)
    movntdq %xmm1, 16(%rdi)
    movntdq %xmm2, 32(%rdi)
    movntdq %xmm3, 48(%rdi)
    add $64, %rsi
    add $64, %rdi
    sub $64, %rdx
    jnz 1b
guarded_stream_end:
    xor %edx, %edx
guarded_stream_recover:
    sfence
    mov %rdi, %rax
    sub %r8, %rax
    ret
    .size guarded_run_stream, . - guarded_run_stream

/* Words: the value in rax, the fault word (0: none) in rdx. */
    .macro guarded_word name, instruction:vararg
    .globl \name
    .hidden \name
    .type \name, @function
    .p2align 4
\name:
    mov %rsi, %rax
    mov %rdx, %rcx
\name\()_begin:
    \instruction
\name\()_end:
    xor %edx, %edx
\name\()_recover:
    ret
    .size \name, . - \name
    .endm

    guarded_word guarded_word_load32, mov (%rdi), %eax
    guarded_word guarded_word_load64, mov (%rdi), %rax
    guarded_word guarded_word_exchange32, lock cmpxchg %ecx, (%rdi)
    guarded_word guarded_word_exchange64, lock cmpxchg %rcx, (%rdi)

    .macro table_row name
    .long \name\()_begin - guarded_table
    .long \name\()_end - guarded_table
    .long \name\()_recover - guarded_table
    .endm

    .section .rodata
    .globl guarded_table
    .hidden guarded_table
    .type guarded_table, @object
    .p2align 2
guarded_table:
    table_row guarded_run
    table_row guarded_wide
    table_row guarded_stream
    table_row guarded_word_load32
    table_row guarded_word_load64
    table_row guarded_word_exchange32
    table_row guarded_word_exchange64
    .long 0, 0, 0
    .size guarded_table, . - guarded_table

#endif
    .section .note.GNU-stack, "", @progbits
