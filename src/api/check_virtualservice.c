#include "api/check.h"
#include "api/virtualservice.h"

void api_check_virtualservice(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
