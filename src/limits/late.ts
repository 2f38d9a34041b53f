/**
 * Rules for single hosts, and proxies: most agents have neither. The build replaces this module
 * (scripts/lib/late-forms.mjs).
 */
import * as givenRules from './given-rules.js';
import * as proxyChoice from './proxy-choice.js';

export function loadGivenRules(): typeof givenRules {
  return givenRules;
}

export function loadProxyChoice(): typeof proxyChoice {
  return proxyChoice;
}
