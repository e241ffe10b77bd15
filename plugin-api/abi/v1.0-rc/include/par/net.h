/* par/net.h: the host service "par.net/1", for libraries that open connections by themselves.
 *
 * Such a library must dial only addresses that resolve() returned, and must not use proxies or name services
 * of its own.
 */
#ifndef PAR_NET_H
#define PAR_NET_H

#include <par/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PAR_NET_SERVICE "par.net/1"

/* Addresses, or the reason why there are none. Made by the host, released by the plugin. */
typedef struct par_addresses {
  uint32_t struct_size;
  par_status failure;
  par_str failure_text;
  const par_str* addresses; /* numeric, IPv6 without brackets, in the order to try */
  size_t count;
} par_addresses;

/* PEM text, made by the host, released by the plugin. */
typedef struct par_pem {
  uint32_t struct_size;
  par_status failure;
  par_str failure_text;
  par_bytes pem;
} par_pem;

typedef struct par_net {
  uint32_t struct_size;
  uint32_t reserved;

  /* The numeric addresses of host that the policy of this namespace allows. PAR_POLICY if all are refused,
   * PAR_RESOLVE if there are none. Obeys the call's limit and cancel. *addresses is always set. */
  par_status (*resolve)(const par_call* call, par_str host, uint16_t port, par_addresses** addresses);
  void (*release_addresses)(const par_call* call, par_addresses* addresses);

  /* The trusted roots of the host: the system's and the operator's own. *pem is always set. */
  par_status (*trust_roots)(const par_call* call, par_pem** pem);
  void (*release_pem)(const par_call* call, par_pem* pem);
} par_net;

#ifdef __cplusplus
}
#endif
#endif /* PAR_NET_H */
