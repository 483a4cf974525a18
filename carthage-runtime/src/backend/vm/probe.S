# What KVM is tried with: a boot sector that gets from real mode to 64 bits with paging, computes for a while and switches the
# machine off. `probe.bin` is made from it:
#
#     as --64 probe.S -o probe.o && ld -Ttext 0x7c00 --oformat binary probe.o -o probe.bin
    .code16
    .globl _start
_start:
    cli
    cld
    xorw    %ax, %ax
    movw    %ax, %ds
    movw    %ax, %es
    movw    %ax, %ss
    movw    $0x7c00, %sp
    # Line A20, by the fast gate.
    inb     $0x92, %al
    orb     $2, %al
    andb    $0xfe, %al
    outb    %al, $0x92
    # Page tables at 0x1000: one entry each at the upper levels, and one page of 2 MiB.
    movw    $0x1000, %di
    xorl    %eax, %eax
    movw    $0xc00, %cx
    rep stosl
    movl    $0x2003, 0x1000
    movl    $0x3003, 0x2000
    movl    $0x0083, 0x3000
    movl    $0x1000, %eax
    movl    %eax, %cr3
    movl    $0x20, %eax            # PAE
    movl    %eax, %cr4
    movl    $0xc0000080, %ecx      # EFER
    rdmsr
    orl     $0x100, %eax           # LME
    wrmsr
    lgdtl   gdt_descriptor
    movl    %cr0, %eax
    orl     $0x80000001, %eax      # paging, protection
    movl    %eax, %cr0
    ljmpl   $8, $long
    .code64
long:
    xorl    %eax, %eax
    movw    %ax, %ss
    movw    %ax, %ds
    # 20 million turns: nothing for a processor, for ever for what emulates it by traps.
    movl    $20000000, %ecx
1:  addl    %ecx, %eax
    rorl    $7, %eax
    movl    %eax, 0x6000
    decl    %ecx
    jnz     1b
    # Off, by the ports that q35's firmware gives to ACPI.
    movw    $0x604, %dx
    movw    $0x2000, %ax
    outw    %ax, %dx
4:  hlt
    jmp     4b
    .balign 8
gdt:
    .quad   0
    .quad   0x00209a0000000000     # code, 64 bits
gdt_descriptor:
    .word   gdt_descriptor - gdt - 1
    .long   gdt
    .org    510
    .word   0xaa55
