#!/usr/bin/env python3
"""PyTorch on one problem folder, float64 unless said:

  lbfgs      torch.optim.LBFGS, full batch, history 50, strong Wolfe line search
  adam       torch.optim.Adam, batches of 250, rate 1e-2 falling to 1e-5 along a half cosine over the time cap
  lm         Levenberg-Marquardt by hand on functorch's Jacobian, vmap(grad), trainlm's damping (x 0.1, x 10); one output only

  /usr/bin/python3 bench/peers/programs/torch_train.py FOLDER CAP_SECONDS TARGET_LOSS lbfgs|adam|lm [float32] [threads=N]
"""
import math

import numpy as np
import torch

import peer

problem, cap, target, (method, *options) = peer.arguments()
threads = next((int(option.split("=")[1]) for option in options if option.startswith("threads=")), 2)
torch.set_num_threads(threads)
precision = torch.float32 if "float32" in options else torch.float64
if method == "lm":
    from functorch import grad, vmap  # an import, so before the clock
record = peer.Record(cap, target, f"torch {torch.__version__}", f"{precision}".replace("torch.", ""), f"{threads} threads")
X, Y, w = (torch.from_numpy(a).to(precision) for a in (problem.inputs, problem.targets, problem.weights.copy()))


def predict(w, h):
    *hidden, (W, b) = problem.unpack(w)
    for A, a in hidden:
        h = torch.tanh(h @ A + a)
    return h @ W + b


def loss(w, x=X, y=Y):
    return ((predict(w, x) - y) ** 2).mean()


def lbfgs():
    w.requires_grad_(True)
    # Its own tests are off: only the target and the cap end it. The iteration limit is never met within a cap.
    optimizer = torch.optim.LBFGS(
        [w], lr=1, max_iter=10**7, max_eval=10**8, tolerance_grad=0, tolerance_change=0, history_size=50,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        value = loss(w)
        value.backward()
        record.loss(value.item())
        return value

    # A failed line search returns; a fresh call forgets the curvature history and may go on.
    starts = 0
    while True:
        best, starts = record.best, starts + 1
        optimizer.step(closure)
        if record.best >= best:
            return f"no progress in start {starts} of L-BFGS"
        optimizer.state.clear()


def adam():
    w.requires_grad_(True)
    highest, lowest, batch = 1e-2, 1e-5, min(250, problem.sample_count)
    optimizer = torch.optim.Adam([w], lr=highest)
    generator = torch.Generator().manual_seed(0)
    steps = 0

    def full():
        with torch.no_grad():
            return loss(w).item()

    record.evaluated(full, 0)
    while True:
        order = torch.randperm(problem.sample_count, generator=generator)
        share = min(1, record.seconds() / cap)
        for group in optimizer.param_groups:
            group["lr"] = lowest + (highest - lowest) * (1 + math.cos(math.pi * share)) / 2
        for part in order.split(batch):
            optimizer.zero_grad()
            loss(w, X[part], Y[part]).backward()
            optimizer.step()
            steps += 1
        record.evaluated(full, steps)


def lm():
    if problem.layers[-1] != 1:
        raise SystemExit("the lm variant has one output only")
    jacobian_of = vmap(grad(lambda w, x: predict(w, x)[0]), in_dims=(None, 0))
    at, mu = w, 1e-3
    residual = (predict(at, X) - Y)[:, 0]
    value = residual @ residual
    record.loss(value.item() / problem.sample_count, count=0)
    iteration = 0
    while True:
        J = jacobian_of(at, X)
        gram, gradient = J.T @ J, J.T @ residual
        while True:
            damped = gram.clone()
            damped.diagonal().add_(mu)
            factor, failed = torch.linalg.cholesky_ex(damped)
            if not failed:
                trial = at - torch.cholesky_solve(gradient[:, None], factor)[:, 0]
                trial_residual = (predict(trial, X) - Y)[:, 0]
                trial_value = trial_residual @ trial_residual
                if trial_value < value:
                    break
            mu *= 10
            record.check()
            if mu > 1e20:
                return "damping saturated"
        at, residual, value, mu = trial, trial_residual, trial_value, max(mu * 0.1, 1e-20)
        iteration += 1
        record.loss(value.item() / problem.sample_count, count=iteration)


peer.run(record, {"lbfgs": lbfgs, "adam": adam, "lm": lm}[method])
