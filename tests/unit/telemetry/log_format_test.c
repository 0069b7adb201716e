#include "unit/telemetry/sample.h"

#include "telemetry/flags.h"
#include "telemetry/log_format.h"
#include "unit/check.h"

#include <stdlib.h>

static struct buf line;
static struct arena arena;

static void begin(void)
{
    arena_init(&arena, 4096);
    buf_init(&line, 1 << 20);
}

static void end(void)
{
    buf_fini(&line);
    arena_fini(&arena);
}

/* The line of `r` in that format, without its newline. */
static struct str print(const char *format, bool json, const struct record *r)
{
    struct str err = STR_NONE;
    struct log_format *f = log_format_parse(str_of(format), json, &arena, &err);

    CHECK_STR(err, STR_NONE);
    CHECK(f != NULL);
    buf_reset(&line);
    log_format_write(f, r, &line);
    CHECK(!line.full && line.n > 0 && line.p[line.n - 1] == '\n');
    return str_make(line.p, line.n - 1);
}

TEST(the_default_text_is_istios)
{
    struct record r;

    begin();
    sample_record(&r, &arena);
    CHECK_STRZ(print("", false, &r),
               "[2026-11-24T09:15:03.042Z] \"GET /page?x=1 HTTP/1.1\" 200 - via_upstream - \"-\" 0 "
               "1234 12 11 \"192.0.2.9\" \"curl/7.88.1\" "
               "\"0b52df1a-91a8-4e36-a1c8-b41b34bfbcd5\" \"mk.hedgus.com\" \"10.0.0.7:8080\" "
               "outbound|80|v1|hedgus-app.hedgus.svc.cluster.local 10.0.0.1:40000 127.0.0.1:8080 "
               "192.0.2.9:0 - default");
    end();
}

TEST(the_default_text_prints_a_hyphen_for_what_is_missing)
{
    struct record r;

    begin();
    sample_not_found(&r, &arena);
    CHECK_STRZ(print("", false, &r),
               "[2026-11-24T09:15:03.042Z] \"GET /page?x=1 HTTP/1.1\" 404 NR route_not_found - "
               "\"-\" 0 0 12 - \"192.0.2.9\" \"curl/7.88.1\" "
               "\"0b52df1a-91a8-4e36-a1c8-b41b34bfbcd5\" \"mk.hedgus.com\" \"-\" - - "
               "127.0.0.1:8080 192.0.2.9:0 - -");
    end();
}

TEST(the_default_json_has_istios_keys_and_types)
{
    struct record r;

    begin();
    sample_record(&r, &arena);
    CHECK_STRZ(
        print("", true, &r),
        "{\"start_time\":\"2026-11-24T09:15:03.042Z\",\"route_name\":\"default\","
        "\"method\":\"GET\",\"path\":\"/page?x=1\",\"protocol\":\"HTTP/1.1\","
        "\"response_code\":200,\"response_flags\":\"-\","
        "\"response_code_details\":\"via_upstream\",\"connection_termination_details\":null,"
        "\"bytes_received\":0,\"bytes_sent\":1234,\"duration\":12,\"upstream_service_time\":\"11\","
        "\"x_forwarded_for\":\"192.0.2.9\",\"user_agent\":\"curl/7.88.1\","
        "\"request_id\":\"0b52df1a-91a8-4e36-a1c8-b41b34bfbcd5\",\"authority\":\"mk.hedgus.com\","
        "\"upstream_host\":\"10.0.0.7:8080\","
        "\"upstream_cluster\":\"outbound|80|v1|hedgus-app.hedgus.svc.cluster.local\","
        "\"upstream_local_address\":\"10.0.0.1:40000\","
        "\"downstream_local_address\":\"127.0.0.1:8080\","
        "\"downstream_remote_address\":\"192.0.2.9:0\",\"requested_server_name\":null,"
        "\"upstream_transport_failure_reason\":null}");
    end();
}

