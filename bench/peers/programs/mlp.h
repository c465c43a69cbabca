// What the compiled peers share: the problem's files, residuals and Jacobian of a tanh network with
// one output, the clock and the protocol (peer.py and bench/peers/lib/protocol.mjs say them in
// full).
#pragma once
#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace peer {

using Clock = std::chrono::steady_clock;

struct Problem {
  size_t samples = 0;
  std::vector<size_t> layers;
  std::vector<double> inputs, targets, weights;

  explicit Problem(const std::string& folder) {
    std::ifstream shape(folder + "/shape");
    shape >> samples;
    for (size_t size; shape >> size;) layers.push_back(size);
    inputs = Read(folder + "/inputs");
    targets = Read(folder + "/targets");
    weights = Read(folder + "/weights");
    size_t count = 0;
    for (size_t l = 0; l + 1 < layers.size(); l++) count += (layers[l] + 1) * layers[l + 1];
    if (layers.size() < 2 || layers.back() != 1 || inputs.size() != samples * layers[0] ||
        targets.size() != samples || weights.size() != count) {
      std::fprintf(stderr, "%s: no consistent problem with one output\n", folder.c_str());
      std::exit(2);
    }
  }

 private:
  static std::vector<double> Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    std::vector<double> values(file ? size_t(file.tellg()) / sizeof(double) : 0);
    file.seekg(0);
    file.read(reinterpret_cast<char*>(values.data()), values.size() * sizeof(double));
    return values;
  }
};

// Passes over the samples [first, last), a block at a time so that the activations stay in cache.
// The inner loops run over the units of a layer: the compiler vectorizes them, tanh included.
class Mlp {
 public:
  Mlp(const Problem& problem, size_t first, size_t last)
      : problem_(problem), first_(first), last_(last) {
    for (size_t size : problem.layers) {
      for (auto* buffers : {&values_, &deltas_, &firsts_, &seconds_}) buffers->emplace_back(size);
    }
  }

  // Second derivative of the residuals along v: each layer carries the value h, its first and
  // second derivative t and s along v, by the chain rule.
  void SecondDerivative(const double* w, const double* v, double* result) {
    const auto& layers = problem_.layers;
    const size_t depth = layers.size() - 1;
    for (size_t i = first_; i < last_; i++) {
      const double* x = &problem_.inputs[i * layers[0]];
      std::copy(x, x + layers[0], values_[0].begin());
      std::fill(firsts_[0].begin(), firsts_[0].end(), 0.0);
      std::fill(seconds_[0].begin(), seconds_[0].end(), 0.0);
      const double *at = w, *along = v;
      for (size_t l = 0; l < depth; l++) {
        const size_t a = layers[l], b = layers[l + 1];
        const double *h = values_[l].data(), *t = firsts_[l].data(), *s = seconds_[l].data();
        double *z = values_[l + 1].data(), *zt = firsts_[l + 1].data(),
               *zs = seconds_[l + 1].data();
        for (size_t j = 0; j < b; j++) {
          z[j] = at[a * b + j];
          zt[j] = along[a * b + j];
          zs[j] = 0;
        }
        for (size_t k = 0; k < a; k++)
          for (size_t j = 0; j < b; j++) {
            z[j] += h[k] * at[k * b + j];
            zt[j] += t[k] * at[k * b + j] + h[k] * along[k * b + j];
            zs[j] += s[k] * at[k * b + j] + 2 * t[k] * along[k * b + j];
          }
        if (l + 1 < depth)
          for (size_t j = 0; j < b; j++) {
            z[j] = std::tanh(z[j]);
            const double slope = 1 - z[j] * z[j];
            zs[j] = slope * (zs[j] - 2 * z[j] * zt[j] * zt[j]);
            zt[j] *= slope;
          }
        at += (a + 1) * b;
        along += (a + 1) * b;
      }
      result[i - first_] = seconds_[depth][0];
    }
  }

  // residuals[i - first]; where `jacobian` is not null also its rows, row-major with p columns.
  void Evaluate(const double* w, double* residuals, double* jacobian) {
    const auto& layers = problem_.layers;
    const size_t depth = layers.size() - 1, p = problem_.weights.size();
    for (size_t i = first_; i < last_; i++) {
      const double* x = &problem_.inputs[i * layers[0]];
      std::copy(x, x + layers[0], values_[0].begin());
      const double* at = w;
      for (size_t l = 0; l < depth; l++) {
        const size_t a = layers[l], b = layers[l + 1];
        const double* in = values_[l].data();
        double* out = values_[l + 1].data();
        for (size_t j = 0; j < b; j++) out[j] = at[a * b + j];
        for (size_t k = 0; k < a; k++)
          for (size_t j = 0; j < b; j++) out[j] += in[k] * at[k * b + j];
        if (l + 1 < depth)
          for (size_t j = 0; j < b; j++) out[j] = std::tanh(out[j]);
        at += (a + 1) * b;
      }
      residuals[i - first_] = values_[depth][0] - problem_.targets[i];
      if (jacobian) Row(w, jacobian + (i - first_) * p);
    }
  }

 private:
  void Row(const double* w, double* row) {
    const auto& layers = problem_.layers;
    const size_t depth = layers.size() - 1;
    size_t end = problem_.weights.size();
    deltas_[depth][0] = 1;
    for (size_t l = depth; l-- > 0;) {
      const size_t a = layers[l], b = layers[l + 1], at = end - (a + 1) * b;
      const double* in = values_[l].data();
      const double* delta = deltas_[l + 1].data();
      for (size_t k = 0; k < a; k++)
        for (size_t j = 0; j < b; j++) row[at + k * b + j] = in[k] * delta[j];
      for (size_t j = 0; j < b; j++) row[at + a * b + j] = delta[j];
      if (l > 0) {
        double* below = deltas_[l].data();
        for (size_t k = 0; k < a; k++) {
          double sum = 0;
          for (size_t j = 0; j < b; j++) sum += w[at + k * b + j] * delta[j];
          below[k] = (1 - in[k] * in[k]) * sum;
        }
      }
      end = at;
    }
  }

  const Problem& problem_;
  size_t first_, last_;
  std::vector<std::vector<double>> values_, deltas_, firsts_, seconds_;
};

class Record {
 public:
  Record(double cap, double target) : cap_(cap), target_(target) {}

  void Start() { began_ = Clock::now(); }
  double Seconds() const { return std::chrono::duration<double>(Clock::now() - began_).count(); }

  // Prints a loss; whether to go on. Why not: `reason`.
  bool Loss(int iteration, double loss) {
    const double seconds = Seconds();
    std::printf("loss %.6f %d %.12e\n", seconds, iteration, loss);
    std::fflush(stdout);
    if (!Finite(loss))
      reason = "not finite";
    else if (loss <= target_)
      reason = "target";
    else if (seconds > cap_)
      reason = "cap";
    return reason.empty();
  }
  void End() const { std::printf("end %s\n", reason.c_str()); }

  std::string reason;

 private:
  // By the bits: -ffast-math, without which the compiler has no vector tanh, folds isfinite away.
  static bool Finite(double value) {
    return (std::bit_cast<uint64_t>(value) >> 52 & 0x7ff) != 0x7ff;
  }

  double cap_, target_;
  Clock::time_point began_;
};

}  // namespace peer
