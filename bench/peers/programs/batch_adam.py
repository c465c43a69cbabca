#!/usr/bin/env python3
"""Trains networks on batches by PyTorch's Adam, for comparison with gaussflow: the peer of bench/stochastic.mjs and bench/batch.mjs.

Reads one JSON request a line and answers by one line of JSON. Rows are float64 in files (row by row), and become float32.

  {"op": "problem", "layers", "activation", "kind": "squares" | "softmax", "parts": {"fit" | "validation" | "test": {"inputs", "targets", "rows"}}}
        keeps a problem; targets are numbers, or labels where the kind is softmax
  {"op": "adam", "rate", "batch", "seconds", "seed", "threads"}
        -> {"steps", "validation", "test"}: torch.optim.Adam on shuffled batches for so long; the rate falls to 0 along a half cosine. Each part
           has "loss" (mean square, or mean cross-entropy) and "accuracy" (softmax)
  {"op": "steps", "batch", "count", "threads"}  -> {"seconds"}: of so many steps after some that are not counted
"""
import json
import math
import sys
import time

import numpy as np
import torch

problem = None


class Problem:
    def __init__(self, request):
        self.layers, self.kind, self.activation = request["layers"], request["kind"], request["activation"]
        self.parts = {name: self.read(part) for name, part in request["parts"].items()}

    def read(self, part):
        rows = part["rows"]
        inputs = np.fromfile(part["inputs"], np.float64).reshape(rows, -1)
        targets = np.fromfile(part["targets"], np.float64).reshape(rows, -1)
        y = torch.from_numpy(targets)
        return torch.from_numpy(inputs).float(), y[:, 0].long() if self.kind == "softmax" else y.float()

    def model(self, seed):
        torch.manual_seed(seed)
        unit = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}[self.activation]
        sizes = list(zip(self.layers, self.layers[1:]))
        parts = []
        for k, (a, b) in enumerate(sizes):
            parts += [torch.nn.Linear(a, b)] + ([unit()] if k + 1 < len(sizes) else [])
        return torch.nn.Sequential(*parts)

    def loss(self, psi, y):
        return torch.nn.functional.cross_entropy(psi, y) if self.kind == "softmax" else ((psi - y) ** 2).mean()

    def judge(self, model, name):
        x, y = self.parts[name]
        with torch.no_grad():
            psi = model(x)
            answer = {"loss": self.loss(psi, y).item()}
            if self.kind == "softmax":
                answer["accuracy"] = (psi.argmax(1) == y).double().mean().item()
        return answer


def stepper(request, rate, seed):
    torch.set_num_threads(request["threads"])
    model = problem.model(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    x, y = problem.parts["fit"]
    batch, state = request["batch"], {"order": None, "at": 0}

    def step():
        if state["order"] is None or state["at"] + batch > len(x):
            state["order"], state["at"] = torch.randperm(len(x)), 0
        rows = state["order"][state["at"] : state["at"] + batch]
        state["at"] += batch
        optimizer.zero_grad(set_to_none=True)
        value = problem.loss(model(x[rows]), y[rows])
        value.backward()
        optimizer.step()

    return model, optimizer, step


def adam(request):
    rate, cap = request["rate"], request["seconds"]
    model, optimizer, step = stepper(request, rate, request["seed"])
    steps, began = 0, time.perf_counter()
    while True:
        share = (time.perf_counter() - began) / cap
        if share >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 + math.cos(math.pi * share)) / 2
        step()
        steps += 1
    return {"steps": steps, "validation": problem.judge(model, "validation"), "test": problem.judge(model, "test")}


def steps(request):
    _, _, step = stepper(request, 1e-3, 1)
    for _ in range(min(20, request["count"])):
        step()
    began = time.perf_counter()
    for _ in range(request["count"]):
        step()
    return {"seconds": time.perf_counter() - began}


for line in sys.stdin:
    request = json.loads(line)
    try:
        if request["op"] == "problem":
            problem, answer = Problem(request), {}
        else:
            answer = {"adam": adam, "steps": steps}[request["op"]](request)
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
