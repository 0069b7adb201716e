/*
 * api/serviceentry - ServiceEntry and WorkloadEntry, networking.istio.io.
 *
 * Source: istio-api.md 1.6, 1.7.
 */
#pragma once

#include "api/schema.h"
#include "api/common.h"

enum api_se_location {
    SE_LOCATION_MESH_EXTERNAL = 0,
    SE_LOCATION_MESH_INTERNAL = 1,
};
extern const struct api_enum api_enum_se_location;

enum api_se_resolution {
    SE_RESOLUTION_NONE = 0,
    SE_RESOLUTION_STATIC = 1,
    SE_RESOLUTION_DNS = 2,
    SE_RESOLUTION_DNS_ROUND_ROBIN = 3,
    SE_RESOLUTION_DYNAMIC_DNS = 4,
};
extern const struct api_enum api_enum_se_resolution;

/* One endpoint */
struct api_workloadentry {
    struct api_at at;
    struct str address;
    struct int_map ports;
    struct str_map labels;
    struct str network;
    struct str locality;
    struct opt_int weight;
    struct str service_account;
};
extern const struct api_record rec_workloadentry;

/* A port of the service */
struct api_se_port {
    struct api_at at;
    struct opt_int number;
    struct str protocol;
    struct str name;
    struct opt_int target_port;
};
extern const struct api_record rec_se_port;

/* A service that is not in the registry */
struct api_serviceentry {
    struct api_at at;
    struct str_list hosts;
    struct str_list addresses;
    API_LIST(struct api_se_port) ports;
    struct opt_enum location;
    struct opt_enum resolution;
    API_LIST(struct api_workloadentry) endpoints;
    struct api_workload_selector *workload_selector;
    struct str_list export_to;
    struct str_list subject_alt_names;
};
extern const struct api_record rec_serviceentry;
