/*
 * cli/notify - systemd's notification protocol (sd_notify(3)), without libsystemd.
 *
 * A datagram to the socket that NOTIFY_SOCKET names; nothing happens without it.
 */
#pragma once

#include "base/str.h"

/* "READY=1\nSTATUS=...": sent as it stands. */
void notify_send(struct str state);
/* RELOADING=1 with the MONOTONIC_USEC that systemd 253 and later ask for. */
void notify_reloading(void);
/* Milliseconds between two WATCHDOG=1, half of what WATCHDOG_USEC allows; 0: none wanted. */
uint64_t notify_watchdog_ms(void);
