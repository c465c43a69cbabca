#!/usr/bin/env python3
"""scipy.optimize.least_squares with an analytic Jacobian; its own stop tests are set to nothing, all else is its default.

  trf | lsmr (trf with tr_solver="lsmr") | lm (MINPACK)

  python3 bench/peers/programs/scipy_ls.py FOLDER CAP_SECONDS TARGET_LOSS trf|lsmr|lm
"""
import numpy as np
import scipy
from scipy.optimize import least_squares

import peer
from mlp import Mlp

problem, cap, target, (variant,) = peer.arguments()
record = peer.Record(cap, target, f"scipy {scipy.__version__}", f"numpy {np.__version__}")
settings = {
    "trf": {"method": "trf", "tr_solver": "exact"},
    "lsmr": {"method": "trf", "tr_solver": "lsmr"},
    "lm": {"method": "lm"},
}[variant]


def optimize():
    mlp = Mlp(problem)

    def residual(w):
        r = mlp.residual(w)
        # A trial that is not a number is an ordinary rejection for least_squares, so it is no end of the run here.
        value = r @ r / problem.sample_count
        record.loss(value) if np.isfinite(value) else record.check()
        return r

    smallest = 1e-15  # "lm" refuses less than the rounding unit
    answer = least_squares(
        residual, problem.weights, jac=lambda w: mlp.linearize(w)[1], ftol=smallest, xtol=smallest, gtol=smallest,
        max_nfev=10**7, **settings,
    )
    return f"stopped itself: {answer.message}"


peer.run(record, optimize)
