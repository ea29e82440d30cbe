// SPDX-License-Identifier: Apache-2.0
// Flags of llama.cpp, for people who bring its command lines along.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace llcuda::tools {

struct KnownArguments {
  std::vector<std::string> arguments;
  std::vector<std::string> ignored; ///< the flags that were left out, without their values
};

/// The arguments as the program knows them: `has` tells whether it has a flag, such as "--ctx-size". A flag of one dash
/// and several letters becomes its long name where there is that one; a flag that says where and how llama.cpp computes
/// is left out with its value where there is none. What comes after "--" stays.
KnownArguments knownArguments(const std::vector<std::string>& arguments,
                              const std::function<bool(const std::string&)>& has);

} // namespace llcuda::tools
