"""What a request takes in system calls and user instructions, of every proxy that can be counted."""
import counts
import figures
from report import Section
from stage import say
from traffic import COUNTED, INSTRUCTIONS, PEERS, RIVALS, ROWS, SYSCALLS
from peers import RelayH2

NAME = "counts"


def count_instructions(stage, kind):
    """{row: user instructions} of one proxy, under callgrind."""
    peer = kind(stage)
    counted = counts.Counted(peer)
    figures_of = {row: counted.per_request(load_of(peer)) for row, (port, load_of, _) in COUNTED.items() if getattr(peer, port)}
    counted.stop()
    return figures_of


def count_calls(stage, kind):
    peer = kind(stage)
    process = peer.start()
    calls = {row: counts.syscalls(process, ROWS[timed][1](peer))
             for row, (port, _, timed) in COUNTED.items() if getattr(peer, port)}
    process.stop()
    return calls


def run(stage, options):
    section = Section(NAME, "System calls and user instructions of a request")
    calls, instructions = {}, {}
    for kind in PEERS:
        if kind.name not in options.peers or not kind.is_there() or kind is RelayH2:
            continue
        say(f"counting {kind.name}")
        calls[kind.name] = count_calls(stage, kind)
        if kind.name != "envoy":  # callgrind does not carry it
            instructions[kind.name] = count_instructions(stage, kind)
    section.lines = ["System calls at the row's load (h1 and HTTPS c=64, h2 8x32), by perf's raw_syscalls; user instructions by callgrind, the",
                     "slope between two numbers of requests (h1 and HTTPS c=16, h2 8x32)."]
    for title, field in (("system calls", calls), ("user instructions", instructions)):
        section.add_table([title, *field], [[row, *(f"{field[peer][row]:,.{2 if field is calls else 0}f}" if row in field[peer] else ""
                                                    for peer in field)] for row in COUNTED])
    judge(section, calls.get("lateen"), instructions)
    return section


def judge(section, calls, instructions):
    if not calls:
        return
    ours = instructions["lateen"]["h1"]
    best = min((instructions[peer]["h1"], peer) for peer in RIVALS if peer in instructions) if set(RIVALS) & set(instructions) else None
    section.goals.append(figures.at_most("h1, user instructions", INSTRUCTIONS, ours, f"{ours:,.0f}"))
    if best:
        section.goals.append(figures.at_most("h1, user instructions by the best peer", 0.92, ours / best[0], f"{ours / best[0]:.2f} {best[1]}"))
    section.goals.append(figures.at_most("h1, system calls", SYSCALLS, round(calls["h1"], 2)))
