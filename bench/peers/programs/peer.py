"""What every Python peer shares: the problem's files, the clock, the protocol (bench/peers/lib/protocol.mjs says it in full).

The loss is the mean of the squared errors over all samples and outputs. The clock starts in `Record.start()`, called when the data
are in memory and all imports are done; nothing is warmed before it. It stands still while a peer computes a loss for the record
alone (`Record.evaluated`).
"""
import os, sys, time

import numpy as np


class Finished(Exception):
    """Raised inside somebody else's optimizer to leave it."""


class Problem:
    """FOLDER holds `shape` (sample count, then layer sizes) and float64 files in this machine's byte order: `inputs` and `targets`,
    row by row, and `weights`: W1, b1, W2, b2, ... with each W as inputs x outputs, row by row."""

    def __init__(self, folder):
        with open(os.path.join(folder, "shape")) as file:
            self.sample_count, *self.layers = map(int, file.read().split())
        read = lambda name, columns: np.fromfile(os.path.join(folder, name)).reshape(-1, columns)
        self.inputs = read("inputs", self.layers[0])
        self.targets = read("targets", self.layers[-1])
        self.weights = read("weights", 1)[:, 0]
        expected = sum((a + 1) * b for a, b in zip(self.layers, self.layers[1:]))
        if not len(self.inputs) == len(self.targets) == self.sample_count or len(self.weights) != expected:
            sys.exit(f"{folder}: inputs, targets and weights do not fit the shape {self.sample_count} {self.layers}")

    def unpack(self, w):
        """Views [(W1, b1), ...] of a flat vector (numpy or torch)."""
        parts, at = [], 0
        for a, b in zip(self.layers, self.layers[1:]):
            parts.append((w[at : at + a * b].reshape(a, b), w[at + a * b : at + a * b + b]))
            at += a * b + b
        return parts


class Record:
    """Prints one line a loss; raises Finished at the target, at a loss that is no number and at the time cap."""

    def __init__(self, cap, target, *versions):
        self.cap, self.target, self.paused, self.count = cap, target, 0.0, 0
        self.best = float("inf")
        print("version", ", ".join(versions), flush=True)

    def start(self):
        self.began = time.perf_counter()

    def seconds(self):
        return time.perf_counter() - self.began - self.paused

    def loss(self, value, seconds=None, count=None):
        """A loss that the peer's own work yields. `count`: iterations or evaluations so far; default: calls of this function."""
        seconds = self.seconds() if seconds is None else seconds
        self.count = self.count + 1 if count is None else count
        self.best = min(self.best, value)
        print(f"loss {seconds:.6f} {self.count} {value:.12e}", flush=True)
        if value <= self.target:
            raise Finished("target")
        if not np.isfinite(value):
            raise Finished("not finite")
        self.check()

    def check(self):
        if self.seconds() > self.cap:
            raise Finished("cap")

    def evaluated(self, evaluate, count):
        """A loss computed for the record alone, off the clock."""
        seconds = self.seconds()
        before = time.perf_counter()
        value = evaluate()
        self.paused += time.perf_counter() - before
        self.loss(value, seconds, count)

    def end(self, reason):
        print("end", reason, flush=True)


def arguments():
    """FOLDER CAP_SECONDS TARGET_LOSS [VARIANT ...] of every peer's command line."""
    folder, cap, target, *variants = sys.argv[1:]
    return Problem(folder), float(cap), float(target), variants


def run(record, optimize):
    """Starts the clock, optimizes, says why it ended. `optimize` returns a sentence or leaves by Finished."""
    record.start()
    try:
        reason = optimize()
    except Finished as finished:
        reason = str(finished)
    record.end(reason)
