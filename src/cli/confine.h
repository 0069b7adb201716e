/*
 * cli/confine - what a process gives up because it does not need it (design 2).
 */
#pragma once

/* Memory that holds keys is not dumped and not read by others of the same user. */
void confine_memory(void);
/* Before the first thread: no capability is left and none can be had again, by no program that
 * it would start. System calls are not filtered. */
void confine_rights(void);
