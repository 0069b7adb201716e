/*
 * proxy/survey - which connections a worker has open, written down by itself, for the admin
 * page that asked by mail.
 */
#pragma once

#include "base/buf.h"
#include "event/loop.h"

struct worker;

#define SURVEY_CONNECTIONS_MAX 1000 /* of each side; more are only counted */

struct survey {
    struct mail mail;
    struct worker *worker;
    struct loop *back; /* whose thread is told */
    /* On that thread, when `text` and `left_out` are complete. */
    void (*done)(struct survey *s);
    struct buf text; /* a JSON object a connection, one a line, each led by a comma */
    size_t left_out;
    void *owner; /* the asker's */
};

/* Sets out; `s` is the caller's again at `done`. A worker that is ending may never say it. */
void survey_start(struct survey *s, struct worker *w, struct loop *back,
                  void (*done)(struct survey *s), void *owner);
