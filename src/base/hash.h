/*
 * base/hash - SipHash-1-3 over octets: seeded for tables that strangers fill, and with a
 * fixed key where the same octets must give the same number tomorrow (content hashes).
 */
#pragma once

#include "base/str.h"

/* The program-wide secret of seeded hashes; set once at start, before any map exists. */
void hash_seed(uint64_t k0, uint64_t k1);

uint64_t hash_str(struct str s);        /* seeded */
uint64_t hash_str_nocase(struct str s); /* seeded, over the ASCII lower-cased octets */
uint64_t hash_u64(uint64_t v);          /* seeded */
uint64_t hash_stable(struct str s);     /* the same in every process */
/* Chains a content hash: `so_far` starts at 0. */
uint64_t hash_mix(uint64_t so_far, uint64_t v);
