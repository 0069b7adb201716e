#include "cli/keeper.h"
#include "cli/portmap.h"

#include "unit/check.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct addr loopback = { .family = 4, .ip = { 127, 0, 0, 1 } };

/* A port of loopback that somebody holds; the descriptor is returned. */
static int occupy(uint16_t *ret_port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(sin);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQ(bind(fd, (struct sockaddr *)&sin, n), 0);
    CHECK_EQ(listen(fd, 1), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
    *ret_port = ntohs(sin.sin_port);
    return fd;
}

static bool can_connect(const struct addr *to)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(to->port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool fine;

    memcpy(&sin.sin_addr, to->ip, 4);
    fine = connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;
    close(fd);
    return fine;
}

TEST(the_keeper_keeps_what_rounds_ask_for_and_hands_out_duplicates)
{
    struct keeper *k = keeper_new(2);
    struct addr one = loopback, two = loopback, again;
    int fds[2];

    CHECK_EQ(keeper_take(k, &one, fds), ERR_NOT_FOUND);
    CHECK_EQ(keeper_hold(k, &one, 80, 1), ERR_OK);
    CHECK_EQ(keeper_hold(k, &two, 80, 1), ERR_OK);
    CHECK(one.port != 0 && two.port != 0 && one.port != two.port);
    again = one;
    CHECK_EQ(keeper_hold(k, &again, 80, 2), ERR_OK);
    CHECK_EQ(keeper_take(k, &one, fds), ERR_OK);
    CHECK(fds[0] >= 0 && fds[1] >= 0 && fds[0] != fds[1]);
    close(fds[0]);
    close(fds[1]);
    keeper_sweep(k, NULL, 0, 1); /* `one` was asked for again in round 2 */
    CHECK(can_connect(&one));
    CHECK(!can_connect(&two));
    keeper_sweep(k, &one, 1, 2);
    CHECK(can_connect(&one));
    keeper_sweep(k, NULL, 0, 2);
    CHECK(!can_connect(&one));
    keeper_free(k);
}

TEST(a_port_that_another_program_holds_is_refused_even_to_a_group)
{
    struct keeper *k = keeper_new(2), *other = keeper_new(2);
    struct addr mine = loopback, theirs = loopback;
    int fd = occupy(&mine.port);

    CHECK_EQ(keeper_hold(k, &mine, 80, 1), ERR_ADDRESS_IN_USE);
    CHECK_EQ(keeper_hold(other, &theirs, 80, 1), ERR_OK);
    CHECK_EQ(keeper_hold(k, &theirs, 80, 1), ERR_ADDRESS_IN_USE);
    close(fd);
    keeper_free(k);
    keeper_free(other);
}

TEST(ports_are_bound_as_mapped_and_move_in_dev_only)
{
    struct keeper *k = keeper_new(1);
    uint16_t taken, free_port;
    int fd = occupy(&taken), gone = occupy(&free_port);
    struct flag_port rules[] = { { 80, 0 }, { 81, 0 }, { 82, 0 } };
    struct flag_ports map = { rules, LEN(rules), LEN(rules) };
    struct portmap *m, *dev;
    struct addr bind;
    uint16_t port, tried, got;

    close(gone);
    rules[1].to = taken;
    rules[2].to = free_port;
    m = portmap_new(k, &map, false);
    portmap_round(m, 1);
    got = portmap_port(m, &loopback, 80);
    CHECK(got != 0);
    CHECK_EQ(portmap_port(m, &loopback, 80), got);
    CHECK_EQ(portmap_port(m, &loopback, 82), free_port);
    CHECK_EQ(portmap_port(m, &loopback, 81), 0);
    CHECK_EQ(portmap_count(m), 3);
    CHECK_EQ(portmap_failure(m, 0, &bind, &port, &tried), ERR_OK);
    CHECK_EQ(portmap_failure(m, 2, &bind, &port, &tried), ERR_ADDRESS_IN_USE);
    CHECK_EQ(port, 81);
    CHECK_EQ(tried, taken);
    CHECK_EQ(portmap_port(m, &loopback, taken), 0);
    portmap_round(m, 2); /* the same answer, and the reason is looked for again */
    CHECK_EQ(portmap_port(m, &loopback, 80), got);
    close(fd);
    CHECK_EQ(portmap_port(m, &loopback, 81), taken);
    fd = occupy(&taken);
    dev = portmap_new(k, &(struct flag_ports){ 0 }, true);
    portmap_round(dev, 3);
    got = portmap_port(dev, &loopback, taken);
    CHECK(got != 0 && got != taken);
    portmap_round(dev, 4);
    CHECK_EQ(portmap_port(dev, &loopback, taken), got);
    close(fd);
    portmap_free(m);
    portmap_free(dev);
    keeper_free(k);
}

TEST(one_port_is_not_given_away_twice)
{
    struct keeper *k = keeper_new(1);
    struct flag_port rules[] = { { 80, 0 }, { 81, 0 } };
    struct flag_ports map = { rules, LEN(rules), LEN(rules) };
    struct portmap *m = portmap_new(k, &map, false);
    uint16_t free_port;

    close(occupy(&free_port));
    rules[0].to = rules[1].to = free_port;
    portmap_round(m, 1);
    CHECK_EQ(portmap_port(m, &loopback, 80), free_port);
    CHECK_EQ(portmap_port(m, &loopback, 81), 0);
    portmap_free(m);
    keeper_free(k);
}

TEST(a_new_port_map_goes_on_with_the_ports_that_are_kept)
{
    static struct flag_port rule = { .from = 80, .to = 0 };
    struct flag_ports rules = { .v = &rule, .n = 1 };
    struct keeper *k = keeper_new(1);
    struct portmap *before = portmap_new(k, &rules, false);
    struct portmap *after = portmap_new(k, &rules, false);
    struct addr other = loopback;
    uint16_t port;

    portmap_round(before, 1);
    port = portmap_port(before, &loopback, 80);
    CHECK(port != 0);
    portmap_round(after, 2);
    CHECK_EQ(portmap_port(after, &loopback, 80), port);
    other.ip[3] = 2;
    CHECK_EQ(keeper_recall(k, &other, 80), 0);
    CHECK_EQ(keeper_recall(k, &loopback, 81), 0);
    portmap_free(before);
    portmap_free(after);
    keeper_free(k);
}
