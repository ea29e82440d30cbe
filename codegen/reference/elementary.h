// SPDX-License-Identifier: Apache-2.0
// Elementary functions whose answers are the same bytes on every machine: only IEEE additions, multiplications and
// divisions in a fixed order, no table and no call of the C library. Within 2 ulp of the true value in double, so that
// a result rounded to float is right but for ties that no test can tell.
#pragma once

namespace llcuda::reference {

/// e^x; 0 below -745, infinity above 709.79, NaN for NaN.
double exponential(double x);

/// ln x for x > 0; -infinity for 0, NaN below.
double logarithm(double x);

double hyperbolicTangent(double x);

/// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
double errorFunction(double x);

/// |x| up to 2^22, which covers the angle of any position that a rope table has.
double sine(double x);
double cosine(double x);

} // namespace llcuda::reference
