#include "api/check.h"
#include "api/destinationrule.h"

void api_check_destinationrule(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
