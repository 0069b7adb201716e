"""The same octets through Lateen, nginx, HAProxy and nghttpx: who accepts them, what reaches the backend, what
the client is told. Every difference stands in docs/differences.md with its reason; one that does not, fails.

`tests/differential/test_differential.py --write` writes the page's table anew.
"""
import contextlib
import pathlib
import re
import sys
import tempfile
from concurrent import futures

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import pytest  # noqa: E402

import peers  # noqa: E402  first: it finds the others' folders
import corpus  # noqa: E402
from frames import END_HEADERS, END_STREAM, HEADERS, Gone, H2Client, frame  # noqa: E402
from reasons import REASONS  # noqa: E402
from wire import Client  # noqa: E402

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/differences.md"
BEGIN, END = "<!-- differential: begin -->\n", "<!-- differential: end -->"
NAMES = ("nginx", "haproxy", "nghttpx")
WAIT = 0.7  # seconds of silence that count as none
PARTS = ("method", "target", "host", "headers", "body")


def fill(text):
    return (text.replace("{h}", corpus.HOST) if isinstance(text, str) else text).encode("latin1")


def read_answer(client, method):
    """(status or what else happened, end state, body) of the first final answer."""
    client.sock.settimeout(WAIT)
    try:
        while True:
            head = client.take_until(b"\r\n\r\n").decode("latin1")
            found = re.match(r"HTTP/1\.[01] (\d{3})", head)
            if not found:
                return "garbage", ""
            if found[1][0] != "1" or found[1] == "101":
                break
    except TimeoutError:
        return "waits", ""
    except Gone:
        return ("closed" if not client.got else "0.9"), ""
    return found[1], read_body(client, head.lower(), int(found[1]), method)


def read_body(client, head, status, method):
    try:
        if method == "HEAD" or status in (204, 304):
            return ""
        if "transfer-encoding: chunked" in head:
            body = b""
            while size := int(client.take_until(b"\r\n").split(b";")[0], 16):
                body += client.take(size)
                client.take(2)
            client.take_until(b"\r\n")
            return body.decode("latin1")
        if length := re.search(r"content-length: (\d+)", head):
            return client.take(int(length[1])).decode("latin1")
        return client.take_all().decode("latin1")
    except (Gone, TimeoutError, ValueError):
        return "cut"


def outcome(peer, before, status):
    """What a case came to: ("passes", request as the sink saw it, status) or ("refuses", status). What
    a proxy passes on of a request that it refuses may come late, behind the next case's start."""
    seen = peer.sink.seen[before:]
    return ("passes", seen[-1], status) if seen and status[0] in "123" else ("refuses", status)


def one_request(peer, text):
    before = len(peer.sink.seen)
    octets = fill(text)
    with contextlib.closing(Client(peer.port)) as client:
        with contextlib.suppress(OSError):
            client.send(octets)
        status, _ = read_answer(client, "HEAD" if octets.startswith(b"HEAD") else "GET")
    return outcome(peer, before, status)


def one_response(peer, key, octets):
    path = "/r/" + re.sub(r"\W", "-", key)
    peer.sink.answers[path] = octets.encode("latin1")
    with contextlib.closing(Client(peer.port)) as client:
        client.send(f"GET {path} HTTP/1.1\r\nHost: {corpus.HOST}\r\n\r\n".encode())
        status, body = read_answer(client, "GET")
    if status in ("502", "503", "504"):
        return ("refuses", status)
    if body == "cut" or not status.isdigit():  # whether its head still arrives is chance
        return ("cuts", "cuts")
    return ("passes", status, "a".join(re.split("aaa+", body)))


def raw_block(pairs):
    """Literals without indexing: python3-hpack would not take all of these."""
    out = b""
    for pair in pairs:
        out += b"\x00"
        for text in map(fill, pair):
            assert len(text) < 127
            out += bytes([len(text)]) + text
    return out


