// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "runtime/base/result.h"

namespace llcuda {

/// A file or a folder, with all that is in it, that goes away with the object: and with the program, when a signal ends
/// it (clean_end.h).
class TemporaryPath {
public:
  TemporaryPath() = default; ///< nothing to remove
  explicit TemporaryPath(std::string path);
  /// Of what `make` makes, whose path it gives, or nothing: no signal ends the program between the two.
  static TemporaryPath made(const std::function<std::string()>& make);
  TemporaryPath(TemporaryPath&& other) noexcept;
  TemporaryPath& operator=(TemporaryPath&& other) noexcept;
  ~TemporaryPath();

  const std::string& path() const { return name; }

  /// Gives the file its lasting name, in place of what has that name. kInternal when that fails; the file then stays
  /// temporary.
  Result<void> renameTo(const std::string& target);

private:
  std::string name;
};

/// Removes everything that is temporary, for the end of the program: objects that come to theirs wait for ever. How
/// many there were.
std::size_t removeAllTemporaryPaths();

} // namespace llcuda
