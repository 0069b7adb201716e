#include "api/check.h"
#include "api/gateway.h"

void api_check_gateway(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
