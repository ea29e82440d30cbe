// SPDX-License-Identifier: Apache-2.0
// What a model file says under a name: metadata of a GGUF file, an object of a config.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/models/config_limits.h"
#include "runtime/base/result.h"

namespace llcuda::models {

struct Null {};
/// An object, a list in a list, or a list of more than kMaxListed items: nothing that a configuration is read from.
struct Unreadable {};

/// What stands behind a key. Whole numbers from 0 on are uint64_t; others, and those with a point, are double.
struct Stated : std::variant<Null, bool, uint64_t, double, std::string, std::vector<Stated>, Unreadable> {
  using variant::variant;
};
using List = std::vector<Stated>;

inline constexpr size_t kMaxListed = 65'536;

/// Typed, bounded reads. A value of the wrong type or out of bounds is kBadInput and names its key. A null is as good
/// as no key, except for isNull(). The file outlives this.
class Values {
public:
  virtual ~Values() = default;

  /// nullopt without the key.
  virtual std::optional<Stated> find(std::string_view name) const = 0;
  /// How messages call the key.
  virtual std::string title(std::string_view name) const { return std::string(name); }

  /// As find(), but nullopt for a null and for an empty name.
  std::optional<Stated> present(std::string_view name) const;
  bool has(std::string_view name) const { return present(name).has_value(); }
  /// The key is there, as null.
  bool isNull(std::string_view name) const;

  Result<uint32_t> required(std::string_view name, Bounds bounds) const;
  Result<uint32_t> optional(std::string_view name, uint32_t otherwise, Bounds bounds) const;
  /// One number for each of `count` layers: those of a list, or the same one for all.
  Result<std::vector<uint32_t>> each(std::string_view name, size_t count, uint32_t otherwise, Bounds bounds) const;
  /// A finite number.
  Result<double> number(std::string_view name, double otherwise) const;
  /// A finite number above 0, or at least 0.
  Result<double> positive(std::string_view name, double otherwise) const;
  Result<double> notNegative(std::string_view name, double otherwise) const;
  Result<bool> flag(std::string_view name, bool otherwise) const;
  Result<std::string> text(std::string_view name, const std::string& otherwise) const;
  /// A list of `count` items; nothing without the key.
  Result<std::optional<List>> list(std::string_view name, size_t count) const;
  /// A list of `count` numbers above 0.
  Result<std::vector<double>> divisors(std::string_view name, size_t count) const;

protected:
  Values() = default;
  Values(const Values&) = default;
  Values& operator=(const Values&) = default;
};

} // namespace llcuda::models
