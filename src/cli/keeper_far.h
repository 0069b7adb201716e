/*
 * cli/keeper_far - the keeper's side of asks: answers control and data in other processes.
 */
#pragma once

#include "cli/keeper.h"
#include "cli/link.h"

/* Answers one question over `asks`. Control may have sockets opened, data is given those
 * that control had opened (`may_open`): a data part that a stranger took over binds nothing. False:
 * that is no question of theirs, or it cannot be answered. */
MUST_USE bool keeper_answer(struct keeper *k, int asks, const struct message *m,
                            const struct message_fds *fds, bool may_open);
