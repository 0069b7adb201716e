/*
 * tests/sim/kernel_int - descriptors, for kernel.c and kernel_net.c.
 */
#pragma once

#include "sim/kernel.h"

struct vfd *vfd_new(enum vkind kind); /* NULL: none left */
int vfd_number(const struct vfd *v);
struct vfd *vfd_at(int fd);               /* NULL: the real kernel's */
void vfd_serves(struct vfd *v, bool now); /* an accepted one moves octets, or is closed */
extern uint64_t kernel_turns;             /* of all workers */
#define BACKENDS_MAX 32
extern uint32_t vfd_dialled[BACKENDS_MAX]; /* sockets to each that are open */
