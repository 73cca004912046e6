"""A line of the table: what was measured in each round, beside what, against which goal."""
import statistics


class Row:
    def __init__(self, id, what, goal, unit="", reference=""):
        self.id, self.what, self.goal, self.unit, self.reference = id, what, goal, unit, reference
        self.values, self.references, self.notes = [], [], []
        self.bound = None      # (">=" or "<=", number), of the ratio when there is a reference, else of the value
        self.absent = ""       # Why there is no figure.

    def must(self, sign, bound):
        self.bound = (sign, bound)
        return self

    def add(self, value, reference=None):
        self.values.append(value)
        if reference is not None:
            self.references.append(reference)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    @property
    def ratios(self):
        return [v / r for v, r in zip(self.values, self.references) if r]

    def judged(self):
        """What the goal is about, as its median over the rounds."""
        figures = self.ratios if self.references else self.values
        return statistics.median(figures) if figures else None

    def met(self):
        if self.bound is None or self.judged() is None:
            return None
        sign, bound = self.bound
        return self.judged() >= bound if sign == ">=" else self.judged() <= bound

    def json(self):
        return {"id": self.id, "what": self.what, "goal": self.goal, "unit": self.unit, "values": self.values,
                "reference": self.reference, "references": self.references, "ratios": self.ratios, "met": self.met(),
                "absent": self.absent, "notes": self.notes}


def figure(value):
    """Three digits that matter."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def spread(values):
    """median (min - max)"""
    if not values:
        return "-"
    if len(values) == 1 or min(values) == max(values):
        return figure(statistics.median(values))
    return f"{figure(statistics.median(values))} ({figure(min(values))} - {figure(max(values))})"
