// The smallest test kit that says what failed: CHECK prints the expression and the numbers, and
// main returns the count.
#ifndef GAUSSFLOW_TEST_CHECK_H_
#define GAUSSFLOW_TEST_CHECK_H_

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "architecture.h"

namespace gaussflow::test {

inline int failures = 0;

#define CHECK(condition, ...)                                              \
  do {                                                                     \
    if (!(condition)) {                                                    \
      ++gaussflow::test::failures;                                         \
      std::printf("%s:%d: %s is false; ", __FILE__, __LINE__, #condition); \
      std::printf(__VA_ARGS__);                                            \
      std::printf("\n");                                                   \
    }                                                                      \
  } while (false)

inline int Finish() {
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}

// GAUSSFLOW_TEST_SMALL=1 leaves the large sizes out, for emulators.
inline bool Small() {
  const char* text = std::getenv("GAUSSFLOW_TEST_SMALL");
  return text != nullptr && *text == '1';
}

using Vector = std::vector<double>;

// The largest absolute value.
inline double Largest(const Vector& a) {
  double top = 0.0;
  for (const double value : a) top = std::fmax(top, std::fabs(value));
  return top;
}

class Draw {
 public:
  explicit Draw(unsigned seed) : generator_(seed) {}
  double Normal() { return normal_(generator_); }
  Vector Normals(size_t count, double scale = 1.0) {
    Vector values(count);
    for (double& value : values) value = scale * Normal();
    return values;
  }

 private:
  std::mt19937 generator_;
  std::normal_distribution<double> normal_;
};

// sizes = { inputs, hidden ..., outputs }; the last layer is linear; the second layer has a factor,
// as in the NTK form.
inline Architecture MakeNet(const std::vector<size_t>& sizes, Activation activation, bool bias,
                            double output_scale) {
  Architecture net;
  size_t offset = 0;
  for (size_t l = 0; l + 1 < sizes.size(); ++l) {
    Layer layer;
    layer.inputs = sizes[l];
    layer.outputs = sizes[l + 1];
    layer.activation = l + 2 == sizes.size() ? Activation::kIdentity : activation;
    layer.bias = bias;
    layer.factor = l == 1 ? 0.7 : 1.0;
    layer.weight_offset = offset;
    layer.bias_offset = offset + sizes[l] * sizes[l + 1];
    offset += layer.parameter_count();
    net.layers.push_back(layer);
  }
  net.input_size = sizes.front();
  net.output_size = sizes.back();
  net.parameter_count = offset;
  net.output_scale = output_scale;
  return net;
}

}  // namespace gaussflow::test

#endif  // GAUSSFLOW_TEST_CHECK_H_
