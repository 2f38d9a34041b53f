/**
 * Loads modules when they are first needed: proxies that the environment names, and tunnels. The build puts them into another file of dist/, and
 * has that loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when", says how.
 */
import * as environment from './environment.js';
import * as proxyEnv from './proxy-env.js';
import * as tunnel from './tunnel.js';

export function loadEnvironment(): typeof environment {
  return environment;
}

export function loadProxyEnv(): typeof proxyEnv {
  return proxyEnv;
}

export function loadTunnel(): typeof tunnel {
  return tunnel;
}
