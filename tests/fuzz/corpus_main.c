/*
 * tests/fuzz/corpus_main - a target over its corpus without libFuzzer: a unit test.
 *
 * Each file of the folders named is run whole and, if it is small, cut at each place.
 */
#include "fuzz.h"

#include "base/must.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CUT_MAX 512

static size_t inputs;

/* A copy of exactly that size, so that AddressSanitizer sees a reader beyond the end. */
static void run_one(const uint8_t *octets, size_t n)
{
    uint8_t *copy = must_alloc(n ? n : 1);

    if (n)
        memcpy(copy, octets, n);
    (void)LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    inputs++;
}

static void run_file(const char *path)
{
    static uint8_t octets[1 << 20];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f) {
        perror(path);
        exit(1);
    }
    n = fread(octets, 1, sizeof(octets), f);
    fclose(f);
    run_one(octets, n);
    for (size_t cut = 0; n <= CUT_MAX && cut < n; cut++)
        run_one(octets, cut);
}

static void run_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char path[4096];

    if (!dir) {
        perror(folder);
        exit(1);
    }
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        run_file(path);
    }
    closedir(dir);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_folder(argv[i]);
    printf("%zu inputs\n", inputs);
    return inputs == 0;
}
