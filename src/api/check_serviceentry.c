#include "api/check.h"
#include "api/serviceentry.h"

void api_check_serviceentry(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
void api_check_workloadentry(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
