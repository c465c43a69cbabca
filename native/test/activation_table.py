# Makes activation_table.h: python3 native/test/activation_table.py > native/test/activation_table.h (needs mpmath 1.3).
# Values and derivatives to 60 digits, each as the sum of two doubles, so that the table itself is exact to 2^-106.
from mpmath import mp, mpf, erf, erfc, exp, log1p, sin, cos, tanh, sqrt, pi

mp.dps = 400  # e^-740 and cancellation in the tails leave more than 60 good digits


def sigmoid(z):
    return 1 / (1 + exp(-z))


FUNCTIONS = [
    ("kTanh", tanh, lambda z: 1 - tanh(z) ** 2),
    ("kLogistic", sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    ("kSoftplus", lambda z: log1p(exp(z)) if z < 0 else z + log1p(exp(-z)), sigmoid),
    ("kSilu", lambda z: z * sigmoid(z), lambda z: sigmoid(z) * (1 + z * sigmoid(-z))),
    ("kGelu", lambda z: z * erfc(-z / sqrt(2)) / 2, lambda z: erfc(-z / sqrt(2)) / 2 + z * exp(-z * z / 2) / sqrt(2 * pi)),
    ("kErf", erf, lambda z: 2 / sqrt(pi) * exp(-z * z)),
    ("kSin", sin, cos),
]
SIZES = [1e-300, 1e-17, 3e-9, 1e-4, 0.01, 0.1, 0.17, 0.25, 0.35, 0.5, 0.693, 0.87, 1.0, 1.3, 1.7, 2.2, 2.9, 3.7, 4.6, 5.5, 6.4, 7.6]
SIZES += [8.8, 12.6, 17.0, 19.5, 25.0, 36.7, 40.0, 100.0, 350.0, 700.0, 707.5, 709.5, 715.0, 740.0]


def pair(x):
    high = float(x)
    return f"{high.hex()}, {float(x - mpf(high)).hex()}"


print("// Made by activation_table.py: z, and value and derivative as sums of two doubles.")
print("#ifndef GAUSSFLOW_TEST_ACTIVATION_TABLE_H_\n#define GAUSSFLOW_TEST_ACTIVATION_TABLE_H_\n")
print('#include "activations.h"\n\nnamespace gaussflow::test {\n')
print("struct ActivationRow {\n  Activation activation;\n  double z, value, value_rest, slope, slope_rest;\n};\n")
print("// clang-format off\nconstexpr ActivationRow kActivationTable[] = {")
for name, value, slope in FUNCTIONS:
    for size in [0.0] + SIZES:
        rows = [
            f"{{Activation::{name}, {z.hex()}, {pair(value(mpf(z)))}, {pair(slope(mpf(z)))}}},"
            for z in ([size, -size] if size else [0.0])
        ]
        print("    " + " ".join(rows))
print("};\n// clang-format on\n\n}  // namespace gaussflow::test\n\n#endif  // GAUSSFLOW_TEST_ACTIVATION_TABLE_H_")
