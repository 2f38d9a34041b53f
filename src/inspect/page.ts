/**
 * The page itself: one file that asks for nothing else, and headers that let it do no more than it has to. Its script and its style are named by
 * their digests, so that nothing else of the kind runs, whatever the names of hosts may say.
 */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { page } from './page-html.js';

/** For every answer of the inspector's. */
const HEADERS = {
  // No proxy keeps it, or holds it back to compress it.
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

/** A refusal in words. */
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
    // Of the icon, which is empty, so that browsers do not ask for one.
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
