/**
 * Proxies: most agents have none. The build replaces this module
 * (scripts/lib/late-forms.mjs).
 */
import * as proxyChoice from './proxy-choice.js';

export function loadProxyChoice(): typeof proxyChoice {
  return proxyChoice;
}
