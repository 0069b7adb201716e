/* cli/main - the program's entry: everything is in cli/commands.c. */
#include "base/hash.h"
#include "cli/command.h"
#include "cli/trim.h"
#include "tls/memory.h"

#include <sys/random.h>

int main(int argc, char **argv)
{
    uint64_t seed[2] = { 0 };

    /* tables that strangers fill are hashed by a secret */
    if (getrandom(seed, sizeof(seed), 0) == (ssize_t)sizeof(seed))
        hash_seed(seed[0], seed[1]);
    trim_setup();
    tls_memory_start();
    return cli_main(argc, (const char *const *)argv);
}
