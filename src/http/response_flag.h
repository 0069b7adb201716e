/*
 * http/response_flag - what became of a request, in Envoy's words: by whom it is noted, the
 * access log prints it.
 *
 * Source: istio-api.md 6.4.
 */
#pragma once

/* In Envoy's order of printing. */
#define RESPONSE_FLAG_MAP(XX)                                                                      \
    XX(LH)                                                                                         \
    XX(UH)                                                                                         \
    XX(UT)                                                                                         \
    XX(LR)                                                                                         \
    XX(UR)                                                                                         \
    XX(UF)                                                                                         \
    XX(UC)                                                                                         \
    XX(UO)                                                                                         \
    XX(NR)                                                                                         \
    XX(DI)                                                                                         \
    XX(FI)                                                                                         \
    XX(RL)                                                                                         \
    XX(UAEX)                                                                                       \
    XX(RLSE)                                                                                       \
    XX(DC)                                                                                         \
    XX(URX)                                                                                        \
    XX(SI)                                                                                         \
    XX(IH)                                                                                         \
    XX(DPE)                                                                                        \
    XX(UMSDR)                                                                                      \
    XX(RFCF)                                                                                       \
    XX(NFCF)                                                                                       \
    XX(DT)                                                                                         \
    XX(UPE)                                                                                        \
    XX(NC)                                                                                         \
    XX(OM)                                                                                         \
    XX(DF)                                                                                         \
    XX(DO)                                                                                         \
    XX(DR)                                                                                         \
    XX(UDO)

enum response_flag_bit {
#define XX(name) FLAG_BIT_##name,
    RESPONSE_FLAG_MAP(XX)
#undef XX
};

enum response_flag {
#define XX(name) FLAG_##name = 1 << FLAG_BIT_##name,
    RESPONSE_FLAG_MAP(XX)
#undef XX
};
