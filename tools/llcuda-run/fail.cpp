// SPDX-License-Identifier: Apache-2.0
#include "tools/llcuda-run/fail.h"

#include <iostream>

namespace llcuda::run {

int fail(const api::Error& error) {
  std::cerr << "llcuda-run: " << error.message << '\n';
  return error.status;
}

int fail(const Error& error) {
  return fail(api::Error{static_cast<llcuda_status>(error.code), error.message});
}

} // namespace llcuda::run
