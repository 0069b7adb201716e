#include "tls/keypair.h"
#include "unit/check.h"
TEST(nothing_is_no_certificate)
{
    struct str why = STR_NONE;

    CHECK(tls_keypair_parse(STR(""), STR(""), &why) == NULL);
    CHECK_STRZ(why, "the certificate has no \"-----BEGIN CERTIFICATE-----\" block");
}
