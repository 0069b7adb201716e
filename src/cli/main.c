/* cli/main - the program's entry: everything is in cli/commands.c. */
#include "cli/command.h"

int main(int argc, char **argv)
{
    return cli_main(argc, (const char *const *)argv);
}