TEST(each_operator_prints_its_field)
{
    static const struct {
        const char *format, *want;
    } cases[] = {
        { "%START_TIME(%Y/%m/%d %H:%M:%S.%3f %s)%", "2026/11/24 09:15:03.042 1795511703" },
        { "%START_TIME(%f|%6f|%1f)%", "042999000|042999|0" },
        { "%REQ(:METHOD)% %REQ(:path)% %REQ(Host)% %REQ(:SCHEME)%",
          "GET /page?x=1 mk.hedgus.com http" },
        { "%REQ(USER-AGENT):4%|%REQ(user-agent):400%", "curl|curl/7.88.1" },
        { "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH):5%", "/page" },
        { "%REQ(NO-SUCH?USER-AGENT)% %REQ(NO-SUCH?NEITHER)% %REQ(NO-SUCH)%", "curl/7.88.1 - -" },
        { "%REQ_WITHOUT_QUERY(:PATH)%", "/page" },
        { "%RESP(:STATUS)% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% %TRAILER(X)%", "200 11 -" },
        { "%REQUEST_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION% %DURATION%", "1 11 1 12" },
        { "%COMMON_DURATION(DS_RX_BEG:US_RX_BEG:us)%", "11000" },
        { "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:ns)%", "9500000" },
        { "%UPSTREAM_CLUSTER%", "outbound|80|v1|hedgus-app.hedgus.svc.cluster.local;" },
        { "%UPSTREAM_CLUSTER_RAW%", "outbound|80|v1|hedgus-app.hedgus.svc.cluster.local" },
        { "%UPSTREAM_REMOTE_ADDRESS% %UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %UPSTREAM_REMOTE_PORT%",
          "10.0.0.7:8080 10.0.0.7 8080" },
        { "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
          "127.0.0.1:51234 192.0.2.9" },
        { "%DOWNSTREAM_LOCAL_PORT% %DOWNSTREAM_REMOTE_PORT%", "8080 0" },
        { "%CONNECTION_ID% %STREAM_ID% %UPSTREAM_REQUEST_ATTEMPT_COUNT%",
          "7 0b52df1a-91a8-4e36-a1c8-b41b34bfbcd5 1" },
        { "%GRPC_STATUS% %GRPC_STATUS_NUMBER% %VIRTUAL_CLUSTER_NAME%", "- - -" },
        { "%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER%", "- -" },
        { "%ENVIRONMENT(LATEEN_TEST_LOG)% %ENVIRONMENT(LATEEN_NO_SUCH)%", "fair winds -" },
        { "100%% %PROTOCOL%\n", "100% HTTP/1.1" },
        { "plain", "plain" },
    };

    begin();
    setenv("LATEEN_TEST_LOG", "fair winds", 1);
    for (size_t i = 0; i < LEN(cases); i++) {
        struct record r;

        CASE(i);
        sample_record(&r, &arena);
        CHECK_STRZ(print(cases[i].format, false, &r), cases[i].want);
    }
    end();
}

TEST(a_rewritten_path_is_logged_as_it_came)
{
    struct record r;

    begin();
    sample_record(&r, &arena);
    sample_set(&r, &arena, "x-envoy-original-path", STR("/before"));
    CHECK_STRZ(print("%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%", false, &r), "/before");
    end();
}

TEST(flags_stand_in_envoys_order_with_commas)
{
    static const struct {
        uint32_t flags;
        const char *want;
    } cases[] = {
        { 0, "-" },
        { FLAG_NR, "NR" },
        { FLAG_URX | FLAG_UF, "UF,URX" },
        { FLAG_DC | FLAG_UT | FLAG_LH, "LH,UT,DC" },
        { FLAG_UDO | FLAG_DR | FLAG_RLSE | FLAG_UAEX, "UAEX,RLSE,DR,UDO" },
    };
    char text[FLAGS_TEXT_MAX];

    for (size_t i = 0; i < LEN(cases); i++) {
        CASE(i);
        CHECK_STRZ(flags_format(cases[i].flags, text), cases[i].want);
    }
    CHECK(flags_format((UINT32_C(1) << (FLAG_BIT_UDO + 1)) - 1, text).n < sizeof(text));
}

TEST(the_grpc_status_comes_from_trailers_then_head_then_code)
{
    struct headers trailers = { 0 }, response = { 0 };
    struct record r;

    begin();
    sample_record(&r, &arena);
    r.is_grpc = true;
    r.response = &response;
    CHECK_STRZ(print("%GRPC_STATUS% %GRPC_STATUS_NUMBER%", false, &r), "Unknown 2");
    r.code = 503;
    CHECK_STRZ(print("%GRPC_STATUS%", false, &r), "Unavailable");
    headers_add(&response, &arena, STR("grpc-status"), STR("12"));
    CHECK_STRZ(print("%GRPC_STATUS(SNAKE_STRING)%", false, &r), "UNIMPLEMENTED");
    headers_add(&trailers, &arena, STR("grpc-status"), STR("0"));
    r.trailers = &trailers;
    CHECK_STRZ(print("%GRPC_STATUS(CAMEL_STRING)% %GRPC_STATUS(NUMBER)%", false, &r), "OK 0");
    CHECK_STRZ(print("{\"s\":\"%GRPC_STATUS_NUMBER%\"}", true, &r), "{\"s\":0}");
    end();
}

