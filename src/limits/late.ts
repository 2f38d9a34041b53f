/**
 * Loads modules when they are first needed: rules for single hosts, and proxies. The build puts them into another file of dist/, and has that
 * loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when", says how.
 */
import * as givenRules from './given-rules.js';
import * as proxyChoice from './proxy-choice.js';

export function loadGivenRules(): typeof givenRules {
  return givenRules;
}

export function loadProxyChoice(): typeof proxyChoice {
  return proxyChoice;
}
