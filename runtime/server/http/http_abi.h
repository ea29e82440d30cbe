/* SPDX-License-Identifier: Apache-2.0
 * The border between the C++ of this room and its Rust crate (rust/src/abi.rs). Nothing else includes it.
 *
 * Texts have lengths and no final zero; a pointer may be null where the size is 0. What is handed in is read during the
 * call only. Functions may be called from any thread. A panic of the crate never crosses: it becomes a 500 or an error. */
#ifndef LLCUDA_RUNTIME_SERVER_HTTP_HTTP_ABI_H
#define LLCUDA_RUNTIME_SERVER_HTTP_HTTP_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const uint8_t* data;
  size_t size;
} llcuda_http_text;

typedef struct {
  llcuda_http_text name, value;
} llcuda_http_header;

typedef struct {
  llcuda_http_text method, path; /* a path that ends in "/" and a star matches everything longer */
  int32_t needs_key;
  int32_t immediate; /* handled on an I/O thread: the handler does not wait */
} llcuda_http_route;

/* The answer of the border itself with this status: a JSON body. */
typedef struct {
  int32_t status;
  llcuda_http_text body;
} llcuda_http_refusal;

typedef struct {
  llcuda_http_text method, path, query, body, key_name, request_id;
  const llcuda_http_header* headers; /* names in lower case */
  size_t header_count;
  size_t route; /* index in the options' routes */
  uint64_t connection;
} llcuda_http_request;

/* An answer that is over, as it goes into a log. */
typedef struct {
  llcuda_http_text method, path, key_name, request_id;
  int32_t status;       /* 499: the client left before the answer's end */
  uint64_t bytes;       /* of the answer's body */
  uint64_t nanoseconds; /* from the head of the request to the end of the answer */
} llcuda_http_record;

typedef struct llcuda_http_reply llcuda_http_reply;
typedef struct llcuda_http_server llcuda_http_server;

typedef struct {
  const llcuda_http_text* hosts; /* addresses or names, or paths of Unix sockets that end in .sock */
  size_t host_count;
  uint16_t port;
  uint32_t io_threads;
  uint32_t handler_threads;
  const llcuda_http_route* routes;
  size_t route_count;
  const llcuda_http_header* keys; /* name and secret */
  size_t key_count;
  const llcuda_http_refusal* refusals; /* 400, 401, 404, 405, 408, 413, 500, 503 */
  size_t refusal_count;
  const llcuda_http_text* cors_origins;
  size_t cors_origin_count;
  llcuda_http_text cors_methods, cors_headers;
  int32_t cors_credentials;
  uint64_t body_bytes;     /* of one request */
  uint64_t all_body_bytes; /* of all requests that are being read or handled */
  uint32_t header_seconds, body_seconds, idle_seconds, stall_seconds, ping_seconds;
  uint32_t connections;
  size_t high_water, low_water;
  /* The reply is the callee's: llcuda_http_reply_free. */
  void (*handle)(void* user, const llcuda_http_request*, llcuda_http_reply*);
  void (*record)(void* user, void* reply_user, const llcuda_http_record*); /* reply_user: null where there is none */
  void* user;
} llcuda_http_options;

/* Binds, and serves from threads of its own. 0 and `out`, or 1 and a sentence of at most `capacity` bytes with a final
 * zero in `error`. */
int32_t llcuda_http_start(const llcuda_http_options* options, llcuda_http_server** out, char* error, size_t capacity);
/* The port of the first address, 0 where that is a Unix socket. */
uint16_t llcuda_http_port(const llcuda_http_server* server);
/* No connections from here on; those without a request close, requests on others get 503. */
void llcuda_http_drain(llcuda_http_server* server);
/* After a drain: waits until all connections have closed. 0, or 1 after the time. */
int32_t llcuda_http_wait(llcuda_http_server* server, uint64_t milliseconds);
/* Cuts what is left. No callback runs after it has returned. */
void llcuda_http_stop(llcuda_http_server* server);

typedef enum {
  LLCUDA_HTTP_CLOSED = 1, /* the client left before the end of its answer; once */
  LLCUDA_HTTP_DRAINED = 2 /* pending fell to the low water after it was above the high water */
} llcuda_http_event;
/* `event` may be called until `destroy` is, which is called once, when nobody has the reply any more. To be called once,
 * by who got the reply, before anything else. */
void llcuda_http_reply_watch(llcuda_http_reply* reply, void (*event)(void* user, int32_t kind),
                             void (*destroy)(void* user), void* user);
void llcuda_http_reply_send(llcuda_http_reply* reply, int32_t status, llcuda_http_text type, llcuda_http_text body,
                            const llcuda_http_header* headers, size_t count);
void llcuda_http_reply_begin_stream(llcuda_http_reply* reply, const llcuda_http_header* headers, size_t count);
int32_t llcuda_http_reply_write(llcuda_http_reply* reply, llcuda_http_text bytes); /* 0: gone */
void llcuda_http_reply_end(llcuda_http_reply* reply);
size_t llcuda_http_reply_pending(const llcuda_http_reply* reply);
/* Without a send or an end: 500, or a stream that breaks off. */
void llcuda_http_reply_free(llcuda_http_reply* reply);

#ifdef __cplusplus
}
#endif

#endif
