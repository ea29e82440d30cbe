// SPDX-License-Identifier: Apache-2.0
#include "runtime/server/page/page.h"

#include <random>
#include <string_view>
#include <utility>

namespace llcuda::server {
namespace {

constexpr std::string_view kNonce = "{{nonce}}";

constexpr std::string_view kHtml =
#include "runtime/server/page/index.html.inc"
    ;
constexpr std::string_view kPolicy =
#include "runtime/server/page/content_security_policy.txt.inc"
    ;

std::string filled(std::string_view text, std::string_view nonce) {
  std::string result;
  for (std::size_t at; (at = text.find(kNonce)) != std::string_view::npos; text.remove_prefix(at + kNonce.size()))
    result.append(text.substr(0, at)).append(nonce);
  return result.append(text);
}

/// 128 random bits.
std::string freshNonce() {
  std::random_device random;
  std::string nonce;
  for (int i = 0; i < 32; ++i) nonce += "0123456789abcdef"[random() % 16];
  return nonce;
}

} // namespace

Page chatPage() {
  const std::string nonce = freshNonce();
  return {filled(kHtml, nonce), filled(kPolicy, nonce)};
}

std::vector<Route> pageRoutes() {
  const auto send = [](const Request&, std::shared_ptr<Reply> reply) {
    Page page = chatPage();
    reply->send(200, "text/html; charset=utf-8", std::move(page.html),
                {{"content-security-policy", std::move(page.contentSecurityPolicy)},
                 {"cache-control", "no-store"},
                 {"referrer-policy", "no-referrer"},
                 {"x-content-type-options", "nosniff"}});
  };
  return {{.method = "GET", .path = "/", .handler = send, .needsKey = false}};
}

} // namespace llcuda::server
