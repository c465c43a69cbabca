// Ceres Solver: Levenberg-Marquardt, DENSE_NORMAL_CHOLESKY through LAPACK; its stop tests are set
// to nothing, all else is its default. The residuals are cut into blocks so that its threads share
// the Jacobian.
//
//   ceres_lm FOLDER CAP_SECONDS TARGET_LOSS
#include <ceres/ceres.h>

#include <algorithm>
#include <memory>

#include "mlp.h"

namespace {

class Block : public ceres::CostFunction {
 public:
  Block(const peer::Problem& problem, size_t first, size_t last) : mlp_(problem, first, last) {
    set_num_residuals(int(last - first));
    mutable_parameter_block_sizes()->push_back(int(problem.weights.size()));
  }
  // Ceres evaluates one block in one thread at a time, so the pass's own buffers are enough.
  bool Evaluate(double const* const* parameters, double* residuals,
                double** jacobians) const override {
    mlp_.Evaluate(parameters[0], residuals, jacobians ? jacobians[0] : nullptr);
    return true;
  }

 private:
  mutable peer::Mlp mlp_;
};

class Watch : public ceres::IterationCallback {
 public:
  Watch(peer::Record& record, size_t samples) : record_(record), samples_(samples) {}
  ceres::CallbackReturnType operator()(const ceres::IterationSummary& summary) override {
    // Its cost is half the sum of squares: after a rejected step that of the trial, a higher one.
    return record_.Loss(summary.iteration, 2 * summary.cost / double(samples_))
               ? ceres::SOLVER_CONTINUE
               : ceres::SOLVER_TERMINATE_SUCCESSFULLY;
  }

 private:
  peer::Record& record_;
  size_t samples_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) {
    std::fprintf(stderr, "usage: %s FOLDER CAP TARGET\n", arguments[0]);
    return 2;
  }
  google::InitGoogleLogging(arguments[0]);
  const peer::Problem data(arguments[1]);
  peer::Record record(std::atof(arguments[2]), std::atof(arguments[3]));
  std::printf("version Ceres %s\n", CERES_VERSION_STRING);

  record.Start();
  std::vector<double> weights = data.weights;
  ceres::Problem problem;
  const size_t blocks = std::min<size_t>(20, data.samples);
  for (size_t k = 0; k < blocks; k++) {
    const size_t first = data.samples * k / blocks, last = data.samples * (k + 1) / blocks;
    problem.AddResidualBlock(new Block(data, first, last), nullptr, weights.data());
  }
  ceres::Solver::Options options;
  options.linear_solver_type = ceres::DENSE_NORMAL_CHOLESKY;
  options.dense_linear_algebra_library_type = ceres::LAPACK;
  options.num_threads = 2;
  options.max_num_iterations = 1000000;
  options.function_tolerance = options.gradient_tolerance = options.parameter_tolerance = 0;
  options.minimizer_progress_to_stdout = false;
  options.logging_type = ceres::SILENT;
  Watch watch(record, data.samples);
  options.callbacks.push_back(&watch);
  ceres::Solver::Summary summary;
  ceres::Solve(options, &problem, &summary);
  if (record.reason.empty()) record.reason = "stopped itself: " + summary.message;
  record.End();
  return 0;
}
