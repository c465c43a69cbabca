// The Gram builder against J^T J with explicit rows of J, in double and in float: blocks of
// samples, deep and narrow networks, several outputs, badly scaled units, threads. And its product
// of panels against plain sums.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "check.h"
#include "curvature/gram_builder.h"
#include "dataset.h"
#include "pair_product.h"

using namespace gaussflow;
using namespace gaussflow::test;

namespace {

struct Case {
  std::vector<size_t> sizes;
  bool bias;
  size_t samples;
};

// Every entry is a sum of m products of four numbers of precision eps (u = eps/2 a rounding: two
// for the operands in float, one for each kind of pair, one for the product): at most
// (m + 4) eps/2 times the sum of the absolute products, which Cauchy and Schwarz bound by
// sqrt(G_ii G_jj). The sum over outputs is inside of m.
template <typename T>
void TestAgainstRows(const Case& c, bool badly_scaled, unsigned seed) {
  Draw draw(seed);
  const Architecture net = MakeNet(c.sizes, Activation::kTanh, c.bias, 1.3);
  const size_t n = c.samples, p = net.parameter_count, m = n * net.output_size;
  Vector x = draw.Normals(n * net.input_size), y = draw.Normals(m), w = draw.Normals(p, 0.6);
  if (badly_scaled) {
    // Inputs of 1e+30 behind weights of 1e-30: squares of products overflow a float, and G does
    // not.
    for (size_t i = 0; i < n; ++i) x[i * net.input_size] *= 1e30;
    for (size_t o = 0; o < net.layers[0].outputs; ++o) w[o * net.input_size] *= 1e-30;
  }
  Dataset data;
  CHECK(data.Set(n, net.input_size, net.output_size, x.data(), y.data(), nullptr).ok(), "data");
  Tangents tangents(net, data, 2);
  std::vector<Vector> results;
  Vector jacobian(m * p), scales(p, 1.0);
  for (const int threads : {1, 2, 3}) {
    GramBuilder<T> builder(net, threads);
    SymmetricMatrixOf<T> g;
    CHECK(g.Reserve(p), "memory");
    std::fill_n(g.upper(), p * p, std::numeric_limits<T>::quiet_NaN());
    const size_t block = n > 100 ? 100 : n;
    for (size_t first = 0; first < n; first += block) {
      const size_t count = std::min(block, n - first);
      CHECK(tangents.Compute(w.data(), first, count, true, {}).ok(), "passes");
      if (first == 0) builder.Measure(tangents);
      CHECK(builder.Add(tangents, first == 0, {}, g.columns()).ok(), "gram");
      Vector columns(count * net.output_size * p);
      tangents.WriteColumns(columns.data());
      for (size_t j = 0; j < p; ++j)
        std::copy_n(columns.data() + j * count * net.output_size, count * net.output_size,
                    jacobian.data() + j * m + first * net.output_size);
    }
    builder.Scales(scales.data());
    Vector result(p * p, 0.0);
    for (size_t j = 0; j < p; ++j)
      for (size_t i = 0; i <= j; ++i) result[j * p + i] = static_cast<double>(g.at(i, j));
    results.push_back(result);
  }
  Vector squares(p, 0.0);
  const auto product = [&](size_t i, size_t j) {
    double sum = 0.0;
    for (size_t r = 0; r < m; ++r)
      sum += (scales[i] * jacobian[i * m + r]) * (scales[j] * jacobian[j * m + r]);
    return sum;
  };
  for (size_t j = 0; j < p; ++j) squares[j] = product(j, j);
  const double unit =
      static_cast<double>(m + 4) * static_cast<double>(std::numeric_limits<T>::epsilon());
  double worst = 0.0;
  for (size_t j = 0; j < p; ++j) {
    for (size_t i = 0; i <= j; ++i) {
      const double error = std::fabs(results[0][j * p + i] - product(i, j));
      const double bound = unit * std::sqrt(squares[i]) * std::sqrt(squares[j]);
      worst = std::fmax(worst, std::isfinite(error) ? error - bound : HUGE_VAL);
    }
  }
  CHECK(worst <= 0.0, "%zu layers, %zu samples, %zu bytes: beyond the bound by %g",
        net.layers.size(), n, sizeof(T), worst);
  CHECK(results[0] == results[1] && results[0] == results[2], "threads change the Gram matrix");
  if (std::is_same_v<T, double>) return;
  for (size_t j = 0; j < p; ++j) {
    int exponent = 0;
    CHECK(std::frexp(scales[j], &exponent) == 0.5, "scale %zu is no power of two: %g", j,
          scales[j]);
  }
}

// Groups of columns, each formed by itself, are the columns of the whole matrix, bit by bit.
void TestGroups(const Case& c, size_t room) {
  Draw draw(31);
  const Architecture net = MakeNet(c.sizes, Activation::kTanh, c.bias, 1.3);
  const size_t n = c.samples, p = net.parameter_count;
  const Vector x = draw.Normals(n * net.input_size), y = draw.Normals(n * net.output_size);
  const Vector w = draw.Normals(p, 0.6);
  Dataset data;
  CHECK(data.Set(n, net.input_size, net.output_size, x.data(), y.data(), nullptr).ok(), "data");
  Tangents tangents(net, data, 2);
  CHECK(tangents.Compute(w.data(), 0, n, true, {}).ok(), "passes");
  GramBuilder<double> builder(net, 2);
  SymmetricMatrix g;
  CHECK(g.Reserve(p), "memory");
  CHECK(builder.Add(tangents, true, {}, g.columns()).ok(), "gram");
  const std::vector<ColumnRange> groups = GramBuilder<double>::Groups(net, room);
  CHECK(groups.size() > 1 && groups.front().first == 0 && groups.back().end == p, "groups");
  GramBuilder<double> parts(net, 2);
  size_t next = 0, different = 0;
  for (const auto [first, end] : groups) {
    CHECK(first == next && first < end, "a group from %zu, not %zu", first, next);
    next = end;
    Vector values((end - first) * end, 0.0);
    const ColumnsOf<double> panel = {values.data(), end, {first, end}};
    CHECK(parts.Add(tangents, false, {}, panel).ok(), "group");
    for (size_t j = first; j < end; ++j) {
      for (size_t i = 0; i <= j; ++i) different += panel.column(j)[i] == g.at(i, j) ? 0 : 1;
      for (size_t i = j + 1; i < end; ++i) different += panel.column(j)[i] == 0.0 ? 0 : 1;
    }
  }
  CHECK(different == 0, "%zu groups: %zu entries differ", groups.size(), different);
}

template <typename T>
void TestProduct(size_t right_groups, size_t left_groups, size_t samples) {
  constexpr size_t kLanes = PanelShape<T>::kLanes;
  Draw draw(7);
  const PanelShape<T> right{right_groups, 3, 20}, left{left_groups, 1, 20};
  BufferOf<T> r, l, values;
  const size_t rows = right_groups * kLanes, columns = left_groups * kLanes;
  CHECK(r.Reserve(right.Size()) && l.Reserve(left.Size()) && values.Reserve(rows * columns),
        "memory");
  const auto fill = [&](BufferOf<T>& buffer) {
    for (size_t i = 0; i < buffer.size(); ++i) buffer.data()[i] = static_cast<T>(draw.Normal());
  };
  fill(r);
  fill(l);
  fill(values);
  const std::vector<T> before(values.data(), values.data() + rows * columns);
  const auto at = [&](const PanelShape<T>& shape, const T* data, size_t vector, size_t i) {
    const size_t panel = vector / (shape.wide * kLanes), lane = vector % (shape.wide * kLanes);
    return static_cast<double>(
        data[panel * shape.Stride() + i * shape.Width(panel) * kLanes + lane]);
  };
  PairProduct(right, r.data(), left, l.data(), samples, true, values.data(), rows);
  double worst = 0.0;
  for (size_t b = 0; b < columns; ++b) {
    for (size_t a = 0; a < rows; ++a) {
      double sum = static_cast<double>(before[b * rows + a]), size = std::fabs(sum);
      for (size_t i = 0; i < samples; ++i) {
        const double term = at(right, r.data(), a, i) * at(left, l.data(), b, i);
        sum += term;
        size += std::fabs(term);
      }
      worst = std::fmax(worst,
                        std::fabs(static_cast<double>(values.data()[b * rows + a]) - sum) / size);
    }
  }
  const double bound =
      static_cast<double>(samples + 2) * static_cast<double>(std::numeric_limits<T>::epsilon());
  CHECK(worst <= bound, "%zu x %zu groups: %g > %g", right_groups, left_groups, worst, bound);
}

template <typename T>
void TestAll() {
  // 3 x 40: cut runs and several tiles; one unit; no hidden layer; three layers and two outputs.
  const Case cases[] = {{{3, 40, 40, 1}, true, 130},
                        {{2, 1, 1}, true, 5},
                        {{4, 3}, true, 70},
                        {{3, 7, 5, 6, 2}, true, 210},
                        {{5, 9, 3}, false, 64}};
  for (const Case& c : cases) TestAgainstRows<T>(c, false, 11);
  TestAgainstRows<T>(cases[4], true, 12);
  for (const size_t right : {1, 2, 3, 4, 5})
    for (const size_t left : {1, 3}) TestProduct<T>(right, left, right == 3 ? 1 : 19);
}

}  // namespace

int main() {
  TestAll<double>();
  TestAll<float>();
  for (const size_t room : {1, 700, 20000}) {
    TestGroups({{3, 40, 40, 1}, true, 130}, room);
    TestGroups({{3, 7, 5, 6, 2}, true, 210}, room < 700 ? room : room / 100);
    TestGroups({{5, 9, 3}, false, 64}, room < 700 ? room : room / 100);
  }
  return Finish();
}
