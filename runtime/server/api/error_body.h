// SPDX-License-Identifier: Apache-2.0
// Errors as clients get them, the one place that makes them:
//
//   {"error":{"code":400,"message":"Field 'top_p': ...","type":"invalid_request_error","param":"top_p"}}
//
// llama-server's shape, whose code is the status, with OpenAI's `param` (null: no field is to blame).
#pragma once

#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "llcuda/llcuda.hpp"
#include "runtime/server/http/exchange.h"

namespace llcuda::server {

using Json = nlohmann::ordered_json;

struct ApiError {
  int status = 400;
  std::string message;
  std::string param = {}; ///< the field, empty: none
  std::string type = {};  ///< empty: the one that belongs to the status
  Json more = {};         ///< members beside `message`, such as n_prompt_tokens; null: none
  int retryAfter = 0;     ///< seconds, for the header `Retry-After`; 0: none
};

/// A T or the error that the client gets. Reading the wrong one is a bug and asserts.
template <typename T>
class [[nodiscard]] Checked {
public:
  Checked(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Checked(ApiError error) : state(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state.index() == 0; }
  T& operator*() { return assert(*this), *std::get_if<0>(&state); }
  const T& operator*() const { return assert(*this), *std::get_if<0>(&state); }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }
  const ApiError& error() const { return assert(!*this), *std::get_if<1>(&state); }

private:
  std::variant<T, ApiError> state;
};

/// The type of a status: "invalid_request_error" of 400.
std::string_view errorType(int status);

Json errorBody(const ApiError& error);

/// Answers with the error.
void sendError(Reply& reply, const ApiError& error);

/// 400 of a field: "Field 'NAME': SENTENCE".
ApiError fieldError(std::string name, std::string_view sentence);

/// What the library refused: LLCUDA_USAGE is the client's fault, LLCUDA_BUSY is 429, LLCUDA_UNSUPPORTED 501, what else
/// there is 500. A sentence that begins with "Field 'NAME" names the field.
ApiError errorOf(const api::Error& error);

/// 400 exceed_context_size_error of a prompt that is too long.
ApiError contextError(std::size_t promptTokens, std::size_t context);

/// JSON text. Bytes that are no UTF-8, which only a model can have made, become U+FFFD.
std::string dumped(const Json& json);

} // namespace llcuda::server
