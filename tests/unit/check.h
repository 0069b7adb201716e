/*
 * tests/unit/check - the unit tests' few words, over cmocka.
 *
 * TEST(name) registers itself; the name is the sentence of the rule proved. CHECK_EQ and
 * its kin print both values; CASE(i) before a row's checks names the row when they fail.
 */
#pragma once

#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

void check_register(const char *name, void (*run)(void **state));
extern int check_case; /* the row being checked, printed on failure; -1: none */

#define TEST(name)                                                                                 \
    static void test_##name(void **state);                                                         \
    __attribute__((constructor)) static void register_##name(void)                                 \
    {                                                                                              \
        check_register(#name, test_##name);                                                        \
    }                                                                                              \
    static void test_##name(__attribute__((unused)) void **state)

#define CASE(i) (check_case = (int)(i))

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond))                                                                               \
            check_failed(__FILE__, __LINE__, #cond);                                               \
    } while (0)
#define CHECK_EQ(got, want) check_eq((int64_t)(got), (int64_t)(want), #got, __FILE__, __LINE__)
#define CHECK_STR(got, want) check_str((got), (want), #got, __FILE__, __LINE__)
/* For a literal. */
#define CHECK_STRZ(got, want) check_str((got), str_of(want), #got, __FILE__, __LINE__)

void check_failed(const char *file, int line, const char *what);
void check_eq(int64_t got, int64_t want, const char *what, const char *file, int line);
void check_str(struct str got, struct str want, const char *what, const char *file, int line);
