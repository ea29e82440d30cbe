// SPDX-License-Identifier: Apache-2.0
// What a server is told when it starts. The table of flags, environment variables and descriptions is
// tools/llcuda-serve/flags.cpp; rooms read what concerns them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace llcuda::server {

/// A key that clients may show, and who it stands for in logs and fairness.
struct ApiKey {
  std::string name; ///< "key-1"
  std::string secret;
};

/// Sizes and times that hostile and slow clients run into.
struct Limits {
  uint64_t bodyBytes = uint64_t{8} << 20;
  uint32_t headerSeconds = 10;
  uint32_t bodySeconds = 30;
  uint32_t stallSeconds = 60; ///< without a byte taken by the client; then its connection is closed
  uint32_t connections = 4096;
};

/// Checked: what is out of range never gets here.
struct ServerOptions {
  // model
  std::string model;                ///< what was given: an engine or a model
  std::vector<std::string> aliases; ///< sorted; the first is the id of the model. Empty: its file name
  std::vector<std::string> tags;
  uint32_t context = 0;                        ///< positions of one request; 0: as many as the engine allows
  uint32_t slots = 0;                          ///< requests that run at a time; 0: as many as the engine decodes
  uint32_t queue = 256;                        ///< requests that may wait beside them; then 429
  uint64_t hostCacheBytes = uint64_t{8} << 30; ///< of keys and values in host memory
  float stepTargetMs = 0; ///< the longest step beside which a prompt's part is computed; 0: by itself
  std::string weightsFrom;
  std::string verify = "full";                        ///< or lazy
  std::string pooling = "model";                      ///< of embeddings: model (as it says), mean, last, cls, none
  bool ranks = false;                                 ///< there is /v1/rerank
  bool prefixCache = true;                            ///< prompts begin with what requests before them computed
  bool fair = false;                                  ///< requests take turns by key
  bool guessesByNgrams = false;                       ///< tokens ahead, by what followed before
  std::string draftModel;                             ///< an engine or a model that guesses them; empty: none
  uint32_t draftMax = 0, draftMin = 0, ngramSize = 0; ///< as in api::SchedulerOptions
  float draftPMin = 0;                                ///< the same
  int device = 0;                                     ///< an llcuda_device
  int deviceIndex = 0;
  uint64_t engineCacheBytes = uint64_t{20} << 30; ///< of engines that were compiled for models

  // defaults of requests, by the name of the field, as JSON; what is not here is the model's own
  std::map<std::string, std::string> requestDefaults;
  int64_t mostTokens = -1; ///< of an answer where a request does not say; -1: no limit

  // chats
  std::string chatTemplate;                 ///< Jinja; empty: the model's
  std::string chatTemplateKwargs;           ///< a JSON object; empty: none
  std::string reasoningFormat = "deepseek"; ///< none, deepseek, auto
  std::string reasoning = "auto";           ///< on, off, auto: enable_thinking where a request does not say it
  bool strictModel = false;                 ///< a request for another model is refused
  bool strictFields = false;                ///< a field that is not known is refused

  // border
  std::vector<std::string> hosts = {"127.0.0.1"}; ///< addresses, or paths of Unix sockets that end in .sock
  uint16_t port = 8080;                           ///< 0: any that is free
  std::vector<ApiKey> keys;                       ///< empty: who can connect may ask
  std::vector<std::string> corsOrigins;           ///< "*", "localhost", or origins; empty: no CORS headers
  std::string corsMethods = "GET, POST, DELETE, OPTIONS";
  std::string corsHeaders = "*";
  bool corsCredentials = true;
  Limits limits;
  uint32_t drainSeconds = 30;
  bool page = true;
  bool metrics = false;
  bool slotsEndpoint = true;
  bool jsonLog = false;
  bool verbose = false; ///< a line for each request
};

} // namespace llcuda::server
