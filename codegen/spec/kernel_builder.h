// SPDX-License-Identifier: Apache-2.0
// How a KernelSpec is made: every constant is said once, with its name, and stands in the kernel's name and in its
// call.
#pragma once

#include <string>
#include <vector>

#include "codegen/spec/constant.h"
#include "codegen/spec/kernel_spec.h"

namespace llcuda::codegen {

class KernelBuilder {
public:
  KernelBuilder(std::string op, std::string header);

  /// Template arguments, the next part of the kernel's name.
  KernelBuilder& constants(const Constants& list);
  /// One template argument, a struct of named constants: group("RowShape", {{"columns", number("c", 576)}}).
  KernelBuilder& group(const std::string& type, const Members& members);
  /// An argument of the call that is no parameter.
  KernelBuilder& value(const Constant& constant);

  /// A parameter of the kernel that is handed to the call; where `present` is false the call gets nullptr.
  KernelBuilder& input(const std::string& name, const char* type, bool present = true);
  KernelBuilder& output(const std::string& name, const char* type, bool present = true);
  KernelBuilder& inOut(const std::string& name, const char* type, bool present = true);
  /// x, x_codes and x_scales: what layouts that read f32 rows, and those that read int8 rows, need.
  KernelBuilder& inputRows(bool f32, bool int8);
  /// x_halves and x_half_scales, which linears of many rows read besides.
  KernelBuilder& inputHalfRows(bool present);
  /// <prefix>, <prefix>_codes and <prefix>_scales: the forms in which rows are emitted.
  KernelBuilder& outputRows(const std::string& prefix, bool f32, bool int8);
  /// <prefix>_halves and <prefix>_half_scales, which a call has only where rows are emitted as f16 rows.
  KernelBuilder& outputHalfRows(const std::string& prefix, bool present);
  /// What is added between them is one argument of the call, a struct; `type` is named where the call deduces it.
  KernelBuilder& open(const std::string& type = "");
  KernelBuilder& close();

  /// The kernel that calls `function`.
  KernelSpec build(const std::string& function, uint32_t threads, uint32_t minBlocksPerSm = 1);

private:
  void add(const std::string& name, const char* type, Access access, bool present);
  void argument(const std::string& text);
  void show(const Constants& list);

  KernelSpec kernel;
  std::string templateArguments, arguments;
  std::vector<std::string> shown; ///< parts of the name
  bool opened = false;            ///< the next argument is the first of a struct
};

} // namespace llcuda::codegen
