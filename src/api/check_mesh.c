#include "api/check.h"
void api_check_meshconfig(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
