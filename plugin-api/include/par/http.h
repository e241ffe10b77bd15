/* par/http.h: the host service "par.http/1", HTTP requests.
 *
 * The host resolves names, connects, speaks TLS and HTTP/1.1, uses proxies, follows redirects, keeps
 * connections and enforces the operator's policy for the plugin's namespace on every hop. Every function
 * takes the call it works for: deadline, cancellation and policy come from it.
 */
#ifndef PAR_HTTP_H
#define PAR_HTTP_H

#include <par/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PAR_HTTP_SERVICE "par.http/1"

typedef struct par_http_header {
  par_bytes name;
  par_bytes value;
} par_http_header;

enum {
  PAR_HTTP_NO_REDIRECT = 1u, /* hand redirects to the plugin instead of following up to 10 of them */
  PAR_HTTP_NO_VERIFY = 2u,   /* accept any server certificate */
  PAR_HTTP_HAS_BODY = 4u     /* there is a body, though perhaps an empty one */
};

/* Ask for no limit on the size of the answer's body. */
#define PAR_HTTP_UNLIMITED UINT64_MAX

typedef struct par_http_request {
  uint32_t struct_size;
  uint32_t flags; /* PAR_HTTP_* */
  par_str method;
  par_str url;                    /* absolute http or https URL; sent as it is, never encoded again */
  const par_http_header* headers; /* sent in this order and spelling. Refused: Host, Content-Length,
                                     Transfer-Encoding, Connection, and CR, LF or NUL anywhere */
  size_t header_count;
  const par_bytes* body; /* the body is the concatenation of these parts */
  size_t body_count;
  par_bytes ca_pem;          /* if given it replaces the host's trusted roots */
  par_bytes client_cert_pem; /* certificate with its chain, and its key */
  par_bytes client_key_pem;
  par_str server_name; /* name for SNI and verification, if it is not the URL's host */
  par_str proxy;       /* proxy URL for this request; only namespaces that the policy allows may set it */
  int64_t timeout_ms;  /* the exchange from start to last body byte. 0: the runner's httpTimeoutSeconds; -1:
                          only the call's limit. The call's limit always holds */
  int64_t connect_timeout_ms; /* one connection attempt with TLS. 0: 10 s */
  uint64_t max_body_bytes;    /* after decompression. 0: the host's default, 15 MiB; or PAR_HTTP_UNLIMITED */
} par_http_request;

/* One answer, or the reason why there is none. Made by the host, released by the plugin; what is left when
 * execute returns is released by the host. */
typedef struct par_http_response {
  uint32_t struct_size;
  par_status failure;             /* PAR_OK when there is an answer */
  par_str failure_text;           /* why there is none, for people; without secrets */
  int32_t http_status;            /* such as 200; 0 on failure */
  uint32_t redirects;             /* how many were followed */
  par_bytes reason;               /* reason phrase, may be empty */
  par_str final_url;              /* after redirects */
  const par_http_header* headers; /* in wire order, duplicates kept. If the plugin did not send
                                     Accept-Encoding, gzip and deflate are decoded by the host, and
                                     Content-Encoding and Content-Length are left out */
  size_t header_count;
} par_http_response;

typedef struct par_http {
  uint32_t struct_size;
  uint32_t reserved;

  /* Sends a request and waits for the final headers. *response is always set, also on failure. The request's
   * memory is borrowed until the function returns. [call], several threads may send for one call. */
  par_status (*send)(const par_call* call, const par_http_request* request, par_http_response** response);

  /* Reads the next piece of the body into buf: at most cap bytes, *got says how many. PAR_OK with *got == 0
   * is the end. PAR_CANCELLED, PAR_DEADLINE, PAR_LIMIT (more than max_body_bytes), PAR_CONNECT, PAR_PROTOCOL
   * otherwise, and failure_text says why. One thread at a time per response. */
  par_status (*read)(const par_call* call, par_http_response* response, uint8_t* buf, size_t cap,
                     size_t* got);

  /* Ends the use of a response and of everything it points to. An unfinished body closes the connection. */
  void (*release)(const par_call* call, par_http_response* response);
} par_http;

#ifdef __cplusplus
}
#endif
#endif /* PAR_HTTP_H */
