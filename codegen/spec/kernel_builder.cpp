// SPDX-License-Identifier: Apache-2.0
#include "codegen/spec/kernel_builder.h"

#include <utility>

namespace llcuda::codegen {
namespace {

std::string valuesOf(const Constants& list) {
  std::string text;
  for (const Constant& constant : list) text += (text.empty() ? "" : ", ") + constant.value;
  return text;
}

} // namespace

KernelBuilder::KernelBuilder(std::string op, std::string header) {
  kernel.op = std::move(op);
  kernel.header = std::move(header);
}

KernelBuilder& KernelBuilder::constants(const Constants& list) {
  templateArguments += (templateArguments.empty() ? "" : ", ") + valuesOf(list);
  show(list);
  return *this;
}

KernelBuilder& KernelBuilder::group(const std::string& type, const Members& members) {
  std::string text;
  Constants list;
  for (const Member& member : members) {
    text += (text.empty() ? "." : ", .") + member.name + " = " + member.constant.value;
    list.push_back(member.constant);
  }
  templateArguments += (templateArguments.empty() ? "" : ", ") + ("llcuda::" + type) + "{" + text + "}";
  show(list);
  return *this;
}

KernelBuilder& KernelBuilder::value(const Constant& constant) {
  argument(constant.value);
  show({constant});
  return *this;
}

KernelBuilder& KernelBuilder::input(const std::string& name, const char* type, bool present) {
  add(name, type, Access::kRead, present);
  return *this;
}

KernelBuilder& KernelBuilder::output(const std::string& name, const char* type, bool present) {
  add(name, type, Access::kWrite, present);
  return *this;
}

KernelBuilder& KernelBuilder::inOut(const std::string& name, const char* type, bool present) {
  add(name, type, Access::kReadWrite, present);
  return *this;
}

KernelBuilder& KernelBuilder::inputRows(bool f32, bool int8) {
  return input("x", "const float*", f32)
      .input("x_codes", "const int8_t*", int8)
      .input("x_scales", "const float2*", int8);
}

KernelBuilder& KernelBuilder::inputHalfRows(bool present) {
  return input("x_halves", "const uint8_t*", present).input("x_half_scales", "const float*", present);
}

KernelBuilder& KernelBuilder::outputRows(const std::string& prefix, bool f32, bool int8) {
  return output(prefix, "float*", f32)
      .output(prefix + "_codes", "int8_t*", int8)
      .output(prefix + "_scales", "float2*", int8);
}

KernelBuilder& KernelBuilder::outputHalfRows(const std::string& prefix, bool present) {
  if (present)
    output(prefix + "_halves", "uint8_t*").output(prefix + "_half_scales", "float*");
  return *this;
}

KernelBuilder& KernelBuilder::open(const std::string& type) {
  argument((type.empty() ? "" : "llcuda::" + type) + "{");
  opened = true;
  return *this;
}

KernelBuilder& KernelBuilder::close() {
  arguments += '}';
  return *this;
}

KernelSpec KernelBuilder::build(const std::string& function, uint32_t threads, uint32_t minBlocksPerSm) {
  kernel.call = function + "<" + templateArguments + ">(" + arguments + ")";
  kernel.threads = threads;
  kernel.minBlocksPerSm = minBlocksPerSm;
  kernel.name = kernel.op;
  for (const std::string& part : shown) kernel.name += "__" + part;
  kernel.name += "__" + hexText(static_cast<uint32_t>(contentHash(kernel)));
  return std::move(kernel);
}

void KernelBuilder::add(const std::string& name, const char* type, Access access, bool present) {
  if (present)
    kernel.params.push_back({name, type, access});
  argument(present ? name : "nullptr");
}

void KernelBuilder::argument(const std::string& text) {
  arguments += (arguments.empty() || std::exchange(opened, false) ? "" : ", ") + text;
}

void KernelBuilder::show(const Constants& list) {
  std::string part;
  for (const Constant& constant : list)
    if (!constant.shown.empty())
      part += (part.empty() ? "" : "_") + constant.shown;
  if (!part.empty())
    shown.push_back(part);
}

} // namespace llcuda::codegen
