/*
 * tls/memory - the buffers of OpenSSL's records, kept by each thread for its next record.
 *
 * OpenSSL takes 16 KiB for each record read and written and gives them back behind it (idle
 * connections hold none). malloc keeps no such sizes at hand; a thread's last few do not go there.
 */
#pragma once

/* Once, before OpenSSL is used for the first time. Nothing under a sanitizer, which would not see
 * what is done to a buffer after it was freed. */
void tls_memory_start(void);
/* Gives back what the calling thread keeps. */
void tls_memory_trim(void);