TEST(ipv6_addresses_stand_in_brackets)
{
    struct record r;

    begin();
    sample_record(&r, &arena);
    r.downstream_remote = (struct addr){ 6, 99, { [15] = 1 } };
    CHECK_STRZ(
        print("%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", false, &r),
        "[::1]:99 ::1");
    end();
}

TEST(no_header_value_breaks_a_line_of_text_or_json)
{
    static const struct {
        struct str value;
        const char *text, *json;
    } cases[] = {
        { STR_INIT("a\r\nb"), "a\\x0d\\x0ab", "\"a\\r\\nb\"" },
        { STR_INIT("say \"hi\""), "say \\x22hi\\x22", "\"say \\\"hi\\\"\"" },
        { STR_INIT("back\\slash"), "back\\x5cslash", "\"back\\\\slash\"" },
        { STR_INIT("\033[31mred"), "\\x1b[31mred", "\"\\u001b[31mred\"" },
        { STR_INIT("nul\0nul"), "nul\\x00nul", "\"nul\\u0000nul\"" },
        { STR_INIT("tab\tdel\x7f"), "tab\\x09del\\x7f", "\"tab\\tdel\\u007f\"" },
        { STR_INIT("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3"),
          "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3",
          "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb3\"" },
        { STR_INIT("\xff\xc3"), "\\xff\\xc3", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { STR_INIT("\xc0\xaf"), "\\xc0\\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" }, /* overlong */
        { STR_INIT("\xed\xa0\x80"), "\\xed\\xa0\\x80",
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* surrogate */
        { STR_INIT("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80",
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* > 10FFFF */
        { STR_INIT("\xc2\x9b"
                   "31m"),
          "\\xc2\\x9b31m",
          "\"\xef\xbf\xbd\xef\xbf\xbd"
          "31m\"" },
        { STR_INIT(""), "", "\"\"" },
    };

    begin();
    for (size_t i = 0; i < LEN(cases); i++) {
        struct record r;

        CASE(i);
        sample_record(&r, &arena);
        sample_set(&r, &arena, "user-agent", cases[i].value);
        CHECK_STRZ(print("%REQ(USER-AGENT)%", false, &r), cases[i].text);
        CHECK_STRZ(print("{\"ua\":\"%REQ(USER-AGENT)%\"}", true, &r),
                   arena_printf(&arena, "{\"ua\":%s}", cases[i].json).p);
    }
    end();
}

/* The scan takes eight octets at a time: each octet at each place of a longer value. */
TEST(every_octet_is_escaped_wherever_it_stands)
{
    struct buf out;

    buf_init(&out, 1000);
    for (unsigned c = 0; c < 256; c++) {
        bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';

        for (size_t at = 0; at < 20; at++) {
            char text[21];

            CASE(c * 100 + at);
            memset(text, 'x', sizeof(text));
            text[at] = (char)c;
            buf_reset(&out);
            log_escape_add(&out, str_make(text, 20), LOG_STYLE_TEXT);
            CHECK_EQ(out.n, plain ? 20 : 23);
        }
    }
    buf_fini(&out);
}

/* Every octet alone, in each place that a stranger fills: one line, and quotes that match. */
TEST(every_octet_in_every_stranger_field_keeps_the_line_whole)
{
    begin();
    for (unsigned c = 0; c < 256; c++) {
        char octet[3] = { 'a', (char)c, 'b' };
        struct str evil = str_make(octet, 3);
        struct record r;
        struct str got;
        size_t quotes = 0;

        CASE(c);
        sample_record(&r, &arena);
        r.path = r.authority = r.method = r.sni = r.upstream_failure = evil;
        sample_set(&r, &arena, "user-agent", evil);
        sample_set(&r, &arena, "x-forwarded-for", evil);
        got = print("", false, &r);
        for (size_t i = 0; i < got.n; i++) {
            unsigned char at = (unsigned char)got.p[i];

            CHECK(at >= 0x20 && at < 0x7f);
            quotes += at == '"';
        }
        CHECK_EQ(quotes, 14);
        got = print("", true, &r);
        for (size_t i = 0; i < got.n; i++)
            CHECK((unsigned char)got.p[i] >= 0x20);
    }
    end();
}

TEST(a_value_of_64_kib_fits_and_is_cut_by_a_length)
{
    struct record r;
    char *big = malloc(65536);

    begin();
    memset(big, '"', 65536);
    sample_record(&r, &arena);
    sample_set(&r, &arena, "user-agent", str_make(big, 65536));
    CHECK_EQ(print("%REQ(USER-AGENT)%", false, &r).n, 4 * 65536);
    CHECK_STRZ(print("%REQ(USER-AGENT):2%", false, &r), "\\x22\\x22");
    end();
    free(big);
}

TEST(json_formats_keep_order_types_and_nesting)
{
    static const struct {
        const char *format, *want;
    } cases[] = {
        { "{}", "{}" },
        { " { \"b\" : \"%RESPONSE_CODE%\" , \"a\":\"%REQ(NO)%\" } ", "{\"b\":200,\"a\":null}" },
        { "{\"mix\":\"%RESPONSE_CODE% %REQ(NO)%\"}", "{\"mix\":\"200 -\"}" },
        { "{\"lit\":\"x\",\"n\":-1.5,\"t\":true,\"z\":null}",
          "{\"lit\":\"x\",\"n\":-1.5,\"t\":true,\"z\":null}" },
        { "{\"in\":{\"deep\":{\"p\":\"%PROTOCOL%\"}}}",
          "{\"in\":{\"deep\":{\"p\":\"HTTP/1.1\"}}}" },
        { "{\"q\\\"\\u00e9\":\"say \\\"%PROTOCOL%\\\"\\n\"}",
          "{\"q\\\"\xc3\xa9\":\"say \\\"HTTP/1.1\\\"\\n\"}" },
        { "{\"pct\":\"100%%\"}", "{\"pct\":\"100%\"}" },
    };

    begin();
    for (size_t i = 0; i < LEN(cases); i++) {
        struct record r;

        CASE(i);
        sample_record(&r, &arena);
        CHECK_STRZ(print(cases[i].format, true, &r), cases[i].want);
    }
    end();
}

TEST(what_cannot_be_parsed_is_an_error_that_names_it)
{
    static const struct {
        const char *format;
        bool json;
        const char *want; /* behind "access log format: " */
    } cases[] = {
        { "%NOSUCH%", false, "operator %NOSUCH% is not known" },
        { "%req(x)%", false, "operator %req% is not known" },
        { "%CEL(request.id)%", false, "operator %CEL% is not built yet" },
        { "%PROTOCOL", false, "an operator has no closing \"%\" (a percent sign is \"%%\")" },
        { "50% done", false, "an operator has no closing \"%\" (a percent sign is \"%%\")" },
        { "%REQ%", false, "operator %REQ% wants a header name: (NAME) or (NAME?OTHER)" },
        { "%REQ(a?)%", false, "operator %REQ(a?)% wants a header name: (NAME) or (NAME?OTHER)" },
        { "%REQ(a?b?c)%", false, "operator %REQ(a?b?c)% takes one other name, not \"b?c\"" },
        { "%REQ(a):x%", false, "operator %REQ(a):x% takes a length from 1 to 65535 behind \":\"" },
        { "%REQ(a)x%", false, "operator %REQ(a)x% cannot be read" },
        { "%REQ)%", false, "operator %REQ)% is not known" },
        { "%PROTOCOL(x)%", false, "operator %PROTOCOL(x)% takes no argument" },
        { "%START_TIME(%Q)%", false, "operator %START_TIME(%Q)% has no conversion \"%Q\"" },
        { "%COMMON_DURATION(A:B:ms)%", false,
          "operator %COMMON_DURATION(A:B:ms)% knows the times DS_RX_BEG, DS_RX_END, US_TX_BEG, "
          "US_RX_BEG and DS_TX_END" },
        { "text", true, "expected \"{\": a JSON format is an object before \"text\"" },
        { "{\"a\":\"%NOSUCH%\"}", true, "operator %NOSUCH% is not known" },
        { "{\"a\":[1]}", true, "expected a string or an object before \"[1]}\"" },
        { "{\"a\":\"b\"", true, "expected \",\" or \"}\" before \"\"" },
        { "{\"a", true, "expected the end of a string before \"\"" },
        { "{} x", true, "expected the end before \"x\"" },
    };

    begin();
    for (size_t i = 0; i < LEN(cases); i++) {
        struct str err = STR_NONE;

        CASE(i);
        CHECK(!log_format_parse(str_of(cases[i].format), cases[i].json, &arena, &err));
        CHECK_STR(err, arena_printf(&arena, "access log format: %s", cases[i].want));
    }
    end();
}

/* Any cut of a good format ends in an error or a format, never beyond its octets. */
TEST(every_prefix_of_a_format_is_read_or_refused)
{
    static const char text[] = "%START_TIME(%Y)% %REQ(A?B):3% %%";
    static const char json[] = "{\"a\":\"%REQ(A?B):3%\",\"\\u0041\":{\"c\":-1.5}}";
    struct str err;

    begin();
    for (size_t n = 0; n <= sizeof(text) - 1; n++) {
        struct str cut = arena_dup(&arena, str_make(text, n));

        (void)log_format_parse(cut, false, &arena, &err);
    }
    for (size_t n = 1; n < sizeof(json) - 1; n++) {
        CASE(n);
        CHECK(!log_format_parse(arena_dup(&arena, str_make(json, n)), true, &arena, &err));
    }
    end();
}

TEST(a_line_that_does_not_fit_says_so)
{
    struct str err;
    struct log_format *f;
    struct buf small;
    struct record r;

    begin();
    buf_init(&small, 100);
    sample_record(&r, &arena);
    f = log_format_parse(STR(""), false, &arena, &err);
    log_format_write(f, &r, &small);
    CHECK(small.full);
    buf_fini(&small);
    end();
}

/* Around the lengths at which a text is copied in another way, with and without one octet to
 * escape anywhere in it. */
TEST(texts_of_every_length_are_written_whole)
{
    static const char literal[] = "a literal of more than thirty-two octets";
    char text[300];

    begin();
    for (size_t n = 1; n <= sizeof(text); n++) {
        size_t at = n * n / 3 % n, max = MIN(n, 100);
        struct record r;

        CASE(n);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)('a' + i % 26);
        sample_record(&r, &arena);
        sample_set(&r, &arena, "user-agent", str_make(text, n));
        CHECK_STR(
            print("%REQ(USER-AGENT)%|%REQ(USER-AGENT):100%|%REQ(USER-AGENT)%", false, &r),
            arena_printf(&arena, "%.*s|%.*s|%.*s", (int)n, text, (int)max, text, (int)n, text));
        CHECK_STR(
            print(arena_printf(&arena, "{\"%s\":\"%%REQ(USER-AGENT)%%\"}", literal).p, true, &r),
            arena_printf(&arena, "{\"%s\":\"%.*s\"}", literal, (int)n, text));
        text[at] = '"';
        sample_set(&r, &arena, "user-agent", str_make(text, n));
        CHECK_STR(
            print("%REQ(USER-AGENT)%", false, &r),
            arena_printf(&arena, "%.*s\\x22%.*s", (int)at, text, (int)(n - at - 1), text + at + 1));
        CHECK_STR(print("{\"a\":\"%REQ(USER-AGENT)%\",\"b\":\"%CONNECTION_ID%\"}", true, &r),
                  arena_printf(&arena, "{\"a\":\"%.*s\\\"%.*s\",\"b\":7}", (int)at, text,
                               (int)(n - at - 1), text + at + 1));
    }
    end();
}

TEST(details_change_from_line_to_line)
{
    static const char *const details[] = { "via_upstream", "route_not_found", NULL, "via_upstream",
                                           "details_that_are_longer_than_what_a_thread_keeps" };
    struct record r;

    begin();
    sample_record(&r, &arena);
    for (size_t i = 0; i < LEN(details); i++) {
        CASE(i);
        r.details = r.termination = details[i];
        CHECK_STR(print("%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS%", false, &r),
                  arena_printf(&arena, "%s %s", details[i] ? details[i] : "-",
                               details[i] ? details[i] : "-"));
    }
    end();
}

TEST(numbers_have_all_their_digits)
{
    uint64_t v = 0;
    struct record r;

    begin();
    sample_record(&r, &arena);
    for (size_t i = 0; i < 20; i++, v = v * 10 + i % 10) {
        CASE(i);
        r.sent = v;
        r.received = UINT64_MAX >> (63 - i * 3 % 64);
        CHECK_STR(print("%BYTES_SENT% %BYTES_RECEIVED%", false, &r),
                  arena_printf(&arena, "%llu %llu", (unsigned long long)r.sent,
                               (unsigned long long)r.received));
    }
    end();
}

/* Many more than a thread keeps, so that they take each other's places. */
TEST(addresses_are_written_the_same_however_often_and_in_whatever_order)
{
    struct record r = { 0 };
    char want[ADDR_TEXT_MAX];

    begin();
    for (uint32_t i = 0; i < 4000; i++) {
        uint32_t which = i * 7919 % 1000;

        CASE(i);
        r.downstream_local = (struct addr){ .family = i % 11 == 3 ? 6 : 4,
                                            .port = (uint16_t)(which * 67),
                                            .ip = { 10, (uint8_t)which, (uint8_t)(which >> 5),
                                                    255 } };
        r.downstream_remote = r.downstream_local;
        addr_format(&r.downstream_local, want);
        CHECK_STR(print("%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS%", false, &r),
                  arena_printf(&arena, "%s %s", want, want));
    }
    end();
}
