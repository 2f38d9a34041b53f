/** Loads the package `socks`, which SOCKS proxies need. It is loaded as soon as such a proxy is named, so that its absence is noticed before the first request. */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { missingPackage } from '../errors.js';

/** The part of the package that is used: its types are absent where it is not installed. */
interface Socks {
  readonly SocksClient: new (options: {
    readonly proxy: object;
    readonly command: 'connect';
    readonly destination: { readonly host: string; readonly port: number };
    readonly timeout: number;
  }) => SocksClient;
}

export interface SocksClient extends EventEmitter {
  connect(socket: Socket): void;
}

/** @throws `MODULE_NOT_FOUND` */
export function loadSocks(): Socks {
  try {
    const { createRequire } = process.getBuiltinModule('node:module');
    return createRequire(import.meta.url)('socks') as Socks;
  } catch {
    throw missingPackage('socks', 'A socks5:// proxy');
  }
}
