"""Residuals and Jacobian of a tanh network with one output, vectorized in numpy, for the peers that want them from their user."""
import numpy as np


class Mlp:
    def __init__(self, problem):
        if problem.layers[-1] != 1:
            raise SystemExit("this peer's network has one output")
        self.problem = problem
        self.J = np.empty((problem.sample_count, len(problem.weights)))

    def forward(self, w):
        *hidden, (C, c) = self.problem.unpack(w)
        h = [self.problem.inputs]
        for A, a in hidden:
            z = h[-1] @ A
            z += a
            h.append(np.tanh(z, out=z))
        return h, (h[-1] @ C + c)[:, 0] - self.problem.targets[:, 0]

    def residual(self, w):
        return self.forward(w)[1]

    def linearize(self, w):
        """Residual and Jacobian (a buffer that the next call overwrites: a fresh array would cost as much as filling it)."""
        layers = self.problem.unpack(w)
        h, r = self.forward(w)
        end = self.J.shape[1]
        for l in range(len(layers) - 1, -1, -1):
            a, b = layers[l][0].shape
            d = np.ones((len(r), 1)) if l == len(layers) - 1 else (1 - h[l + 1] ** 2) * (d @ layers[l + 1][0].T)
            self.J[:, end - b : end] = d
            at = end - (a + 1) * b
            if b == 1:
                np.multiply(h[l], d, out=self.J[:, at : at + a])
            else:
                for k in range(a):
                    np.multiply(h[l][:, k : k + 1], d, out=self.J[:, at + k * b : at + (k + 1) * b])
            end = at
        return r, self.J
