// GSL's gsl_multilarge_nlinear: Levenberg-Marquardt on the normal equations, which its user forms:
// here with one OpenBLAS dsyrk on a Jacobian that is kept for the products GSL asks for.
//
//   gsl_lm FOLDER CAP_SECONDS TARGET_LOSS more|levenberg|marquardt [accel]
//
// `accel` is GSL's geodesic acceleration, with the exact second derivative (without one its
// multilarge solver takes zero).
#include <gsl/gsl_blas.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multilarge_nlinear.h>
#include <gsl/gsl_version.h>

#include <algorithm>
#include <cstring>

#include "mlp.h"

namespace {

struct Model {
  explicit Model(const peer::Problem& problem)
      : mlp(problem, 0, problem.samples),
        residuals(problem.samples),
        jacobian(problem.samples * problem.weights.size()),
        at(problem.weights.size()) {}

  peer::Mlp mlp;
  std::vector<double> residuals, jacobian, at;
  bool filled = false;
};

int Function(const gsl_vector* x, void* given, gsl_vector* f) {
  static_cast<Model*>(given)->mlp.Evaluate(x->data, f->data, nullptr);
  return GSL_SUCCESS;
}

int Derivative(CBLAS_TRANSPOSE_t transpose, const gsl_vector* x, const gsl_vector* u, void* given,
               gsl_vector* v, gsl_matrix* gram) {
  Model& model = *static_cast<Model*>(given);
  if (!model.filled || !std::equal(model.at.begin(), model.at.end(), x->data)) {
    model.filled = true;
    model.mlp.Evaluate(x->data, model.residuals.data(), model.jacobian.data());
    std::copy(x->data, x->data + x->size, model.at.begin());
  }
  const gsl_matrix_view J =
      gsl_matrix_view_array(model.jacobian.data(), model.residuals.size(), model.at.size());
  if (v) gsl_blas_dgemv(transpose, 1, &J.matrix, u, 0, v);
  if (gram) gsl_blas_dsyrk(CblasLower, CblasTrans, 1, &J.matrix, 0, gram);
  return GSL_SUCCESS;
}

int Second(const gsl_vector* x, const gsl_vector* v, void* given, gsl_vector* fvv) {
  static_cast<Model*>(given)->mlp.SecondDerivative(x->data, v->data, fvv->data);
  return GSL_SUCCESS;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) {
    std::fprintf(stderr, "usage: %s FOLDER CAP TARGET more|levenberg|marquardt [accel]\n",
                 arguments[0]);
    return 2;
  }
  const peer::Problem problem(arguments[1]);
  peer::Record record(std::atof(arguments[2]), std::atof(arguments[3]));
  const std::string scale = arguments[4];
  const bool accelerated = count > 5 && std::strcmp(arguments[5], "accel") == 0;
  if (problem.samples < problem.weights.size()) {
    std::fprintf(stderr, "GSL takes no problem with fewer samples than parameters\n");
    return 1;
  }
  std::printf("version GSL %s\n", gsl_version);
  gsl_set_error_handler_off();

  record.Start();
  Model model(problem);
  gsl_multilarge_nlinear_fdf system = {};
  system.f = Function;
  system.df = Derivative;
  if (accelerated) system.fvv = Second;
  system.n = problem.samples;
  system.p = problem.weights.size();
  system.params = &model;
  gsl_multilarge_nlinear_parameters parameters = gsl_multilarge_nlinear_default_parameters();
  parameters.trs = accelerated ? gsl_multilarge_nlinear_trs_lmaccel : gsl_multilarge_nlinear_trs_lm;
  parameters.solver = gsl_multilarge_nlinear_solver_cholesky;
  if (scale == "more")
    parameters.scale = gsl_multilarge_nlinear_scale_more;
  else if (scale == "levenberg")
    parameters.scale = gsl_multilarge_nlinear_scale_levenberg;
  else if (scale == "marquardt")
    parameters.scale = gsl_multilarge_nlinear_scale_marquardt;
  else {
    std::fprintf(stderr, "no scale is named %s\n", scale.c_str());
    return 2;
  }
  gsl_multilarge_nlinear_workspace* work =
      gsl_multilarge_nlinear_alloc(gsl_multilarge_nlinear_trust, &parameters, system.n, system.p);
  const gsl_vector_const_view start =
      gsl_vector_const_view_array(problem.weights.data(), problem.weights.size());
  int status = work ? gsl_multilarge_nlinear_init(&start.vector, &system, work) : GSL_ENOMEM;
  for (int iteration = 0; status == GSL_SUCCESS; iteration++) {
    const double norm = gsl_blas_dnrm2(gsl_multilarge_nlinear_residual(work));
    if (!record.Loss(iteration, norm * norm / double(problem.samples))) break;
    status = gsl_multilarge_nlinear_iterate(work);
  }
  if (status != GSL_SUCCESS) record.reason = std::string("stopped itself: ") + gsl_strerror(status);
  record.End();
  return 0;
}
