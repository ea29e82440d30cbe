// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/api/error_body.h"

#include <algorithm>
#include <array>

namespace llcuda::server {
namespace {

struct StatusType {
  int status;
  std::string_view type;
};

constexpr std::array kTypes = std::to_array<StatusType>({
    {400, "invalid_request_error"},
    {401, "authentication_error"},
    {403, "permission_error"},
    {404, "not_found_error"},
    {405, "invalid_request_error"},
    {408, "invalid_request_error"},
    {413, "invalid_request_error"},
    {415, "invalid_request_error"},
    {429, "rate_limit_error"},
    {431, "invalid_request_error"},
    {500, "server_error"},
    {501, "not_supported_error"},
    {503, "unavailable_error"},
});

/// NAME of a sentence that begins with "Field 'NAME'", else nothing.
std::string fieldNamed(std::string_view sentence) {
  constexpr std::string_view kBegin = "Field '";
  if (!sentence.starts_with(kBegin))
    return {};
  sentence.remove_prefix(kBegin.size());
  const std::size_t end = sentence.find('\'');
  return end == std::string_view::npos ? std::string() : std::string(sentence.substr(0, end));
}

} // namespace

std::string_view errorType(int status) {
  const auto found = std::ranges::find(kTypes, status, &StatusType::status);
  return found == kTypes.end() ? "server_error" : found->type;
}

Json errorBody(const ApiError& error) {
  Json body = {{"code", error.status},
               {"message", error.message},
               {"type", error.type.empty() ? errorType(error.status) : error.type},
               {"param", error.param.empty() ? Json() : Json(error.param)}};
  if (error.more.is_object())
    body.update(error.more);
  return {{"error", std::move(body)}};
}

void sendError(Reply& reply, const ApiError& error) {
  std::vector<Header> headers;
  if (error.retryAfter > 0)
    headers.push_back({"retry-after", std::to_string(error.retryAfter)});
  reply.send(error.status, "application/json", dumped(errorBody(error)), std::move(headers));
}

ApiError fieldError(std::string name, std::string_view sentence) {
  return {400, "Field '" + name + "': " + std::string(sentence), name};
}

ApiError errorOf(const api::Error& error) {
  switch (error.status) {
  case LLCUDA_USAGE:
    return {400, error.message, fieldNamed(error.message)};
  case LLCUDA_UNSUPPORTED:
    return {501, error.message, fieldNamed(error.message)};
  case LLCUDA_BUSY:
    return {.status = 429, .message = error.message, .retryAfter = 1};
  default:
    return {500, error.message};
  }
}

ApiError contextError(std::size_t promptTokens, std::size_t context) {
  return {.status = 400,
          .message = "the prompt is too large: its " + std::to_string(promptTokens) +
                     " tokens are more than a request may have, which exceeds the available context size of " +
                     std::to_string(context) + " tokens; shorten it, or start the server with a larger --ctx-size",
          .type = "exceed_context_size_error",
          .more = {{"n_prompt_tokens", promptTokens}, {"n_ctx", context}}};
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace llcuda::server
