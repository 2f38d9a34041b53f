/** `https.request` over an agent, as users write it: a new, minimal options object for every request. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Agent } from 'node:https';
import { BODY } from '../responses.js';
import type { Client, ClientSettings, Pass } from './contender.js';

/** Node's client sends a body of unknown length in chunks. */
const BODY_HEADERS = { 'Content-Type': 'application/json', 'Content-Length': String(BODY.length) };

type OnResponse = (response: IncomingMessage) => void;

function exchange(
  start: (onResponse: OnResponse) => ClientRequest,
  body?: string,
  pass?: Pass,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = start((response) => {
      if (pass) pass(() => response.resume());
      else response.resume();
      response.on('end', resolve);
      response.on('error', reject);
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** @param protocol goes with each request, as it does where users give a URL */
export function agentClient(
  agent: Agent,
  { port, ca, caPerRequest }: ClientSettings,
  protocol?: 'https:',
): Client {
  // One array for all requests, as in a program that has read its certificates once.
  const authorities = [...ca];
  const more = { ...(caPerRequest && { ca: authorities }), ...(protocol && { protocol }) };
  const send = caPerRequest
    ? (host: string, onResponse: OnResponse): ClientRequest =>
        request({ host, port, path: '/', agent, ...more }, onResponse)
    : (host: string, onResponse: OnResponse): ClientRequest =>
        request({ host, port, path: '/', agent }, onResponse);
  return {
    get: (host) => exchange((onResponse) => send(host, onResponse)),
    getHeld: (host, pass) => exchange((onResponse) => send(host, onResponse), undefined, pass),
    post: (host) =>
      exchange(
        (onResponse) =>
          request({ host, port, path: '/', agent, method: 'POST', headers: BODY_HEADERS }, onResponse),
        BODY,
      ),
    send: ({ host, method, path, headers, body }) =>
      new Promise((resolve, reject) => {
        const req = request({ host, port, path, method, headers: { ...headers }, agent }, (response) => {
          response.resume();
          response.on('end', () => resolve({ headers: response.headers, reused: req.reusedSocket }));
          response.on('error', reject);
        });
        req.on('error', reject);
        req.end(body);
      }),
    close: () => agent.destroy(),
  };
}
