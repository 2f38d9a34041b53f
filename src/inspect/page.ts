/**
 * The page itself: one file that loads nothing else, and headers that allow it no more than it needs. They name its script and its style by their
 * digests, so that no other script runs, whatever the names of hosts contain.
 */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { page } from './page-html.js';

/** Headers of every answer of the inspector. */
const HEADERS = {
  // Proxies must not store it, nor delay it by compression.
  'cache-control': 'no-store, no-transform',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

export function head(
  res: ServerResponse,
  status: number,
  type: string,
  more: Readonly<Record<string, string>> = {},
): void {
  res.writeHead(status, { ...HEADERS, 'content-type': `${type}; charset=utf-8`, ...more });
}

/** Answers with a refusal, as text. */
export function refuse(
  res: ServerResponse,
  status: number,
  text: string,
  more: Readonly<Record<string, string>> = {},
): void {
  head(res, status, 'text/plain', { 'content-security-policy': "default-src 'none'", ...more });
  res.end(`${text}\n`);
}

export function sendPage(res: ServerResponse): void {
  head(res, 200, 'text/html', { 'content-security-policy': (policy ??= makePolicy()) });
  res.end(page.html);
}

let policy: string | undefined;

function makePolicy(): string {
  return [
    "default-src 'none'",
    `script-src ${digest(/<script>([^]*)<\/script>/)}`,
    `style-src ${digest(/<style>([^]*?)<\/style>/)}`,
    "connect-src 'self'",
    // For the empty icon, which keeps browsers from asking for one.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function digest(element: RegExp): string {
  const text = element.exec(page.html)?.[1] ?? '';
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
