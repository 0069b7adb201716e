/*
 * cli/hooks - what parts are told of the folders above theirs: live state, metrics, filters.
 */
#pragma once

/* Before the first part is made. */
void hooks_set(void);
