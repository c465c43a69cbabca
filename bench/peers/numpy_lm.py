#!/usr/bin/env python3
"""A hand-written Levenberg-Marquardt in numpy and scipy: the rule is ours (gain ratio after Nielsen, running-maximum scaling,
first damping 1). The Jacobian is vectorised and written in place, the Gram is one dsyrk, the solve LAPACK's Cholesky in place, and one
linearisation runs before the clock starts: as fast as we could make it. Reads the common case, prints one JSON object.

  GAUSSFLOW_DATA=... python3 bench/peers/numpy_lm.py TARGET_MSE MOST_ITERATIONS
"""
import gzip, json, os, sys, time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")
import numpy as np
from scipy.linalg import cho_factor, cho_solve, LinAlgError
from scipy.linalg.blas import dsyrk

SIZES = [8, 32, 32, 1]
folder = os.path.join(os.environ["GAUSSFLOW_DATA"], "friedman")
read = lambda name: np.loadtxt(gzip.open(os.path.join(folder, name + ".csv.gz"), "rt"), delimiter=",", ndmin=2)
X, y, w = read("X"), read("Y")[:, 0], read("W0")[:, 0]
n = len(X)

J = np.empty((n, len(w)))


def unpack(w):
    layers, at = [], 0
    for a, b in zip(SIZES[:-1], SIZES[1:]):
        layers.append((w[at : at + a * b].reshape(a, b), w[at + a * b : at + a * b + b]))
        at += a * b + b
    return layers


def residual(w):
    (A, a), (B, b), (C, c) = unpack(w)
    return (np.tanh(np.tanh(X @ A + a) @ B + b) @ C + c)[:, 0] - y


def linearise(w):
    (A, a), (B, b), (C, c) = unpack(w)
    h1 = np.tanh(X @ A + a)
    h2 = np.tanh(h1 @ B + b)
    r = (h2 @ C + c)[:, 0] - y
    d2 = (1 - h2 * h2) * C[:, 0]
    d1 = (1 - h1 * h1) * (d2 @ B.T)
    # In place, one input at a time: a fresh 55 MB array an iteration would cost as much as filling it.
    at = 0
    for h, d in ((X, d1), (h1, d2)):
        for k in range(h.shape[1]):
            np.multiply(h[:, k : k + 1], d, out=J[:, at : at + 32])
            at += 32
        J[:, at : at + 32] = d
        at += 32
    J[:, at : at + 32] = h2
    J[:, -1] = 1
    return r, J


def gram(J):
    # J.T of the C-ordered J is Fortran-ordered: no copy. One triangle only; J.T @ J would also mirror it.
    return dsyrk(1.0, J.T, lower=1)


target, most = float(sys.argv[1]), int(sys.argv[2])
cho_factor(gram(linearise(w)[1]) + np.eye(len(w)), lower=True)  # threads started, pages touched
start = time.perf_counter()
mu, growth, D = 1.0, 2.0, np.zeros_like(w)
r = residual(w)
loss, path, iteration, factorisations = r @ r, [], 0, 0
path.append([0, loss / n, time.perf_counter() - start])
while iteration < most and loss / n > target:
    r, J = linearise(w)
    G, g = gram(J), r @ J
    D = np.maximum(D, np.diag(G))
    for _ in range(60):
        factorisations += 1
        try:
            A = G.copy(order="F")
            np.einsum("ii->i", A)[:] += mu * D
            factor = cho_factor(A, lower=True, overwrite_a=True, check_finite=False)
            step = -cho_solve(factor, g, check_finite=False)
        except LinAlgError:
            mu, growth = mu * growth, growth * 2
            continue
        trial = residual(w + step)
        predicted = -g @ step + mu * step @ (D * step)
        ratio = (loss - trial @ trial) / predicted
        if ratio > 0:
            mu, growth = mu * max(1 / 3, 1 - (2 * ratio - 1) ** 3), 2.0
            w, loss = w + step, trial @ trial
            break
        mu, growth = mu * growth, growth * 2
    else:
        break
    iteration += 1
    path.append([iteration, loss / n, time.perf_counter() - start])
print(json.dumps({"path": path, "factorisations": factorisations, "numpy": np.__version__}))
