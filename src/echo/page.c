#include "echo/page.h"

#include "codec/url.h"

static void add_escaped(struct buf *b, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&':
            buf_add(b, STR("&amp;"));
            break;
        case '<':
            buf_add(b, STR("&lt;"));
            break;
        case '>':
            buf_add(b, STR("&gt;"));
            break;
        case '"':
            buf_add(b, STR("&quot;"));
            break;
        default:
            buf_addc(b, s.p[i]);
        }
    }
}

/* Versions look different at a glance: each has a hue of its own. */
static unsigned hue_of(const struct echo_identity *who)
{
    struct str v = who->version.n ? who->version : who->name;
    unsigned sum = 200;

    for (size_t i = 0; i < v.n; i++)
        sum = sum * 7 + (unsigned char)v.p[i] * 83;
    return sum % 360;
}

static void write_row(struct buf *b, const char *key, struct str value)
{
    buf_printf(b, "<tr><th>%s</th><td>", key);
    add_escaped(b, value);
    buf_add(b, STR("</td></tr>\n"));
}

static void write_resources(struct buf *b, struct str path, uint32_t n)
{
    while (path.n > 0 && path.p[path.n - 1] == '/')
        path.n--;
    if (n)
        buf_add(b, STR("<p>"));
    for (uint32_t i = 1; i <= n; i++) {
        buf_add(b, STR("<img width=\"120\" height=\"60\" alt=\"\" src=\""));
        add_escaped(b, path);
        buf_printf(b, "/r/%u.svg\">\n", i);
    }
    if (n)
        buf_add(b, STR("</p>\n"));
}

void echo_page_write(struct buf *b, const struct echo_identity *who, const struct echo_request *rq,
                     uint32_t resources)
{
    struct str path, query;
    char remote[ADDR_TEXT_MAX];

    url_path_split(rq->head->path, &path, &query);
    buf_add(b,
            STR("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>"));
    add_escaped(b, who->name);
    buf_addc(b, ' ');
    add_escaped(b, who->version);
    buf_add(b, STR("</title>\n<meta name=\"viewport\" content=\"width=device-width\">\n"
                   "<link rel=\"icon\" href=\"data:,\">\n<style>\n"));
    buf_printf(b,
               "body{margin:0;font:16px system-ui,sans-serif;color:#223}\n"
               "header{background:hsl(%u,60%%,38%%);color:#fff;padding:2.5em 2em}\n"
               "h1{margin:0;font-size:3.2em;line-height:1.1}\nheader p{margin:.4em 0 0}\n"
               "main{padding:1.5em 2em}\nth{text-align:left;padding:.15em 1.5em .15em 0;"
               "vertical-align:top;font-weight:600}\ntd{word-break:break-all}\n",
               hue_of(who));
    buf_add(b, STR("</style>\n</head>\n<body>\n<header><h1 id=\"version\">"));
    add_escaped(b, who->version.n ? who->version : who->name);
    buf_add(b, STR("</h1><p id=\"name\">"));
    add_escaped(b, who->name);
    buf_add(b, STR("</p></header>\n<main>\n"));
    write_resources(b, path, resources);
    buf_add(b, STR("<table>\n"));
    write_row(b, "Method", rq->head->method);
    write_row(b, "Path", rq->head->path);
    write_row(b, "Host", rq->head->authority);
    write_row(b, "RemoteAddress", addr_format(&rq->remote, remote));
    for (uint32_t i = 0; i < rq->head->headers.n; i++) {
        buf_add(b, STR("<tr><th>"));
        add_escaped(b, rq->head->headers.v[i].name);
        buf_add(b, STR("</th><td>"));
        add_escaped(b, rq->head->headers.v[i].value);
        buf_add(b, STR("</td></tr>\n"));
    }
    buf_add(b, STR("</table>\n</main>\n</body>\n</html>\n"));
}

void echo_picture_write(struct buf *b, const struct echo_identity *who)
{
    buf_add(b, STR("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"60\">"));
    buf_printf(b, "<rect width=\"120\" height=\"60\" rx=\"6\" fill=\"hsl(%u,60%%,38%%)\"/>",
               hue_of(who));
    buf_add(b, STR("<text x=\"60\" y=\"38\" font-family=\"sans-serif\" font-size=\"24\" "
                   "text-anchor=\"middle\" fill=\"#fff\">"));
    add_escaped(b, who->version.n ? who->version : who->name);
    buf_add(b, STR("</text></svg>\n"));
}

bool echo_path_is_picture(struct str path)
{
    size_t slash;
    struct str file;
    uint64_t n;

    slash = str_rfind(path, '/');
    if (slash == path.n || !str_ends(str_sub(path, 0, slash), STR("/r")))
        return false;
    file = str_from(path, slash + 1);
    if (!str_ends(file, STR(".svg")))
        return false;
    file.n -= 4;
    return str_u64(file, &n);
}
