// SPDX-License-Identifier: Apache-2.0
// Errors as values: Result<T> holds a T or an Error, and says which exit code a tool ends with.
#pragma once

#include <cassert>
#include <charconv>
#include <concepts>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace llcuda {

/// What went wrong, by what the caller can do about it. The numbers are the exit codes of the tools and the values of
/// `llcuda_status` in the C ABI.
enum class ErrorCode : int {
  kUsage = 1,           ///< an argument or option is wrong
  kBadInput = 2,        ///< a file is damaged or is not what it claims to be
  kUnsupported = 3,     ///< the input is sound, this version does not handle it
  kSelfCheckFailed = 4, ///< the engine ran and its values are not the recorded ones
  kNoDevice = 5,        ///< no GPU that fits the engine
  kOutOfMemory = 6,     ///< host or device memory does not suffice
  kCancelled = 7,       ///< the caller asked to stop
  kInternal = 8,        ///< a driver call or an operating system call failed
  kBusy = 9,            ///< there is too much to do already; later it may work
};

/// One sentence for the user: the element, the fact, the remedy. No trailing full stop, no newline.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

namespace detail {
template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  (out << ... << parts);
  return std::move(out).str();
}
} // namespace detail

template <typename... Parts>
Error makeError(ErrorCode code, const Parts&... parts) {
  return Error{code, detail::concat(parts...)};
}
template <typename... Parts>
Error usageError(const Parts&... parts) {
  return makeError(ErrorCode::kUsage, parts...);
}
template <typename... Parts>
Error badInput(const Parts&... parts) {
  return makeError(ErrorCode::kBadInput, parts...);
}
template <typename... Parts>
Error unsupported(const Parts&... parts) {
  return makeError(ErrorCode::kUnsupported, parts...);
}
template <typename... Parts>
Error outOfMemory(const Parts&... parts) {
  return makeError(ErrorCode::kOutOfMemory, parts...);
}
template <typename... Parts>
Error internalError(const Parts&... parts) {
  return makeError(ErrorCode::kInternal, parts...);
}

/// A T or an Error. Reading the wrong one is a bug of the caller and asserts.
template <typename T>
class [[nodiscard]] Result {
public:
  template <typename U = T>
  requires std::convertible_to<U, T> &&(!std::same_as<std::remove_cvref_t<U>, Error>)Result(U&& value)
      : state(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Error error) : state(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & {
    assert(ok());
    return *std::get_if<0>(&state);
  }
  const T& value() const& {
    assert(ok());
    return *std::get_if<0>(&state);
  }
  T&& value() && {
    assert(ok());
    return std::move(*std::get_if<0>(&state));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    assert(!ok());
    return *std::get_if<1>(&state);
  }
  Error&& error() && {
    assert(!ok());
    return std::move(*std::get_if<1>(&state));
  }

private:
  std::variant<T, Error> state;
};

template <>
class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) : failure(std::move(error)) {}

  bool ok() const { return !failure; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& {
    assert(failure);
    return *failure;
  }
  Error&& error() && {
    assert(failure);
    return std::move(*failure);
  }

private:
  std::optional<Error> failure;
};

} // namespace llcuda

#define LLCUDA_CONCAT_(a, b) a##b
#define LLCUDA_CONCAT(a, b) LLCUDA_CONCAT_(a, b)

/// Leaves the function with the error of `expression` (a Result<...>), if it has one.
#define LLCUDA_RETURN_IF_ERROR(expression)                                                                             \
  do {                                                                                                                 \
    if (auto llcudaResult = (expression); !llcudaResult)                                                               \
      return std::move(llcudaResult).error();                                                                          \
  } while (false)

/// `LLCUDA_ASSIGN_OR_RETURN(auto file, MappedFile::open(path));` leaves the function with the error, or declares
/// `file`.
#define LLCUDA_ASSIGN_OR_RETURN(declaration, expression)                                                               \
  auto LLCUDA_CONCAT(llcudaResult, __LINE__) = (expression);                                                           \
  if (!LLCUDA_CONCAT(llcudaResult, __LINE__))                                                                          \
    return std::move(LLCUDA_CONCAT(llcudaResult, __LINE__)).error();                                                   \
  declaration = std::move(LLCUDA_CONCAT(llcudaResult, __LINE__)).value()
