#!/usr/bin/env python3
"""SciPy on four problems at five tolerances: error at the end and number of right-hand sides.

rk45 is solve_ivp(method="RK45"), with integral step control. dopri5 is Hairer's Fortran code behind scipy.integrate.ode, with the
proportional-integral control of beta = 0.04 and a first step of 1e-4.

  python3 test/golden/ode-scipy.py && npx biome check --write test/golden/ode-scipy.json

writes ode-scipy.json beside itself (needs numpy and scipy).

The reference at the end is a Taylor series of order 30 in decimal arithmetic of 45 digits, step by step: no Runge-Kutta method and no
double precision in it. It starts from the doubles that SciPy is given, so that their rounding is no error of anybody's.
"""
import json
import os
from decimal import Decimal, getcontext

import numpy as np
import scipy
from scipy.integrate import ode, solve_ivp

getcontext().prec = 45
ORDER = 30
TOLERANCES = [1e-6, 1e-7, 1e-8, 1e-9, 1e-10]
MU = 0.012277471


def times(a, b, n):
    """Coefficient n of the product of two series."""
    return sum((a[i] * b[n - i] for i in range(n + 1)), Decimal(0))


def extend_power(p, s, exponent, n):
    """Coefficient n of p = s^exponent, from s p' = exponent s' p; p holds those below n."""
    if n == 0:
        # Only exponent -3/2 occurs.
        p.append(1 / (s[0] * s[0].sqrt()))
        return
    total = sum(((exponent * k - (n - k)) * s[k] * p[n - k] for k in range(1, n + 1)), Decimal(0))
    p.append(total / (n * s[0]))


def kepler_terms(y, work, n):
    x, z, u, v = y
    s, p = work.setdefault("s", []), work.setdefault("p", [])
    s.append(times(x, x, n) + times(z, z, n))
    extend_power(p, s, Decimal(-3) / 2, n)
    return [u[n], v[n], -times(x, p, n), -times(z, p, n)]


def arenstorf_terms(y, work, n):
    x, z, u, v = y
    mu = Decimal(MU)
    forces = []
    for name, center in (("earth", -mu), ("moon", 1 - mu)):
        d, s, p = (work.setdefault(name + part, []) for part in ("d", "s", "p"))
        d.append(x[n] - (center if n == 0 else 0))
        s.append(times(d, d, n) + times(z, z, n))
        extend_power(p, s, Decimal(-3) / 2, n)
        forces.append((times(d, p, n), times(z, p, n)))
    (ex, ey), (mx, my) = forces
    return [u[n], v[n], x[n] + 2 * v[n] - (1 - mu) * ex - mu * mx, z[n] - 2 * u[n] - (1 - mu) * ey - mu * my]


def rigid_terms(y, work, n):
    a, b, c = y
    return [-2 * times(b, c, n), Decimal("1.25") * times(a, c, n), Decimal("-0.5") * times(a, b, n)]


def lotka_terms(y, work, n):
    x, z = y
    xz = times(x, z, n)
    return [Decimal("1.5") * x[n] - xz, xz - 3 * z[n]]


def taylor(terms, initial, until):
    """State at `until`; the step is a tenth of the radius of convergence that the last coefficients show."""
    # Unary plus rounds to 45 digits: with all 53 bits of `until` written out the last sum might stay below it for ever.
    state, time, until = [Decimal(v) for v in initial], Decimal(0), +Decimal(until)
    while time < until:
        series, work = [[v] for v in state], {}
        for n in range(ORDER):
            for one, slope in zip(series, terms(series, work, n)):
                one.append(slope / (n + 1))
        # Two coefficients: one of them may vanish by symmetry.
        largest = max(max(abs(one[k]) ** (Decimal(1) / k) for one in series) for k in (ORDER - 1, ORDER))
        step = min(Decimal("0.1") / largest, until - time)
        state = [sum((c * step**k for k, c in enumerate(one)), Decimal(0)) for one in series]
        time += step
    return state


def kepler(t, y):
    cube = (y[0] ** 2 + y[1] ** 2) ** 1.5
    return [y[2], y[3], -y[0] / cube, -y[1] / cube]


def arenstorf(t, y):
    x, z, u, v = y
    earth = ((x + MU) ** 2 + z**2) ** 1.5
    moon = ((x - (1 - MU)) ** 2 + z**2) ** 1.5
    return [
        u,
        v,
        x + 2 * v - (1 - MU) * (x + MU) / earth - MU * (x - (1 - MU)) / moon,
        z - 2 * u - (1 - MU) * z / earth - MU * z / moon,
    ]


def rigid(t, y):
    return [-2 * y[1] * y[2], 1.25 * y[0] * y[2], -0.5 * y[0] * y[1]]


def lotka(t, y):
    return [1.5 * y[0] - y[0] * y[1], -3 * y[1] + y[0] * y[1]]


PROBLEMS = {
    "arenstorf": (arenstorf, arenstorf_terms, [0.994, 0.0, 0.0, -2.0015851063790824], 17.065216560157964),
    "kepler": (kepler, kepler_terms, [0.5, 0.0, 0.0, 3**0.5], 20.0),
    "rigidBody": (rigid, rigid_terms, [1.0, 0.0, 0.9], 20.0),
    "lotkaVolterra": (lotka, lotka_terms, [10.0, 5.0], 15.0),
}



def rk45(rhs, initial, until, tolerance):
    answer = solve_ivp(rhs, (0, until), initial, method="RK45", rtol=tolerance, atol=tolerance)
    return answer.y[:, -1], int(answer.nfev)


def dopri5(rhs, initial, until, tolerance):
    calls = 0

    def counted(t, y):
        nonlocal calls
        calls += 1
        return rhs(t, y)

    options = {"rtol": tolerance, "atol": tolerance, "beta": 0.04, "first_step": 1e-4, "nsteps": 100000}
    solver = ode(counted).set_integrator("dopri5", **options).set_initial_value(initial, 0)
    return solver.integrate(until), calls


problems = {}
for name, (rhs, terms, initial, until) in PROBLEMS.items():
    exact = taylor(terms, initial, until)
    problems[name] = {"initial": initial, "until": until, "reference": [float(e) for e in exact]}
    for method, run in (("rk45", rk45), ("dopri5", dopri5)):
        runs = []
        for tolerance in TOLERANCES:
            state, evaluations = run(rhs, initial, until, tolerance)
            error = max(abs(Decimal(float(v)) - e) for v, e in zip(state, exact))
            runs.append({"tolerance": tolerance, "error": float(error), "evaluations": evaluations})
        problems[name][method] = runs

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "ode-scipy.json"), "w") as file:
    command = "python3 test/golden/ode-scipy.py && npx biome check --write test/golden/ode-scipy.json"
    made = {"command": command, "scipy": scipy.__version__, "numpy": np.__version__}
    json.dump({"made": made, "problems": problems}, file, indent=2)
    file.write("\n")
