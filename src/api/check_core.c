#include "api/check.h"
void api_check_service(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
void api_check_endpointslice(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
void api_check_pod(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
void api_check_deployment(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
void api_check_statefulset(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
void api_check_daemonset(struct api_checker *c, const void *body)
{
    (void)c;
    (void)body;
}
