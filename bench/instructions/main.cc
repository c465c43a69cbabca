// One kernel after the other for callgrind, which counts what runs inside Measured: see
// bench/instructions.mjs. One thread, fixed data; what is allocated on the first call is not
// counted.
#include <cstdio>
#include <functional>
#include <string>

#include "../../native/test/check.h"
#include "activations.h"
#include "blas.h"
#include "cholesky.h"
#include "curvature/gram_builder.h"
#include "curvature/kernel_builder.h"
#include "products.h"
#include "tangents.h"

using namespace gaussflow;
using namespace gaussflow::test;

// By this name callgrind switches counting on.
extern "C" __attribute__((noinline)) void Measured(const std::function<Status()>& work) {
  const Status status = work();
  CHECK(status.ok(), "the kernel failed");
}

namespace {

struct Problem {
  Problem(const std::vector<size_t>& sizes, size_t n)
      : net(MakeNet(sizes, Activation::kTanh, true, 1.0)), tangents(net, data, 1) {
    Draw draw(1);
    const Vector inputs = draw.Normals(n * net.input_size);
    const Vector targets = draw.Normals(n * net.output_size);
    parameters = draw.Normals(net.parameter_count, 0.3);
    CHECK(data.Set(n, net.input_size, net.output_size, inputs.data(), targets.data(), nullptr).ok(),
          "data");
    CHECK(tangents.Compute(parameters.data(), 0, n, true, {}).ok(), "passes");
  }
  Architecture net;
  Dataset data;
  Tangents tangents;
  Vector parameters;
};

void Twice(const std::function<Status()>& work) {
  CHECK(work().ok(), "the kernel failed");
  Measured(work);
}

void Run(const std::string& name) {
  if (name == "passes") {
    Problem at({8, 32, 32, 1}, 512);
    Twice([&] { return at.tangents.Compute(at.parameters.data(), 0, 512, true, {}); });
  } else if (name == "gram") {
    Problem at({8, 32, 32, 1}, 512);
    GramBuilder<double> builder(at.net, 1);
    SymmetricMatrix g;
    CHECK(g.Reserve(at.net.parameter_count), "memory");
    Twice([&] { return builder.Add(at.tangents, true, {}, g.columns()); });
  } else if (name == "kernel") {
    Problem at({8, 64, 64, 1}, 500);
    KernelBuilder builder(at.net, 1);
    SymmetricMatrix k;
    CHECK(k.Reserve(500), "memory");
    Twice([&] { return builder.Form(at.tangents, nullptr, {}, &k); });
  } else if (name == "cholesky") {
    constexpr size_t n = 800;
    Vector a(n * n, 0.0);
    Twice([&] {
      for (size_t j = 0; j < n; ++j)
        for (size_t i = j; i < n; ++i)
          a[j * n + i] = i == j ? 2.0 * n : static_cast<double>((7 * i + 3 * j) % 11) / 11.0;
      return Cholesky(n, a.data(), n, 1, {});
    });
  } else if (name == "products") {
    Problem at({8, 64, 64, 2}, 512);
    SlotTree tree;
    Products products(at.net, at.data, 1, tree);
    products.SetParameters(at.parameters.data());
    const Vector vectors = Draw(2).Normals(4 * at.net.parameter_count);
    Vector out(vectors.size());
    Twice([&] { return products.Gram(4, vectors.data(), {}, out.data()); });
  } else if (name == "activations") {
    const Vector points = Draw(3).Normals(4096, 2.0);
    Vector values, slopes(points.size());
    Twice([&] {
      for (int code = 0; code < kActivationCount; ++code) {
        values = points;
        Activate(static_cast<Activation>(code), values.size(), values.data(), slopes.data());
      }
      return Status::Ok();
    });
  } else {
    CHECK(false, "no kernel is named %s", name.c_str());
  }
}

}  // namespace

int main(int count, char** arguments) {
  blas::HoldToOneThread();
  if (count == 2) Run(arguments[1]);
  return count == 2 && failures == 0 ? 0 : 1;
}
