/*
 * mesh/inputs - what each piece of the compiler's work has read, look-ups that found nothing
 * included; so a change finds the pieces that it concerns, and no others (design 5.10).
 *
 * An input is known by a hash of its kind and name: two that share one only cost work.
 */
#pragma once

#include "base/list.h"
#include "base/str.h"

enum input {
    INPUT_OBJECT,   /* kind, namespace, name */
    INPUT_PRESENCE, /* the same, by who reads only whether it is there */
    INPUT_KEYED,    /* the same, by who has its content in the key of a memo */
    INPUT_ALL,      /* kind: every object of it */
    INPUT_LABEL,    /* kind, namespace, label, its value */
    INPUT_RULE,     /* DestinationRules of a host as they write it */
    INPUT_ODD_RULE, /* those with a wildcard inside a label */
    INPUT_SERVICE,  /* Services of a host */
    INPUT_ENTRY,    /* ServiceEntries that list a host */
    INPUT_NAMED,    /* kind, name: Secrets of that name, Certificates that fill it */
    INPUT_BOUND,    /* VirtualServices that name a Gateway "ns/name" */
    INPUT_EXPORTS,  /* kind: objects that do not say exportTo ["*"] */
    INPUT_CLAIM,    /* who names a host, VirtualServices and Gateways: what the plan knows */
    INPUT_HOST,     /* what a route can see of a service */
    INPUT_PORT,     /* what is bound for the port of a Gateway */
    INPUT_FILE,     /* a file by its path: a certificate */
};

typedef uint64_t input_key;

/* Of two numbers of which one at least is a hash already. */
static inline uint64_t key_mix(uint64_t a, uint64_t b)
{
    a = (a ^ (b * UINT64_C(0x9e3779b97f4a7c15))) * UINT64_C(0xff51afd7ed558ccd);
    return a ^ (a >> 32);
}

input_key input_of(enum input what, int kind, struct str a, struct str b, struct str c);

/* Who reads: part of a piece. */
struct reader {
    uint32_t *v; /* its places in the index */
    uint32_t n, cap;
    uint32_t touched;    /* 1 << enum input of what changed since */
    struct list changed; /* among those touched */
    bool is_service;     /* of a struct service, else of a struct memo */
};

struct inputs {
    struct input_node *nodes;
    uint32_t n, cap, free;
    uint32_t *buckets;
    uint32_t bucket_count; /* a power of two, or 0 */
};

void inputs_init(struct inputs *in);
void inputs_fini(struct inputs *in); /* its readers forget theirs by themselves */

void reader_init(struct reader *r, bool is_service);
void inputs_add(struct inputs *in, struct reader *r, enum input what, input_key key);
void inputs_drop(struct inputs *in, struct reader *r); /* all that it has read */
input_key inputs_key(const struct inputs *in, const struct reader *r, uint32_t i); /* below r->n */
/* Marks the readers of an input and puts them into `changed`, each once. */
void inputs_touch(struct inputs *in, input_key key, struct list *changed);