def one_h2(peer, fields, body):
    before = len(peer.sink.seen)
    with contextlib.closing(H2Client(peer.h2_port)) as client:
        client.sock.settimeout(WAIT)
        client.send(frame(HEADERS, END_HEADERS | (0 if body else END_STREAM), 1, raw_block(fields)))
        if body:
            client.data(1, body.encode(), end=True)
        try:
            answer = client.answer(1)
            status = str(answer.status) if answer.headers else f"reset {answer.reset}"
        except (Gone, OSError):
            status = "closed" if client.goaways else "waits"
    return outcome(peer, before, status if not client.goaways else "closed")


def run(peer):
    """All cases through one proxy."""
    results = {}
    for group, name, text in corpus.requests():
        results[group, name] = one_request(peer, text)
    for group, name, octets in corpus.responses():
        results[group, name] = one_response(peer, f"{group}-{name}", octets)
    for group, name, fields, body in corpus.h2_requests():
        results[group, name] = one_h2(peer, fields, body)
    return results


def differs(ours, theirs):
    """How theirs differs, in a word or two; "" when it does not."""
    if ours == theirs:
        return ""
    if theirs[0] in ("refuses", "cuts"):
        return theirs[1]
    if ours[0] == "refuses" or ours[0] != theirs[0]:
        return f"{theirs[0]} ({theirs[2] if isinstance(theirs[1], tuple) else theirs[1]})"
    if isinstance(ours[1], tuple):
        parts = [part for part, a, b in zip(PARTS, ours[1], theirs[1]) if a != b]
        return "other " + ", ".join(parts or ["status"])
    return f"{theirs[1]}" if ours[1] != theirs[1] else "other body"


def word(ours):
    return ours[1] if ours[0] == "refuses" else ours[0]


def rows(results):
    """{(group, ours, nginx, haproxy, nghttpx): names}, where anybody differs."""
    table = {}
    for key, ours in results["lateen"].items():
        cells = tuple(differs(ours, results[name][key]) for name in NAMES)
        if any(cells):
            table.setdefault((key[0], word(ours), *cells), []).append(key[1])
    return table


def cell(text):
    text = text.encode("unicode_escape").decode().replace("|", "\\|").replace("`", "'")
    return f"`{text}`" if text else ""


def markdown(results):
    lines = ["| group | cases | Lateen | nginx | HAProxy | nghttpx | reason |", "|---|---|---|---|---|---|---|"]
    for (group, *cells), names in sorted(rows(results).items()):
        shown = ", ".join(cell(name[:24]) for name in names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        lines.append(f"| {group} | {shown} | {' | '.join(cells)} | {REASONS.get(group, '')} |")
    return "\n".join(lines) + "\n"


def measure():
    """(results by proxy, the proxies that are not installed)."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        running = [stack.enter_context(peers.lateen(folder / "manifests"))]
        running += [stack.enter_context(peers.proxy(name, folder / name)) for name in NAMES]
        missing = [name for name, peer in zip(NAMES, running[1:]) if peer is None]
        with futures.ThreadPoolExecutor(4) as pool:
            there = [peer for peer in running if peer]
            return dict(zip([peer.name for peer in there], pool.map(run, there))), missing


def listed():
    text = PAGE.read_text()
    return text[text.index(BEGIN) + len(BEGIN):text.index(END)]


def test_the_corpus_is_large_enough():
    requests = list(corpus.requests()) + list(corpus.h2_requests())
    assert len(requests) >= 300 and len(list(corpus.responses())) >= 60
    assert len({row[:2] for row in requests}) == len(requests), "a name stands twice"


def test_every_difference_is_listed_with_its_reason():
    """What is told twice alike: a proxy that is slow for once is no difference."""
    for _ in range(3):
        results, missing = measure()
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)}")
        seen, page = markdown(results).splitlines(), listed().splitlines()
        if seen == page:
            break
    fresh = [line for line in seen if line not in page]
    gone = [line for line in page if line not in seen]
    assert not fresh and not gone, "not on the page:\n" + "\n".join(fresh) + "\nno longer so:\n" + "\n".join(gone)
    assert all(REASONS.get(group) for group, *_ in rows(results)), "a group without a reason"


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    TABLE = markdown(measure()[0])
    PAGE.write_text(PAGE.read_text().replace(BEGIN + listed(), BEGIN + TABLE))
