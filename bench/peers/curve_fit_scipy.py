# Fits the curves that bench/curve-fit.mjs sends by SciPy's curve_fit with its defaults, warm, and prints the median seconds of a fit and the estimates.
#   python3 curve_fit_scipy.py < problems.json     [{"model": "a + b*x", "x": [...], "y": [...], "start": [...], "seconds": 0.1}, ...]
import json
import sys
import time

import numpy as np
import scipy
from scipy.optimize import curve_fit

answers = []
for problem in json.load(sys.stdin):
    names = "abcd"[: len(problem["start"])]
    f = eval(f"lambda x, {', '.join(names)}: {problem['model']}", {"np": np})
    x, y = np.array(problem["x"]), np.array(problem["y"])
    times = []
    for _ in range(5):
        curve_fit(f, x, y, p0=problem["start"])
    end = time.perf_counter() + problem["seconds"]
    while time.perf_counter() < end or len(times) < 5:
        began = time.perf_counter()
        estimates, _ = curve_fit(f, x, y, p0=problem["start"])
        times.append(time.perf_counter() - began)
    answers.append({"seconds": float(np.median(times)), "estimates": list(estimates)})
json.dump({"version": f"SciPy {scipy.__version__}, numpy {np.__version__}", "answers": answers}, sys.stdout)
