#include "api/common.h"

#include "api/check.h"
#include "api/rows.h"

#define THIS struct api_string_match
static const struct api_field string_match_fields[] = {
    STRING(YES, exact, "exact", "The whole value", .group = 1),
    STRING(YES, prefix, "prefix", "The start of the value, octet by octet", .group = 1),
    STRING(YES, regex, "regex", "RE2, must match the whole value", .group = 1),
};
RECORD(rec_string_match, "StringMatch", string_match_fields,
       "Text to compare with: exact, prefix or RE2 regex; none set is a presence test");
#undef THIS

#define THIS struct api_percent
static const struct api_field percent_fields[] = {
    NUM(YES, value, "value", 0, 0, "0.0 to 100.0, six digits count"),
};
RECORD(rec_percent, "Percent", percent_fields, "A share in percent");
#undef THIS

#define THIS struct api_port_selector
static const struct api_field port_selector_fields[] = {
    INT(YES, number, "number", 0, 65535, "The port's number"),
};
RECORD(rec_port_selector, "PortSelector", port_selector_fields, "One port by number");
#undef THIS

#define THIS struct api_label_selector
static const struct api_field label_selector_fields[] = {
    STRING_MAP(YES, match_labels, "matchLabels", "Label and value",
               .check_key = api_check_label_key, .check = api_check_label_value),
    TREE(NOT, match_expressions, "matchExpressions", "Kubernetes set expressions"),
};
RECORD(rec_label_selector, "LabelSelector", label_selector_fields, "Labels that must all be equal");
#undef THIS

#define THIS struct api_workload_selector
static const struct api_field workload_selector_fields[] = {
    STRING_MAP(YES, labels, "labels", "Label and value", .check_key = api_check_selector_key,
               .check = api_check_selector_value),
};
RECORD(rec_workload_selector, "WorkloadSelector", workload_selector_fields,
       "Labels of workloads, the older spelling");
#undef THIS

#define THIS struct api_tcp_keepalive
static const struct api_field tcp_keepalive_fields[] = {
    INT(NOT, probes, "probes", 0, U32_MAX,
        "Unanswered probes before the connection is dead; default of the system"),
    DUR(NOT, time, "time", "Idle time before the first probe; default of the system"),
    DUR(NOT, interval, "interval", "Time between probes; default of the system"),
};
RECORD(rec_tcp_keepalive, "TcpKeepalive", tcp_keepalive_fields, "SO_KEEPALIVE and its times");
#undef THIS

uint32_t percent_ppm(const struct api_percent *p)
{
    return p ? (uint32_t)(p->value.v * 10000) : 0;
}
