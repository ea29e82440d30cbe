// SPDX-License-Identifier: Apache-2.0
// Parameters of a kernel and the call that passes them on, in one pass.
#pragma once

#include <string>
#include <utility>

#include "codegen/formats/activation.h"
#include "codegen/formats/weight_layout.h"
#include "codegen/spec/kernel_spec.h"

namespace llcuda::codegen {

class CallBuilder {
public:
  explicit CallBuilder(KernelSpec& kernel) : kernel(kernel) {}

  /// A parameter of the kernel that is handed to the call; where `present` is false the call gets nullptr.
  void input(const char* name, const char* type, bool present = true) { add(name, type, Access::kRead, present); }
  void output(const char* name, const char* type, bool present = true) { add(name, type, Access::kWrite, present); }
  void inOut(const char* name, const char* type, bool present = true) { add(name, type, Access::kReadWrite, present); }
  /// x, x_codes and x_scales: what layouts that read f32 rows, and those that read int8 rows, need.
  void inputRows(bool f32, bool int8) {
    input("x", "const float*", f32);
    input("x_codes", "const int8_t*", int8);
    input("x_scales", "const float2*", int8);
  }
  /// <prefix>, <prefix>_codes and <prefix>_scales: the forms in which rows are emitted.
  void outputRows(const std::string& prefix, bool f32, bool int8) {
    output(prefix.c_str(), "float*", f32);
    output((prefix + "_codes").c_str(), "int8_t*", int8);
    output((prefix + "_scales").c_str(), "float2*", int8);
  }
  void value(const std::string& text) { append(text); }

  /// Sets the kernel's call: `function` with its template arguments.
  void call(const std::string& function) { kernel.call = function + "(" + arguments + ")"; }

private:
  void add(const char* name, const char* type, Access access, bool present) {
    if (present)
      kernel.params.push_back({name, type, access});
    append(present ? name : "nullptr");
  }
  void append(const std::string& text) { arguments += (arguments.empty() ? "" : ", ") + text; }

  KernelSpec& kernel;
  std::string arguments;
};

/// The enumerator as kernels write it.
std::string layoutText(WeightLayout layout);
std::string activationText(Activation activation);

/// The bits of a constant, for a name: "3727c5ac".
std::string bitsText(float value);

} // namespace llcuda::codegen
