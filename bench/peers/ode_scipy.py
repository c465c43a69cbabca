#!/usr/bin/env python3
"""solve_ivp(method="RK45") on the rigid body, timed by itself: prints one JSON object.

  python3 bench/peers/ode_scipy.py TOLERANCE UNTIL RUNS
"""
import json, sys, time

import numpy as np
import scipy
from scipy.integrate import solve_ivp

tolerance, until, runs = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])


def rigid(t, y):
    # A plain list is faster here than an array: SciPy converts either once.
    a, b, c = y.tolist()
    return [-2 * b * c, 1.25 * a * c, -0.5 * a * b]


solve_ivp(rigid, (0, until / 100), [1, 0, 0.9], rtol=tolerance, atol=tolerance)
seconds = []
for _ in range(runs):
    start = time.perf_counter()
    answer = solve_ivp(rigid, (0, until), [1, 0, 0.9], rtol=tolerance, atol=tolerance)
    seconds.append(time.perf_counter() - start)
state = [float(v) for v in answer.y[:, -1]]
print(json.dumps({"seconds": seconds, "evaluations": answer.nfev, "state": state, "scipy": scipy.__version__}))
