/**
 * Proxies that the environment names, and tunnels: most agents need neither. The build replaces this module
 * (scripts/lib/late-forms.mjs).
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
