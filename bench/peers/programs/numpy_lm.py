#!/usr/bin/env python3
"""A hand-written Levenberg-Marquardt in numpy and scipy, as fast as we could make it: vectorized Jacobian written in place, one dsyrk
a Gram, LAPACK's Cholesky in place.

  more       gain ratio after Nielsen, running-maximum (More) scaling, first damping 1
  identity   gain ratio after Nielsen, no scaling, first damping 1e-3 of the largest diagonal
  trainlm    MATLAB's rule, damping x 0.1 after a success, x 10 after a failure, from 1e-3

  python3 bench/peers/programs/numpy_lm.py FOLDER CAP_SECONDS TARGET_LOSS more|identity|trainlm
"""
import numpy as np
import scipy
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.blas import dsyrk

import peer
from mlp import Mlp

problem, cap, target, (rule,) = peer.arguments()
n, record = problem.sample_count, peer.Record(cap, target, f"numpy {np.__version__}", f"scipy {scipy.__version__}")
if rule not in ("more", "identity", "trainlm"):
    raise SystemExit(f"no rule is named {rule}")


def optimize():
    mlp, w = Mlp(problem), problem.weights
    r, J = mlp.linearize(w)
    loss = r @ r
    record.loss(loss / n, count=0)
    mu, growth, iteration = 1.0 if rule == "more" else 1e-3, 2.0, 0
    D = np.zeros_like(w) if rule == "more" else np.ones_like(w)
    while True:
        # J.T of the C-ordered J is Fortran-ordered: no copy. One triangle only; J.T @ J would also mirror it.
        G, g = dsyrk(1.0, J.T, lower=1), r @ J
        if rule == "more":
            D = np.maximum(D, np.diag(G))
        elif rule == "identity" and iteration == 0:
            mu *= np.max(np.diag(G))
        while True:
            record.check()
            if not 0 < mu < 1e200:
                return "damping saturated"
            try:
                A = G.copy(order="F")
                np.einsum("ii->i", A)[:] += mu * D
                factor = cho_factor(A, lower=True, overwrite_a=True, check_finite=False)
                step = -cho_solve(factor, g, check_finite=False)
                trial = mlp.residual(w + step)
                change = loss - trial @ trial
            except LinAlgError:
                change = -np.inf
            if change > 0:
                break
            mu, growth = (mu * 10, growth) if rule == "trainlm" else (mu * growth, growth * 2)
        if rule == "trainlm":
            mu = max(mu * 0.1, 1e-20)
        else:
            ratio = change / (-g @ step + mu * step @ (D * step))
            mu, growth = mu * max(1 / 3, 1 - (2 * ratio - 1) ** 3), 2.0
        w, loss, iteration = w + step, trial @ trial, iteration + 1
        record.loss(loss / n, count=iteration)
        r, J = mlp.linearize(w)


peer.run(record, optimize)
