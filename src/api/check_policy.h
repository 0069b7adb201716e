/*
 * api/check_policy - rules of a DestinationRule's blocks that MeshConfig has too. For src/api
 * only. Source: istio-api.md 8, DR rows.
 */
#pragma once

#include "api/check.h"
#include "api/destinationrule.h"

void api_check_locality(struct api_checker *c, const struct api_locality_lb *l, bool has_outlier);
void api_check_client_tls(struct api_checker *c, const struct api_client_tls *t);
void api_check_pool_and_outlier(struct api_checker *c, const struct api_connection_pool *pool,
                                const struct api_outlier_detection *outlier);
