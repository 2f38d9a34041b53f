/** The two options for an agent's proxy: `proxy`, and Node's `proxyEnv`. */
import { invalidName } from '../errors.js';
import { loadProxyChoice } from '../limits/late.js';
import type { ProxyChoice } from '../limits/proxy-choice.js';
import { environment, optional } from '../validate.js';

export interface ResolvedProxy {
  /** The agent's own choice, without `proxyEnv`. */
  proxy: ProxyChoice;
  proxyEnv: { readonly [name: string]: string | undefined } | false;
}

/** The same as in limits/proxy-choice.ts, which is loaded only where a proxy is named. */
const DIRECT: ProxyChoice = { kind: 'direct' };

/** @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE` */
export function resolveProxy(options: { readonly proxy?: unknown }): ResolvedProxy {
  const proxy = optional(
    options,
    'proxy',
    (name, value) => loadProxyChoice().proxyChoice(name, value),
    DIRECT,
  );
  const proxyEnv = optional<ResolvedProxy['proxyEnv']>(options, 'proxyEnv', environment, false);
  if (proxyEnv && options.proxy !== undefined)
    throw invalidName('proxyEnv', 'left out where "proxy" is given: they are two ways to say the same');
  return { proxy, proxyEnv };
}
