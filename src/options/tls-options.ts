/** The options that only an agent with TLS has, and that are no material of a connection: their checks and defaults. */
import { invalidType } from '../errors.js';
import { isSecureContext } from '../node/secure-context.js';
import type { SessionCache } from '../sessions/session-cache.js';
import type { TlsOptions } from '../tls/rotation.js';
import { booleanValue, functionValue, optional } from '../validate.js';
import type { PoolingAgentOptions } from './options.js';
import { resolveSessionCache } from './session-cache-option.js';

export interface ResolvedTlsOptions {
  sessionCache: SessionCache;
  eagerContext: boolean;
  tls: (() => TlsOptions) | undefined;
}

/** @param options the result of `ownOptions` */
export function resolveTlsOptions(options: PoolingAgentOptions): ResolvedTlsOptions {
  const { secureContext } = options;
  if (secureContext && !isSecureContext(secureContext))
    throw invalidType(
      'secureContext',
      'made by tls.createSecureContext(), and no copy of that',
      secureContext,
    );
  return {
    sessionCache: resolveSessionCache(options),
    eagerContext: optional(options, 'eagerContext', booleanValue, false),
    tls: optional<(() => TlsOptions) | undefined>(options, 'tls', functionValue, undefined),
  };
}
