/**
 * Tunnels through SOCKS 5 proxies, by the package `socks`, an optional peer. It is required by name at run time, as `debug` is, so that bundlers do not
 * complain where it is not installed.
 */
// The module object: others may replace its function.
import dns from 'node:dns';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import { noAddress } from '../errors.js';
import { setImmediate } from '../node/timers.js';
import { answerOf } from './dns/addresses.js';
import { loadSocks } from './socks-package.js';
import type { SocksClient } from './socks-package.js';
import type { TunnelOrder } from './tunnel-order.js';

/** Milliseconds. Longer than any sensible limit of ours, which ends a tunnel before: the package does not clear its own timer. */
const PATIENCE = 120_000;

/** Asks the proxy behind `socket` for a connection to the host of `order`. */
export function openBySocks(order: TunnelOrder, socket: Socket, done: (error: unknown) => void): void {
  const { host, proxy } = order;
  // With `socks5h` the proxy looks names up.
  if (proxy.protocol === 'socks5h:' || isIP(host)) {
    negotiate(order, socket, host, done);
    return;
  }
  const { family, hints, lookup = dns.lookup } = order.connect;
  let isAnswered = false;
  lookup(host, { family, hints, all: false } as never, (error: unknown, addresses: unknown) => {
    // A second answer would begin a second conversation with the proxy. The tunnel may be over.
    if (isAnswered || socket.destroyed) return;
    isAnswered = true;
    const [first] = (error ? undefined : answerOf(addresses, family)) ?? [];
    if (first) negotiate(order, socket, first.address, done);
    else done(error || noAddress(host));
  });
}

function negotiate(order: TunnelOrder, socket: Socket, host: string, done: (error: unknown) => void): void {
  let client;
  try {
    client = clientFor(order, host);
  } catch (error) {
    // The host is longer than SOCKS allows.
    done(error);
    return;
  }
  client.on('error', done);
  client.on('established', () => {
    // A turn later the package emits as 'data' what came behind the proxy's answer. It belongs to the tunnel.
    const rest: Buffer[] = [];
    const onData = (chunk: Buffer): void => void rest.push(chunk);
    socket.on('data', onData);
    setImmediate(() => {
      socket.removeListener('data', onData).pause();
      if (rest.length > 0) socket.unshift(Buffer.concat(rest));
      done(undefined);
    });
  });
  client.connect(socket);
}

function clientFor({ port, proxy }: TunnelOrder, host: string): SocksClient {
  const { SocksClient } = loadSocks();
  const { credentials } = proxy;
  return new SocksClient({
    proxy: {
      host: proxy.host,
      port: proxy.port,
      type: 5,
      ...(credentials && { userId: credentials.username, password: credentials.password }),
    },
    command: 'connect',
    destination: { host, port },
    timeout: PATIENCE,
  });
}
