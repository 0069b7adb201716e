"""The arithmetic of the comparisons: which rounds count, ratios inside a round, whether a goal holds. Pure.

A field is {name: [CPU-us per request, by round]}. Only figures of one round are divided by each other:
a small shared machine drifts within the minute, and both sides of a ratio then drift alike.
"""
import dataclasses
import statistics

GUARD = 0.15


@dataclasses.dataclass
class Ratio:
    """Of the rounds that count: the median and how far they spread."""
    median: float
    least: float
    most: float

    def __str__(self):
        return f"{self.median:.2f} ({self.least:.2f} to {self.most:.2f})"


@dataclasses.dataclass
class Goal:
    """One line of the goals' table. `holds` is None where too few rounds counted."""
    row: str
    wanted: str
    reached: str
    holds: bool | None

    def verdict(self):
        return {True: "holds", False: "**missed**", None: "too noisy to say"}[self.holds]


def quiet_rounds(relay, guard=GUARD):
    """The rounds in which the relay, which never changes, cost what it does: no more than `guard` off its median."""
    if not relay:
        return []
    usual = statistics.median(relay)
    return [at for at, cost in enumerate(relay) if abs(cost - usual) <= guard * usual]


def ratio_of(ours, theirs, rounds):
    """Ours by theirs in each of these rounds; None without a round."""
    ratios = [ours[at] / theirs[at] for at in rounds]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios)) if ratios else None


def median_of(costs, rounds):
    return statistics.median(costs[at] for at in rounds) if rounds else None


def best_of(field, names, rounds):
    """Which of `names` has the least median in these rounds; None where there is none."""
    there = [name for name in names if field.get(name)]
    return min(there, key=lambda name: median_of(field[name], rounds)) if there and rounds else None


def slope(n_small, cost_small, n_large, cost_large):
    """What one more request costs: start, connections and everything that is paid once drop out."""
    return (cost_large - cost_small) / (n_large - n_small)


def at_most(row, wanted, reached, text=None, unit=""):
    """A goal that is an upper bound; None reached: nothing was measured that counts."""
    shown = text or (f"{reached:.2f}{unit}" if reached is not None else "-")
    return Goal(row, f"≤ {wanted:,}{unit}", shown, None if reached is None else reached <= wanted)


def drift(now, before):
    """How far a counted value moved, in percent, and what follows: "same", "warn", "fail", or "record" where it sank."""
    moved = 100 * (now - before) / before
    if moved > 15:
        return moved, "fail"
    if moved > 5:
        return moved, "warn"
    return moved, "record" if moved < -5 else "same"
