#!/usr/bin/env python3
"""PyTorch's Adam on random batches in float32, for bench/batch.mjs: each line of the input, "LAYERS BATCH STEPS" (as in 8-32-32-1 256 100), is
answered by a line {"seconds": ...} of so many steps; the first for a network also makes it. tanh between the layers; one output has squared
error, several have softmax cross-entropy.

  /usr/bin/python3 bench/peers/programs/torch_batch.py [threads=N]
"""
import json
import sys
import time

import torch

threads = next((int(option.split("=")[1]) for option in sys.argv[1:] if option.startswith("threads=")), 2)
torch.set_num_threads(threads)
BATCHES = 16
made = {}


def make(layers, batch):
    torch.manual_seed(1)
    parts = []
    for inputs, outputs in zip(layers, layers[1:]):
        parts += [torch.nn.Linear(inputs, outputs), torch.nn.Tanh()]
    model = torch.nn.Sequential(*parts[:-1])
    rows = BATCHES * batch
    x, several = torch.randn(rows, layers[0]), layers[-1] > 1
    y = torch.randint(layers[-1], (rows,)) if several else torch.randn(rows, 1)
    loss = torch.nn.functional.cross_entropy if several else torch.nn.functional.mse_loss
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), x, y, loss


for line in sys.stdin:
    names, batch, steps = line.split()
    batch = int(batch)
    layers = [int(width) for width in names.split("-")]
    if (names, batch) not in made:
        made[names, batch] = make(layers, batch)
    model, optimizer, x, y, loss = made[names, batch]
    start = time.perf_counter()
    for step in range(int(steps)):
        first = step % BATCHES * batch
        optimizer.zero_grad()
        loss(model(x[first : first + batch]), y[first : first + batch]).backward()
        optimizer.step()
    print(json.dumps({"seconds": time.perf_counter() - start, "version": torch.__version__}), flush=True)
