// SPDX-License-Identifier: Apache-2.0
// Large files that must not stay behind, however their program ends.
#pragma once

#include <functional>
#include <string>

namespace llcuda::tune {

/// Calls `work` with a new folder beside the file `output`, in a process of its own, and removes the folder once that
/// has ended: by itself, by Ctrl-C or a termination of either process, or by a crash. What `work` returns, 8 when it
/// crashed; what to say has been said. A signal that ends either process ends both. The caller has no other threads.
int withScratchFolder(const std::string& output, const std::function<int(const std::string& folder)>& work);

} // namespace llcuda::tune
