#include "api/meta.h"

#include "api/check.h"
#include "api/rows.h"

#define THIS struct api_owner
static const struct api_field owner_fields[] = {
    STRING(NOTE, api_version, "apiVersion", "Version of the owner's kind"),
    STRING(NOTE, kind, "kind", "Its kind"),
    STRING(NOTE, name, "name", "Its name"),
    STRING(NOTE, uid, "uid", "Its identity"),
    BOOL(NOTE, controller, "controller", "Whether it rules the object"),
    SKIP("blockOwnerDeletion"),
};
RECORD(rec_owner, "OwnerReference", owner_fields, "Who made the object");
#undef THIS

#define THIS struct api_meta
static const struct api_field meta_fields[] = {
    STRING(NOTE, name, "name", "Its name"),
    STRING(NOTE, generate_name, "generateName", "Start of a name that the API server makes up"),
    STRING(NOTE, namespace, "namespace", "Its namespace"),
    STRING_MAP(NOTE, labels, "labels", "Labels", .check_key = api_check_label_key,
               .check = api_check_label_value),
    STRING_MAP(NOTE, annotations, "annotations", "Annotations"),
    TIME(NOTE, creation_timestamp, "creationTimestamp", "Its age"),
    STRING(NOTE, uid, "uid", "Its identity"),
    STRING(NOTE, resource_version, "resourceVersion", "Its version"),
    MSGS(NOTE, owner_references, "ownerReferences", struct api_owner, rec_owner, "Who made it"),
    SKIP("generation"),
    SKIP("deletionTimestamp"),
    SKIP("deletionGracePeriodSeconds"),
    SKIP("finalizers"),
    SKIP("managedFields"),
    SKIP("selfLink"),
    SKIP("clusterName"),
};
RECORD(rec_meta, "ObjectMeta", meta_fields, "Who the object is");
#undef THIS
