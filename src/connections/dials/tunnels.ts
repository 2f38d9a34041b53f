/**
 * Tunnels for dials: puts their options together, and ends a tunnel with its dial. egress/tunnel.ts opens it, and is loaded for the first one:
 * most agents never need it.
 */
import type { ConnectionOptions } from 'node:tls';
import type { Socket } from 'node:net';
import { asciiName } from '../../egress/ascii-name.js';
import { loadTunnel } from '../../egress/late.js';
import type { TunnelOrder } from '../../egress/tunnel-order.js';
import type { Route } from '../../egress/routes.js';
import type { Options } from '../../identity/identity.js';
import { profileValues } from '../../identity/profile.js';
import type { ProfileValues } from '../../identity/profile.js';
import { withPort } from '../../limits/host-name.js';
import type { ProxyServer } from '../../limits/proxy-choice.js';
import type { SecureContexts } from '../../tls/secure-contexts.js';

/** Options of a dial that are about this machine, and so hold for the connection to a proxy, too. */
const LOCAL_OPTIONS = [
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'blockList',
  'family',
  'hints',
  'keepAlive',
  'keepAliveInitialDelay',
  'localAddress',
  'localPort',
  'lookup',
  'noDelay',
  'typeOfService',
] as const;

/** The part of a tunnel's order that comes from the dial. */
interface TunnelUse extends Pick<
  TunnelOrder,
  'forwards' | 'holdsProcess' | 'onPhase' | 'onSocket' | 'timeout'
> {
  /** The port of the host, where it names none. */
  readonly defaultPort: number;
}

type Answer = (error: unknown, socket: Socket | undefined) => void;

export class Tunnels {
  readonly #contexts: SecureContexts;
  /** The TLS options of proxies, by which their secure contexts are found. */
  readonly #values = new WeakMap<ProxyServer, ProfileValues>();

  constructor(contexts: SecureContexts) {
    this.#contexts = contexts;
  }

  /**
   * Opens a tunnel to the host of a dial with `options`. The answer comes once, unless the tunnel is cancelled.
   *
   * @returns cancels it
   */
  open(proxy: NonNullable<Route>, options: Options, use: TunnelUse, answer: Answer): () => void {
    use.onPhase('proxyConnect');
    try {
      const { Tunnel } = loadTunnel();
      const tunnel = new Tunnel(this.#orderFor(proxy, options, use), answer);
      tunnel.start();
      return () => tunnel.cancel();
    } catch (error) {
      answer(error, undefined);
      return () => undefined;
    }
  }

  /** @throws for a host that is no name, and for TLS options of the proxy's that are not valid */
  #orderFor(proxy: ProxyServer, options: Options, { defaultPort, ...use }: TunnelUse): TunnelOrder {
    const connect: Record<string, unknown> = {};
    for (const name of LOCAL_OPTIONS) if (options[name] !== undefined) connect[name] = options[name];
    const host = asciiName(String(options['host']));
    const port = Number(options['port']) || defaultPort;
    return {
      proxy,
      host,
      port,
      target: withPort(host, port),
      connect,
      tls: proxy.protocol === 'https:' ? this.#tlsOf(proxy) : {},
      keepAlive: options['keepAlive'] === true,
      ...use,
    };
  }

  #tlsOf(proxy: ProxyServer): ConnectionOptions {
    if (proxy.tls.secureContext) return proxy.tls;
    let values = this.#values.get(proxy);
    if (!values) this.#values.set(proxy, (values = profileValues({ ...proxy.tls })));
    const secureContext = this.#contexts.get({ values, contextOptions: proxy.tls });
    return secureContext ? { ...proxy.tls, secureContext } : proxy.tls;
  }
}
