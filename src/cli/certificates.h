/*
 * cli/certificates - has Certificates carried out between the compiler's rounds (acme/desk.h):
 * their Secrets stand in the state directory, which is read behind the manifests.
 *
 * Belongs to the compiler thread.
 */
#pragma once

#include "acme/desk.h"
#include "event/loop.h"
#include "source/files.h"

struct certificates {
    struct desk *desk;  /* NULL: none are carried out */
    struct timer timer; /* one is to be renewed, or tried again */
    struct loop *loop;  /* these are borrowed */
    struct source *source;
    struct mesh *mesh;
};

void certificates_init(struct certificates *c, struct loop *loop, struct source *source,
                       struct mesh *mesh);
void certificates_fini(struct certificates *c);
/* Before the first scan. Where the directory cannot be written to it is said, and nothing is
 * carried out. */
void certificates_open(struct certificates *c, struct str state_dir);
/* Behind an update. True: Secrets were written, and are to be read. `always`: also where nothing
 * changed. */
bool certificates_round(struct certificates *c, bool always);
