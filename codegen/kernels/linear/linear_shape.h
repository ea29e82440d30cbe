// SPDX-License-Identifier: Apache-2.0
// Shapes and weights of linears, few rows or many: their template arguments. y [m][n] of x [m][k] and a weight [n][k]:
// M rows of x, N outputs, K inputs, in every linear.
#pragma once

#include "codegen/formats/weight_layout.h"

namespace llcuda {

struct LinearShape {
  int m, n, k;
};

/// The three linears of queries, keys and values.
struct QkvLinearShape {
  int m;
  int qN, kvN; ///< outputs of q, and of k and v each
  int k;
};

struct QkvWeights {
  WeightLayout q, k, v;
};

struct GluWeights {
  WeightLayout gate, up;
};

} // namespace llcuda
