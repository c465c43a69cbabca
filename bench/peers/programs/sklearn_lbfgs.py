#!/usr/bin/env python3
"""scikit-learn's MLPRegressor with solver="lbfgs", alpha=0, begun from the problem's weights. Where its own test ends a fit it is
called again with warm_start, as its user would, until that gains nothing more.

  python3 bench/peers/programs/sklearn_lbfgs.py FOLDER CAP_SECONDS TARGET_LOSS [float32]
"""
import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

import peer

warnings.simplefilter("ignore", ConvergenceWarning)
problem, cap, target, options = peer.arguments()
# It computes in the precision of the data it is given.
precision = np.float32 if "float32" in options else np.float64
record = peer.Record(
    cap, target, f"scikit-learn {sklearn.__version__}", f"numpy {np.__version__}", precision.__name__
)
start = problem.unpack(problem.weights.astype(precision))
X, Y = problem.inputs.astype(precision), problem.targets.astype(precision)


class Recorded(MLPRegressor):
    """Begins from given weights, and reports each loss it computes: both by methods that MLPRegressor calls on itself."""

    def _init_coef(self, *arguments):
        super()._init_coef(*arguments)  # it draws the weights of one layer; ours replace them
        return start[self._layer_at()]

    def _layer_at(self):
        self._layers_begun = getattr(self, "_layers_begun", -1) + 1
        return self._layers_begun

    def _backprop(self, *arguments):
        loss, *gradients = super()._backprop(*arguments)
        record.loss(2 * float(loss))  # theirs is half the mean square
        return (loss, *gradients)


def optimize():
    model = Recorded(
        hidden_layer_sizes=tuple(problem.layers[1:-1]), activation="tanh", solver="lbfgs", alpha=0, tol=0,
        max_iter=10**7, max_fun=10**8, warm_start=True,
    )
    y = Y if problem.layers[-1] > 1 else Y[:, 0]
    fits = 0
    while True:
        best, fits = record.best, fits + 1
        model.fit(X, y)
        if not record.best < best * (1 - 1e-6):
            return f"stopped itself, fit {fits}"


peer.run(record, optimize)
