/* cli/program_unbuilt - stands for cli/program until the compiler and admin pages are there. */
#include "cli/program.h"

#include "cli/exit.h"
#include "cli/say.h"

int program_run(const struct run_options *o, struct arena *arena)
{
    (void)o;
    (void)arena;
    say_err("lateen run: not built yet\n");
    return EXIT_USAGE;
}
