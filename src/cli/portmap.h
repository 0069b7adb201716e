/*
 * cli/portmap - which port is bound where a Gateway says one: --port, and the moves of --dev.
 *
 * Asks the keeper for each, so that what it answers is really listened on. Belongs to the
 * compiler thread.
 */
#pragma once

#include "cli/flags.h"
#include "cli/keeper.h"

struct portmap;

/* `rules` are borrowed. `dev`: a port that cannot be bound moves (surface.md 2.2). */
struct portmap *portmap_new(struct keeper *k, const struct flag_ports *rules, bool dev);
void portmap_free(struct portmap *m); /* takes NULL */

/* What is asked from now on belongs to this round of compiling (keeper_hold). */
void portmap_round(struct portmap *m, uint64_t round);

/* The port that is listened on for `port` of `bind` (family 0: every address), or 0 where none
 * can be. The same answer each time as long as it can be bound. */
uint16_t portmap_port(struct portmap *m, const struct addr *bind, uint16_t port);

/* Why the last answer for a port was 0; ERR_OK where it was not. `ret_tried` is the port that
 * could not be bound. */
enum err portmap_failure(const struct portmap *m, size_t at, struct addr *ret_bind,
                         uint16_t *ret_port, uint16_t *ret_tried);
size_t portmap_count(const struct portmap *m); /* ports ever asked for: `at` is below */
