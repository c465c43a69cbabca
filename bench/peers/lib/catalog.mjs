// Lists every peer: its name, the packages it needs and the program that runs it. bench/peers/run.mjs chooses from the list, install.mjs
// installs from it, and run-peer.mjs starts the programs. `family` is the kind of method ("gauss-newton" forms or uses J^T J,
// "quasi-newton" is L-BFGS, "first-order" is Adam, "own" another way of gaussflow, which is no rival). Peers marked `slow` are far from the fastest: on the common case they run once, on the
// common weights only, and --quick without --only leaves them out. Peers marked `uci` also take part in the comparison on the UCI sets
// (--uci), where `slow` makes no difference to the number of runs.
const python = (script, ...variant) => ({ python: script, variant });
const compiled = (source, libraries, ...variant) => ({ compiled: { source, libraries }, variant });
const node = (script, packages) => ({ node: script, npm: packages, variant: [] });

const numpyPackages = { modules: ["numpy", "scipy"], apt: ["python3-numpy", "python3-scipy"] };
const scikitPackages = { modules: ["sklearn"], apt: ["python3-sklearn"] };
const torchPackages = { modules: ["torch", "functorch"], apt: ["python3-torch"] };
const gslPackages = { apt: ["g++", "libgsl-dev", "libopenblas-dev"] };
const ceresPackages = { apt: ["g++", "libceres-dev", "libgoogle-glog-dev", "libgflags-dev", "libeigen3-dev"] };
const gsl = (...variant) => compiled("gsl_lm.cc", ["-lgsl", "-lopenblas"], ...variant);

export const gaussflow = {
  id: "gaussflow",
  title: "gaussflow, `train` with its defaults",
  ...node("gaussflow.mjs", []),
};

export const peers = [
  {
    id: "batch-start",
    title: "gaussflow, begun by an epoch on batches",
    family: "own",
    ...node("gaussflow.mjs", []),
    variant: ["batch-start"],
  },
  { id: "gsl-more", title: "GSL multilarge LM, scale more", family: "gauss-newton", ...gslPackages, ...gsl("more") },
  { id: "gsl-levenberg", title: "GSL, scale levenberg", family: "gauss-newton", ...gslPackages, ...gsl("levenberg") },
  { id: "gsl-marquardt", title: "GSL, scale marquardt", family: "gauss-newton", ...gslPackages, ...gsl("marquardt") },
  {
    id: "gsl-more-accel",
    title: "GSL, scale more, geodesic acceleration",
    family: "gauss-newton",
    uci: true,
    ...gslPackages,
    ...gsl("more", "accel"),
  },
  {
    id: "gsl-levenberg-accel",
    title: "GSL, scale levenberg, geodesic acceleration",
    family: "gauss-newton",
    ...gslPackages,
    ...gsl("levenberg", "accel"),
  },
  {
    id: "numpy-more",
    title: "numpy LM by hand, gain ratio, More scaling",
    family: "gauss-newton",
    uci: true,
    ...numpyPackages,
    ...python("numpy_lm.py", "more"),
  },
  {
    id: "numpy-identity",
    title: "numpy LM by hand, gain ratio, no scaling",
    family: "gauss-newton",
    ...numpyPackages,
    ...python("numpy_lm.py", "identity"),
  },
  {
    id: "numpy-trainlm",
    title: "numpy LM by hand, trainlm's rule",
    family: "gauss-newton",
    ...numpyPackages,
    ...python("numpy_lm.py", "trainlm"),
  },
  {
    id: "sklearn-lbfgs",
    title: "scikit-learn MLPRegressor, L-BFGS",
    family: "quasi-newton",
    uci: true,
    ...scikitPackages,
    ...python("sklearn_lbfgs.py"),
  },
  {
    id: "sklearn-lbfgs-f32",
    title: "scikit-learn MLPRegressor, L-BFGS, float32",
    family: "quasi-newton",
    ...scikitPackages,
    ...python("sklearn_lbfgs.py", "float32"),
  },
  {
    id: "torch-lbfgs",
    title: "PyTorch L-BFGS, strong Wolfe, history 50",
    family: "quasi-newton",
    uci: true,
    ...torchPackages,
    ...python("torch_train.py", "lbfgs"),
  },
  {
    id: "torch-lbfgs-f32",
    title: "PyTorch L-BFGS, float32",
    family: "quasi-newton",
    ...torchPackages,
    ...python("torch_train.py", "lbfgs", "float32"),
  },
  {
    id: "torch-lbfgs-f32-one",
    title: "PyTorch L-BFGS, float32, one thread",
    family: "quasi-newton",
    ...torchPackages,
    ...python("torch_train.py", "lbfgs", "float32", "threads=1"),
  },
  {
    id: "torch-adam",
    title: "PyTorch Adam, batches of 250, rate decayed over the cap",
    family: "first-order",
    uci: true,
    ...torchPackages,
    // Two threads make these small batches slower.
    ...python("torch_train.py", "adam", "threads=1"),
  },
  {
    id: "torch-adam-f32",
    title: "PyTorch Adam, float32",
    family: "first-order",
    ...torchPackages,
    ...python("torch_train.py", "adam", "float32", "threads=1"),
  },
  {
    id: "tfjs-adam",
    title: "TensorFlow.js (wasm) Adam, batches of 250",
    family: "first-order",
    slow: true,
    ...node("tfjs_adam.mjs", ["@tensorflow/tfjs@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0"]),
  },
  {
    id: "scipy-lsmr",
    title: "SciPy least_squares trf, lsmr",
    family: "gauss-newton",
    slow: true,
    ...numpyPackages,
    ...python("scipy_ls.py", "lsmr"),
  },
  {
    id: "scipy-trf",
    title: "SciPy least_squares trf",
    family: "gauss-newton",
    slow: true,
    uci: true,
    ...numpyPackages,
    ...python("scipy_ls.py", "trf"),
  },
  {
    id: "scipy-lm",
    title: "SciPy least_squares lm (MINPACK)",
    family: "gauss-newton",
    slow: true,
    ...numpyPackages,
    ...python("scipy_ls.py", "lm"),
  },
  {
    id: "ceres",
    title: "Ceres, DENSE_NORMAL_CHOLESKY, LAPACK",
    family: "gauss-newton",
    slow: true,
    ...ceresPackages,
    ...compiled("ceres_lm.cc", ["-isystem", "/usr/include/eigen3", "-lceres", "-lglog"]),
  },
  {
    id: "torch-lm",
    title: "PyTorch LM, functorch Jacobian, trainlm's rule",
    family: "gauss-newton",
    slow: true,
    ...torchPackages,
    ...python("torch_train.py", "lm"),
  },
  {
    id: "ml-lm",
    title: "ml-levenberg-marquardt, analytic Jacobian",
    family: "gauss-newton",
    slow: true,
    ...node("ml_lm.mjs", ["ml-levenberg-marquardt@5.1.0"]),
  },
];
