#!/usr/bin/env python3
"""Minimizes and evaluates the objectives of bench/converge.mjs in PyTorch, for comparison with gaussflow: sum loss + decay/2 |w|^2.

Reads one JSON request a line and answers by one line of JSON. A network has tanh units in its hidden layers, and its parameters are in
gaussflow's order: W1 (outputs x inputs, row by row), b1, W2, ...

  {"op": "problem", "layers", "inputs", "targets", "loss", "decay"}   keeps a problem (rows of inputs and targets, flat)
  {"op": "evaluate", "parameters"}          -> {"objective", "gradient"}: the largest entry of the gradient
  {"op": "adam", "parameters", "seconds", "rate"}
        -> {"objective", "steps"}: torch.optim.Adam on the whole batch, float64, one thread; the rate falls to a thousandth along a half
           cosine over the seconds, the least objective on the way counts
  {"op": "regression", "columns", "inputs", "labels", "test"}
        -> {"labels"}: what scikit-learn's multinomial LogisticRegression (C = 1, its own penalty and stop) predicts for the test rows
"""
import json
import math
import sys
import time

import numpy as np
import torch

torch.set_num_threads(1)
problem = None


def tensor(values, columns):
    return torch.tensor(values, dtype=torch.float64).reshape(-1, columns)


def softmax(psi, y, _):
    return (torch.logsumexp(psi, 1) - (y * psi).sum(1)).sum()


def huber(psi, y, loss):
    size, delta = (psi - y).abs(), loss["delta"]
    return torch.where(size <= delta, size**2 / 2, delta * (size - delta / 2)).sum()


def poisson(psi, y, _):
    return (torch.exp(psi) - y * psi - (y - torch.xlogy(y, y))).sum()


def quantile(psi, y, loss):
    e, h = psi - y, loss["smoothing"]
    return (h * torch.nn.functional.softplus(e / h, threshold=1e3) - loss["tau"] * e).sum()


LOSSES = {"softmax": softmax, "huber": huber, "poisson": poisson, "quantile": quantile}


class Problem:
    def __init__(self, request):
        self.layers, self.loss, self.decay = request["layers"], request["loss"], request["decay"]
        self.inputs = tensor(request["inputs"], self.layers[0])
        self.targets = tensor(request["targets"], self.layers[-1])

    def objective(self, w):
        h, at = self.inputs, 0
        for l, (a, b) in enumerate(zip(self.layers, self.layers[1:])):
            h = torch.addmm(w[at + a * b : at + a * b + b], h, w[at : at + a * b].reshape(b, a).T)
            if l + 2 < len(self.layers):
                h = torch.tanh(h)
            at += (a + 1) * b
        return LOSSES[self.loss["kind"]](h, self.targets, self.loss) + self.decay / 2 * (w @ w)


def evaluate(request):
    w = torch.tensor(request["parameters"], dtype=torch.float64, requires_grad=True)
    value = problem.objective(w)
    value.backward()
    return {"objective": value.item(), "gradient": w.grad.abs().max().item()}


def adam(request):
    w = torch.tensor(request["parameters"], dtype=torch.float64, requires_grad=True)
    highest, cap = request["rate"], request["seconds"]
    optimizer = torch.optim.Adam([w], lr=highest)
    best, steps, began = math.inf, 0, time.perf_counter()
    while True:
        optimizer.zero_grad()
        value = problem.objective(w)
        best = min(best, value.item())
        share = (time.perf_counter() - began) / cap
        if share >= 1:
            return {"objective": best, "steps": steps}
        for group in optimizer.param_groups:
            group["lr"] = highest * (1e-3 + (1 - 1e-3) * (1 + math.cos(math.pi * share)) / 2)
        value.backward()
        optimizer.step()
        steps += 1


def regression(request):
    from sklearn.linear_model import LogisticRegression

    columns = request["columns"]
    rows = lambda name: np.array(request[name]).reshape(-1, columns)
    model = LogisticRegression(C=1, max_iter=10_000).fit(rows("inputs"), request["labels"])
    return {"labels": model.predict(rows("test")).tolist()}


for line in sys.stdin:
    request = json.loads(line)
    try:
        if request["op"] == "problem":
            problem, answer = Problem(request), {}
        else:
            answer = {"evaluate": evaluate, "adam": adam, "regression": regression}[request["op"]](request)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
